import type { GgufArray } from "./gguf-value.ts";

/** Two equal elements of an array of strings. */
export interface Duplicate {
  readonly first: number;
  readonly second: number;
  readonly text: string;
}

/**
 * The first string that appears again, compared as libllama does: up to a NUL, an empty one under a name of its own.
 *
 * Works on the file's bytes with one hash table of integers; nothing is decoded.
 */
export function firstDuplicate(strings: GgufArray): Duplicate | undefined {
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * strings.length + 2))).fill(-1);
  const mask = slots.length - 1;
  for (let index = 0; index < strings.length; index++) {
    const bytes = comparedBytes(strings, index);
    let slot = hash(bytes) & mask;
    for (; slots[slot] !== -1; slot = (slot + 1) & mask) {
      const first = slots[slot]!;
      if (equal(comparedBytes(strings, first), bytes)) {
        return { first, second: index, text: new TextDecoder().decode(bytes) };
      }
    }
    slots[slot] = index;
  }
  return undefined;
}

function comparedBytes(strings: GgufArray, index: number): Uint8Array {
  const bytes = strings.stringBytes(index);
  const end = bytes.indexOf(0);
  if (bytes.length === 0 || end === 0) return new TextEncoder().encode(`[EMPTY_${index}]`);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/** FNV-1a. */
function hash(bytes: Uint8Array): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < bytes.length; index++) value = Math.imul(value ^ bytes[index]!, 0x01000193);
  return value ^ (value >>> 15);
}

function equal(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false;
  return true;
}
