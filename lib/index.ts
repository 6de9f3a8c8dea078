export * from "./errors.ts";
export { logitsToLogprobs, logSumExp, type TokenLogprob, topLogprobs } from "./logprobs.ts";
export { longestCommonPrefix, longestCommonPrefixNaive } from "./prefix-match.ts";
export { type StopMatch, StopMatcher } from "./stop-matcher.ts";
export { type ArenaBytes, TokenArena, type TokenArenaOptions, TokenBuffer } from "./token-arena.ts";
export { Utf8Stream } from "./utf8-stream.ts";
