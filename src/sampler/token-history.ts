/** Tokens in order, appended in place. */
export class TokenHistory {
  #storage = new Int32Array(256);
  #length = 0;

  /** Borrowed until the next change. */
  view(): Int32Array {
    return this.#storage.subarray(0, this.#length);
  }

  push(token: number): void {
    this.#reserve(1);
    this.#storage[this.#length++] = token;
  }

  append(tokens: Int32Array): void {
    this.#reserve(tokens.length);
    this.#storage.set(tokens, this.#length);
    this.#length += tokens.length;
  }

  clone(): TokenHistory {
    const copy = new TokenHistory();
    copy.append(this.view());
    return copy;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#storage.length) return;
    const larger = new Int32Array(Math.max(2 * this.#storage.length, this.#length + count));
    larger.set(this.view());
    this.#storage = larger;
  }
}
