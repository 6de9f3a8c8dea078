import { prefixMatchWasm } from "./prefix-match.generated.ts";

/** Compares two runs of tokens at byte offsets of the memory it was made for. */
export type PrefixKernel = (a: number, b: number, length: number, memory: WebAssembly.Memory) => number;

/** Below this many tokens a loop in JavaScript is faster than a call into wasm. */
const shortLength = 48;

/** Token by token: the reference that the others are tested against. */
export function longestCommonPrefixNaive(a: Int32Array, b: Int32Array): number {
  const length = Math.min(a.length, b.length);
  let index = 0;
  while (index < length && a[index] === b[index]) index++;
  return index;
}

type WasmKernel = (a: number, b: number, length: number) => number;

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
  let commonPrefix: WasmKernel;
  try {
    const instance = new WebAssembly.Instance(module, { cria: { memory } });
    commonPrefix = instance.exports.commonPrefix as WasmKernel;
  } catch {
    return undefined;
  }
  let view = new Int32Array(memory.buffer);
  return (a, b, length) => {
    if (length >= shortLength) return commonPrefix(a, b, length);
    if (4 * view.length < memory.buffer.byteLength) view = new Int32Array(memory.buffer);
    const [startA, startB] = [a / 4, b / 4];
    let index = 0;
    while (index < length && view[startA + index] === view[startB + index]) index++;
    return index;
  };
}

/**
 * Length of the longest common prefix of two token lists, wherever they live. Lists in a token arena are compared
 * faster by `TokenArena.commonPrefix`, which needs no copy.
 */
export function longestCommonPrefix(a: Int32Array, b: Int32Array): number {
  return longestCommonPrefixNaive(a, b);
}
