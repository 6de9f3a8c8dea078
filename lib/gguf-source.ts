import { ModelLoadError } from "./errors.ts";

/** Where the bytes of a GGUF file come from; `read` returns exactly `length` bytes or fewer at the end. */
export interface GgufSource {
  /** Named in errors, usually the path. */
  readonly name: string;
  /** Bytes of the whole file. */
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
}

/** Largest header read; the biggest known vocabularies need about 20 MiB. */
const headerLimit = 512 * 1024 * 1024;
const firstRead = 64 * 1024;
const utf8 = new TextDecoder();

/** A source over bytes already in memory. */
export function memorySource(bytes: Uint8Array, name = "GGUF data"): GgufSource {
  return { name, size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

/** Reads a header front to back, little-endian; every read past the end of the file is a `ModelLoadError`. */
export class HeaderCursor {
  readonly source: GgufSource;
  position = 0;
  #bytes = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);

  constructor(source: GgufSource) {
    this.source = source;
  }

  /** An error about this file. */
  error(problem: string, remedy: string): ModelLoadError {
    return new ModelLoadError(`${this.source.name}: ${problem}; ${remedy}`);
  }

  /** Makes [position, position + length) readable and steps over it; returns where it starts. */
  take(length: number, what: string): number {
    const start = this.position;
    const end = start + length;
    if (end > this.source.size) {
      throw this.error(
        `the file ends inside ${what} (${end} bytes needed, ${this.source.size} there)`,
        "it is truncated or damaged: download it again",
      );
    }
    if (end > headerLimit) {
      throw this.error(
        `the header passes ${headerLimit} bytes at ${what}`,
        "this is no usable model: download it again",
      );
    }
    if (end > this.#bytes.length) this.#grow(end, what);
    this.position = end;
    return start;
  }

  #grow(end: number, what: string): void {
    const length = Math.min(this.source.size, Math.max(end, firstRead, 2 * this.#bytes.length));
    const grown = new Uint8Array(length);
    grown.set(this.#bytes);
    let filled = this.#bytes.length;
    while (filled < length) {
      const part = this.source.read(filled, length - filled);
      // A file cut short while we read it must not loop for ever.
      if (part.length === 0)
        throw this.error(`reading stopped inside ${what}`, "another program may be writing the file");
      grown.set(part.subarray(0, length - filled), filled);
      filled += part.length;
    }
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  /** The bytes [start, end) already taken, without a copy. */
  slice(start: number, end: number): Uint8Array {
    return this.#bytes.subarray(start, end);
  }

  u32(what: string): number {
    const start = this.take(4, what);
    return this.#view.getUint32(start, true);
  }

  /** An unsigned 64-bit number that must be usable as a JavaScript integer. */
  count(what: string): number {
    // Taking may replace the view, so it comes first.
    const start = this.take(8, what);
    const value = this.#view.getBigUint64(start, true);
    if (value > Number.MAX_SAFE_INTEGER)
      throw this.error(`${what} is ${value}`, "it is damaged: download it again");
    return Number(value);
  }

  string(what: string): string {
    const length = this.count(`the length of ${what}`);
    const start = this.take(length, what);
    return utf8.decode(this.slice(start, start + length));
  }
}
