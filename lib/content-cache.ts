/** What was made of texts, by their content: of the last used, as many as have so many characters together. */
export class ContentCache<T> {
  readonly #most: number;
  readonly #made = new Map<string, T>();
  #characters = 0;

  /** @param most UTF-16 units of all texts together; a longer text is made anew each time. */
  constructor(most: number) {
    this.#most = most;
  }

  /** What was made of this text, while it is kept. */
  peek(text: string): T | undefined {
    return this.#made.get(text);
  }

  /** What `make` made of this text, now or before. */
  get(text: string, make: () => T): T {
    const known = this.#made.get(text);
    if (known !== undefined || this.#made.has(text)) {
      this.#made.delete(text);
      this.#made.set(text, known as T);
      return known as T;
    }
    const made = make();
    if (text.length > this.#most) return made;
    this.#made.set(text, made);
    this.#characters += text.length;
    for (const oldest of this.#made.keys()) {
      if (this.#characters <= this.#most) break;
      this.#made.delete(oldest);
      this.#characters -= oldest.length;
    }
    return made;
  }
}
