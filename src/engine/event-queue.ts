/** A queue between whoever pushes and one consumer that waits for each item. */
export class EventQueue<T> {
  #items: T[] = [];
  #head = 0;
  #waiting: ((item: T | undefined) => void) | undefined;
  #closed = false;

  push(item: T): void {
    if (this.#closed) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting(item);
    else this.#items.push(item);
  }

  /** Drops what nobody has taken. */
  clear(): void {
    this.#items = [];
    this.#head = 0;
  }

  /** Nothing more comes; what is queued can still be taken. */
  close(): void {
    this.#closed = true;
    this.#waiting?.(undefined);
    this.#waiting = undefined;
  }

  /** The next item; undefined after the last. One call at a time. */
  take(): T | undefined | Promise<T | undefined> {
    if (this.#head < this.#items.length) {
      const item = this.#items[this.#head++]!;
      if (this.#head === this.#items.length) {
        this.#items = [];
        this.#head = 0;
      }
      return item;
    }
    if (this.#closed) return undefined;
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }
}
