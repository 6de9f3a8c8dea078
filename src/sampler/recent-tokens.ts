/** The last tokens of a text, and which ones are among them. */
export class RecentTokens {
  #ring: Int32Array;
  #length = 0;
  #next = 0;
  readonly #counts = new Map<number, number>();

  constructor(capacity: number) {
    this.#ring = new Int32Array(Math.max(1, capacity));
  }

  /** Each of them once. */
  get distinct(): Iterable<number> {
    return this.#counts.keys();
  }

  push(token: number): void {
    if (this.#length === this.#ring.length) this.#forget(this.#ring[this.#next]!);
    else this.#length++;
    this.#ring[this.#next] = token;
    this.#next = (this.#next + 1) % this.#ring.length;
    this.#counts.set(token, (this.#counts.get(token) ?? 0) + 1);
  }

  clear(): void {
    this.#length = 0;
    this.#next = 0;
    this.#counts.clear();
  }

  /** Takes over what another has. */
  copyFrom(other: RecentTokens): void {
    this.#ring = other.#ring.slice();
    this.#length = other.#length;
    this.#next = other.#next;
    this.#counts.clear();
    for (const [token, count] of other.#counts) this.#counts.set(token, count);
  }

  #forget(token: number): void {
    const left = this.#counts.get(token)! - 1;
    if (left > 0) this.#counts.set(token, left);
    else this.#counts.delete(token);
  }
}
