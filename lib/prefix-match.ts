import { prefixMatchWasm } from "./prefix-match.generated.ts";
import { instantiateKernel } from "./wasm-kernel.ts";

/** Length of the common prefix of `length` tokens at two byte offsets of the memory it was made for. */
export type PrefixKernel = (a: number, b: number, length: number) => number;

/** Token by token: the reference that the others are tested against. */
export function longestCommonPrefixNaive(a: Int32Array, b: Int32Array): number {
  const length = Math.min(a.length, b.length);
  let index = 0;
  while (index < length && a[index] === b[index]) index++;
  return index;
}

/** A SIMD kernel over a shared memory; undefined where the engine cannot run it, and the loop must do. */
export function createPrefixKernel(memory: WebAssembly.Memory): PrefixKernel | undefined {
  return instantiateKernel<{ commonPrefix: PrefixKernel }>(prefixMatchWasm, memory)?.commonPrefix;
}

/**
 * Length of the longest common prefix of two token lists, wherever they live. Lists in a token arena are compared
 * faster by `TokenBuffer.commonPrefix`, in place.
 */
export function longestCommonPrefix(a: Int32Array, b: Int32Array): number {
  return longestCommonPrefixNaive(a, b);
}
