/** Words of the header: how many words were ever written and read, modulo 2^32. */
const written = 0;
const read = 1;
const headerWords = 16;

/** Bytes of shared memory that a ring of `words` words needs. */
export function ringBytes(words: number): number {
  if (!Number.isInteger(words) || words < 2 || (words & (words - 1)) !== 0)
    throw new RangeError(`a ring needs a power of two of words, got ${words}`);
  return 4 * (headerWords + words);
}

interface Ring {
  readonly header: Int32Array;
  readonly data: Int32Array;
  readonly mask: number;
}

function ringOver(buffer: SharedArrayBuffer): Ring {
  const words = buffer.byteLength / 4 - headerWords;
  ringBytes(words);
  return {
    header: new Int32Array(buffer, 0, headerWords),
    data: new Int32Array(buffer, 4 * headerWords, words),
    mask: words - 1,
  };
}

/**
 * The writing end of a ring of records between two threads: lists of 32-bit words, in the order they were written.
 *
 * It never waits and never drops: what finds no room is kept in a list of its own, and goes out with a later
 * {@link publish}. One thread writes, one reads.
 *
 * Source: Lamport, "Proving the Correctness of Multiprocess Programs" (1977), the bounded buffer of two indices.
 */
export class RingWriter {
  readonly #ring: Ring;
  #written: number;
  #backlog: Int32Array[] = [];

  /** @param buffer zeroed, of {@link ringBytes} bytes. */
  constructor(buffer: SharedArrayBuffer) {
    this.#ring = ringOver(buffer);
    this.#written = Atomics.load(this.#ring.header, written);
  }

  /** Records that wait for room. */
  get backlog(): number {
    return this.#backlog.length;
  }

  /** Most words of a record. */
  get capacity(): number {
    return this.#ring.mask;
  }

  /** Adds a record; the reader sees it after {@link publish}. @throws RangeError where it never could fit. */
  write(record: ArrayLike<number>): void {
    if (record.length > this.capacity)
      throw new RangeError(`a record of ${record.length} words does not fit a ring of ${this.capacity}`);
    if (this.#backlog.length > 0 || !this.#put(record)) this.#backlog.push(Int32Array.from(record));
  }

  /** Shows the reader what was written. @returns whether there was anything new. */
  publish(): boolean {
    let sent = 0;
    while (sent < this.#backlog.length && this.#put(this.#backlog[sent]!)) sent++;
    if (sent > 0) this.#backlog = this.#backlog.slice(sent);
    return Atomics.exchange(this.#ring.header, written, this.#written) !== this.#written;
  }

  /** Wakes a thread that waits on the reader's `signal`. */
  notify(): void {
    Atomics.notify(this.#ring.header, written);
  }

  #put(record: ArrayLike<number>): boolean {
    const { header, data, mask } = this.#ring;
    const used = (this.#written - Atomics.load(header, read)) | 0;
    if (record.length + 1 > data.length - used) return false;
    data[this.#written & mask] = record.length;
    for (let index = 0; index < record.length; index++)
      data[(this.#written + 1 + index) & mask] = record[index]!;
    this.#written = (this.#written + 1 + record.length) | 0;
    return true;
  }
}

/** The reading end of a ring, see {@link RingWriter}. */
export class RingReader {
  readonly #ring: Ring;
  #read: number;
  #record: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#ring = ringOver(buffer);
    this.#read = Atomics.load(this.#ring.header, read);
    this.#record = new Int32Array(256);
  }

  /** The word to wait on: it changes when something is published. */
  get signal(): { readonly words: Int32Array; readonly index: number } {
    return { words: this.#ring.header, index: written };
  }

  /** What the word of {@link signal} is while there is nothing new. */
  get position(): number {
    return this.#read;
  }

  get hasNext(): boolean {
    return Atomics.load(this.#ring.header, written) !== this.#read;
  }

  /** The next record, borrowed until the next call; undefined where there is none. */
  next(): Int32Array | undefined {
    const { header, data, mask } = this.#ring;
    if (Atomics.load(header, written) === this.#read) return undefined;
    const length = data[this.#read & mask]!;
    if (length > this.#record.length) this.#record = new Int32Array(2 * length);
    for (let index = 0; index < length; index++) this.#record[index] = data[(this.#read + 1 + index) & mask]!;
    this.#read = (this.#read + 1 + length) | 0;
    Atomics.store(header, read, this.#read);
    return this.#record.subarray(0, length);
  }
}
