import type { NativeBackend } from "./backend.ts";
import type { Libc } from "./libc.ts";
import type { Pointer } from "./types.ts";

/** A NUL-terminated UTF-8 string in memory of our own; keep the object while C reads it. */
export interface NativeString {
  readonly address: Pointer<"char">;
  readonly bytes: Uint8Array;
}

/** Moves bytes and strings between JavaScript and C. Foreign memory is always copied, never viewed. */
export class NativeMemory {
  readonly #backend: NativeBackend;
  readonly #libc: Libc;

  constructor(backend: NativeBackend, libc: Libc) {
    this.#backend = backend;
    this.#libc = libc;
  }

  /** Zeroed bytes whose address stays put: an explicit ArrayBuffer is never moved by a collector. */
  allocate(byteLength: number): Uint8Array {
    return new Uint8Array(new ArrayBuffer(byteLength));
  }

  /** Address of the first byte of a view; the caller keeps the view alive while C uses it. */
  addressOf(view: ArrayBufferView): Pointer {
    return this.#backend.addressOf(view);
  }

  /**
   * A C string of a text.
   * @throws TypeError naming `what` where the text holds a NUL, which would cut it short, or a lone surrogate.
   */
  string(text: string, what: string): NativeString {
    if (typeof text !== "string") throw new TypeError(`${what} must be a string, got ${typeof text}`);
    if (text.includes("\0")) throw new TypeError(`${what} must not contain a NUL character`);
    if (!text.isWellFormed()) {
      throw new TypeError(`${what} contains a lone surrogate; pass ${what}.toWellFormed() to replace it`);
    }
    const encoded = new TextEncoder().encode(text);
    const bytes = this.allocate(encoded.length + 1);
    bytes.set(encoded);
    return { bytes, address: this.addressOf(bytes) as Pointer<"char"> };
  }

  /** Several C strings and the array of their addresses (`const char **`). */
  strings(texts: readonly string[], what: string): { address: Pointer; keep: unknown } {
    const owned = texts.map((text, index) => this.string(text, `${what}[${index}]`));
    const addresses = new BigUint64Array(new ArrayBuffer(8 * Math.max(1, texts.length)));
    for (const [index, { address }] of owned.entries()) addresses[index] = BigInt(address);
    return { address: this.addressOf(addresses), keep: [owned, addresses] };
  }

  /** Copies `byteLength` bytes at an address. */
  read(source: Pointer, byteLength: number): Uint8Array {
    const bytes = this.allocate(byteLength);
    this.copyInto(bytes, source);
    return bytes;
  }

  /** Fills a view (shared memory included) from an address. */
  copyInto(target: ArrayBufferView, source: Pointer): void {
    if (source === 0) throw new RangeError("cannot read from a NULL pointer");
    if (target.byteLength > 0) this.#libc.memcpy(this.addressOf(target), source, target.byteLength);
  }

  /** Copies a view's bytes to an address that C owns and has room for. */
  copyFrom(target: Pointer, source: ArrayBufferView): void {
    if (target === 0) throw new RangeError("cannot write to a NULL pointer");
    if (source.byteLength > 0) this.#libc.memcpy(target, this.addressOf(source), source.byteLength);
  }

  /** Reads a C string; `undefined` for NULL. Invalid UTF-8 gives U+FFFD. */
  readString(source: Pointer): string | undefined {
    if (source === 0) return undefined;
    // A byte order mark is part of the text: C does not skip it either.
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    return decoder.decode(this.read(source, this.#libc.strlen(source)));
  }
}
