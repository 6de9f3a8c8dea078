import { prefixMatchWasm } from "./prefix-match.generated.ts";

/** Length of the common prefix of `length` tokens at two byte offsets of the memory it was made for. */
export type PrefixKernel = (a: number, b: number, length: number) => number;

/** Token by token: the reference that the others are tested against. */
export function longestCommonPrefixNaive(a: Int32Array, b: Int32Array): number {
  const length = Math.min(a.length, b.length);
  let index = 0;
  while (index < length && a[index] === b[index]) index++;
  return index;
}

let compiled: WebAssembly.Module | null | undefined;

/** The module, compiled once; null where this engine has no wasm SIMD or no shared memory. */
function kernelModule(): WebAssembly.Module | null {
  if (compiled === undefined) {
    try {
      const bytes = Uint8Array.from(atob(prefixMatchWasm), (character) => character.charCodeAt(0));
      compiled = new WebAssembly.Module(bytes);
    } catch {
      compiled = null;
    }
  }
  return compiled;
}

/** A SIMD kernel over a shared memory; undefined where the engine cannot run it, and the loop must do. */
export function createPrefixKernel(memory: WebAssembly.Memory): PrefixKernel | undefined {
  const module = kernelModule();
  if (!module) return undefined;
  try {
    const instance = new WebAssembly.Instance(module, { cria: { memory } });
    return instance.exports.commonPrefix as PrefixKernel;
  } catch {
    return undefined;
  }
}

/**
 * Length of the longest common prefix of two token lists, wherever they live. Lists in a token arena are compared
 * faster by `TokenBuffer.commonPrefix`, in place.
 */
export function longestCommonPrefix(a: Int32Array, b: Int32Array): number {
  return longestCommonPrefixNaive(a, b);
}
