/** A text of which the tokens are known: a prompt and what was generated behind it. */
export interface KnownText {
  readonly text: string;
  readonly tokens: Int32Array;
}

interface Entry extends KnownText {
  readonly salt: string;
}

/** Entries and characters that are remembered at most. */
const mostEntries = 512;
const mostCharacters = 2 ** 23;
/** So many characters at the end of a text tell it from most others. */
const tailLength = 32;

/**
 * Remembers how replies were spelled in tokens. A model may spell a word otherwise than the tokenizer would; a later prompt
 * that repeats the reply must be given the model's own tokens, or nothing behind the first difference would be found in
 * the cache.
 */
export class ReplyMemory {
  readonly #entries = new Map<string, Entry>();
  #characters = 0;

  get size(): number {
    return this.#entries.size;
  }

  remember(text: string, tokens: Int32Array, salt: string): void {
    if (text.length > mostCharacters) return;
    const key = `${salt}\0${text}`;
    this.#forget(key);
    this.#entries.set(key, { text, tokens, salt });
    this.#characters += text.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= mostEntries && this.#characters <= mostCharacters) return;
      this.#forget(oldest);
    }
  }

  /** The longest known text that a prompt begins with. */
  find(prompt: string, salt: string): KnownText | undefined {
    let best: Entry | undefined;
    for (const entry of this.#entries.values()) {
      const { text } = entry;
      if (entry.salt !== salt || text.length > prompt.length || text.length <= (best?.text.length ?? 0))
        continue;
      const tail = Math.max(0, text.length - tailLength);
      if (prompt.startsWith(text.slice(tail), tail) && prompt.startsWith(text)) best = entry;
    }
    if (best) {
      // Used last, forgotten last.
      const key = `${salt}\0${best.text}`;
      this.#entries.delete(key);
      this.#entries.set(key, best);
    }
    return best;
  }

  #forget(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#characters -= entry.text.length;
  }
}
