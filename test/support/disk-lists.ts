import { tokensOf } from "./cache-blocks.ts";

/** Lists that there are. */
export const sharedLists = 24;

/** One of few lists of tokens, some of which begin as others do, so that blocks are cut, extended and dropped. */
export function sharedList(number: number): Int32Array {
  const index = number % sharedLists;
  const family = tokensOf(index % 4, 400);
  const kept = family.subarray(0, (index * 67) % 400);
  return Int32Array.of(...kept, ...tokensOf(100 + index, 40 + ((index * 53) % 200)));
}
