import { createPrefixKernel, longestCommonPrefixNaive, type PrefixKernel } from "./prefix-match.ts";

/** Up to this many tokens a loop in JavaScript is faster than a call into wasm. */
const shortLength = 48;
/** Of longer lists the first few tokens are looped over too, so that an early difference costs no call. */
const firstLook = 8;

/** Tokens that one `memcmp` looks at: enough that the calls cost little, few enough that what differs is soon found. */
const blockLength = 8192;

/** C's `memcmp`, by addresses. */
export type CompareBytes = (a: number, b: number, byteLength: number) => number;

/**
 * Tokens in a shared `WebAssembly.Memory`, as any thread sees them that was given it. Who may write where is settled by
 * the arena that hands out its places.
 */
export class TokenMemory {
  readonly memory: WebAssembly.Memory;
  /** Undefined where the engine has no wasm SIMD. */
  readonly kernel: PrefixKernel | undefined;
  #compareBytes: CompareBytes | undefined;
  #address = 0;

  /** @param memory shared. */
  constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
    this.kernel = createPrefixKernel(memory);
  }

  /** `length` tokens at a byte offset; memory that another thread added by growing is reached too. */
  view(byteOffset: number, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, byteOffset, length);
  }

  /**
   * Has the C library look through long lists, whose vectors can be four times as wide as wasm's. Worth it where a call
   * costs some 20 ns. @param address of the memory's first byte
   */
  compareWith(compareBytes: CompareBytes, address: number): void {
    this.#compareBytes = compareBytes;
    this.#address = address;
  }

  /** Length of the common prefix of two views of this memory, compared in place. */
  commonPrefix(a: Int32Array, b: Int32Array): number {
    const length = Math.min(a.length, b.length);
    let index = 0;
    if (length <= shortLength) {
      while (index < length && a[index] === b[index]) index++;
      return index;
    }
    while (index < firstLook && a[index] === b[index]) index++;
    return index < firstLook ? index : this.#commonPrefixOfLong(a, b, length);
  }

  #commonPrefixOfLong(a: Int32Array, b: Int32Array, length: number): number {
    const index = firstLook;
    const [startA, startB] = [a.byteOffset, b.byteOffset];
    const compare = this.#compareBytes;
    let start = index;
    let end = length;
    if (compare && length - index >= 2 * blockLength) {
      const [addressA, addressB] = [this.#address + startA, this.#address + startB];
      for (;;) {
        end = Math.min(length, start + blockLength);
        if (compare(addressA + 4 * start, addressB + 4 * start, 4 * (end - start)) !== 0) break;
        if (end === length) return length;
        start = end;
      }
    }
    if (!this.kernel) return start + longestCommonPrefixNaive(a.subarray(start, end), b.subarray(start, end));
    return start + this.kernel(startA + 4 * start, startB + 4 * start, end - start);
  }
}
