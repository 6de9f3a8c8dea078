import { createPrefixKernel, longestCommonPrefixNaive, type PrefixKernel } from "./prefix-match.ts";

/** Up to this many tokens a loop in JavaScript is faster than a call into wasm. */
export const shortLength = 40;
/** Of longer lists the first few tokens are looped over too, so that an early difference costs no call. */
export const firstLook = 8;

/**
 * Tokens in a shared `WebAssembly.Memory`, as any thread sees them that was given it. Who may write where is settled by
 * the arena that hands out its places.
 */
export class TokenMemory {
  readonly memory: WebAssembly.Memory;
  /** Undefined where the engine has no wasm SIMD. */
  readonly kernel: PrefixKernel | undefined;

  /** @param memory shared. */
  constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
    this.kernel = createPrefixKernel(memory);
  }

  /** `length` tokens at a byte offset; memory that another thread added by growing is reached too. */
  view(byteOffset: number, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, byteOffset, length);
  }

  /** Length of the common prefix of two views of this memory, compared in place. */
  commonPrefix(a: Int32Array, b: Int32Array): number {
    const length = Math.min(a.length, b.length);
    const looped = length > shortLength ? firstLook : length;
    let index = 0;
    while (index < looped && a[index] === b[index]) index++;
    return index < looped || index === length ? index : this.commonPrefixFrom(index, a, b, length);
  }

  /** The same for their first `length` tokens, where the first `index` are known to be equal. */
  commonPrefixFrom(index: number, a: Int32Array, b: Int32Array, length: number): number {
    if (!this.kernel)
      return index + longestCommonPrefixNaive(a.subarray(index, length), b.subarray(index, length));
    return index + this.kernel(a.byteOffset + 4 * index, b.byteOffset + 4 * index, length - index);
  }
}
