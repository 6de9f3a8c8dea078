export * from "./errors.ts";
export { logitsToLogprobs, logSumExp, type TokenLogprob, topLogprobs } from "./logprobs.ts";
export { longestCommonPrefix, longestCommonPrefixNaive } from "./prefix-match.ts";
export { type CompareTokens, RadixTree, type TokenOwner, type TreeMatch, type Usable } from "./radix-tree.ts";
export { RingReader, RingWriter, ringBytes } from "./ring-buffer.ts";
export { type StopMatch, StopMatcher } from "./stop-matcher.ts";
export { type ArenaBytes, TokenArena, type TokenArenaOptions, TokenBuffer } from "./token-arena.ts";
export { TokenMemory } from "./token-memory.ts";
export { Utf8Stream } from "./utf8-stream.ts";
