import { entryWords } from "./logits-kernel.ts";
import { allocateEntries, type EntryRoom, type LogitsScan, leastFloat } from "./logits-scan.ts";

/** A token with the logarithm of its probability. */
export interface TokenLogprob {
  readonly token: number;
  readonly logprob: number;
}

/**
 * The logarithm of the sum of exp(logits), computed from the largest so that nothing overflows.
 * Subtracting it from a logit gives the token's log-probability.
 */
export function logSumExp(logits: Float32Array): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < logits.length; index++) {
    if (logits[index]! > most) most = logits[index]!;
  }
  if (most === Number.NEGATIVE_INFINITY) return most;
  let sum = 0;
  for (let index = 0; index < logits.length; index++) sum += Math.exp(logits[index]! - most);
  return most + Math.log(sum);
}

/** Log-probabilities of all tokens. Shape as `logits`; a new array. */
export function logitsToLogprobs(logits: Float32Array): Float32Array {
  const normaliser = logSumExp(logits);
  return logits.map((logit) => logit - normaliser);
}

/** The `count` most likely tokens, most likely first; ties go to the smaller id. */
export function topLogprobs(
  logits: Float32Array,
  count: number,
  normaliser = logSumExp(logits),
): TokenLogprob[] {
  // Ranked by logit: subtracting the normaliser first would make close logits equal.
  const top: { token: number; logit: number }[] = [];
  if (count <= 0) return [];
  for (let token = 0; token < logits.length; token++) {
    const logit = logits[token]!;
    if (top.length === count && !(logit > top[count - 1]!.logit)) continue;
    let at = top.length;
    while (at > 0 && top[at - 1]!.logit < logit) at--;
    top.splice(at, 0, { token, logit });
    if (top.length > count) top.pop();
  }
  return top.map(({ token, logit }) => ({ token, logprob: logit - normaliser }));
}

/** As {@link logSumExp}, vectorised, right to a millionth; the logits must be neither NaN nor infinite, nor all -Infinity. */
export function scanLogSumExp(scan: LogitsScan): number {
  const { largest } = scan;
  return largest + Math.log(scan.sumExp(largest));
}

let room: EntryRoom | undefined;

/** As {@link topLogprobs}, vectorised. */
export function scanTopLogprobs(scan: LogitsScan, count: number, normaliser: number): TokenLogprob[] {
  if (count <= 0) return [];
  const threshold = scan.likelyThreshold(count) ?? leastFloat;
  const found = scan.countFrom(threshold);
  if (found < count) return topLogprobs(scan.logits, count, normaliser);
  if (!room || room.capacity < found) {
    room?.release();
    room = allocateEntries(2 * found);
  }
  scan.gatherFrom(threshold, room);
  const logits = new Float32Array(room.words.buffer, room.words.byteOffset, entryWords * found);
  // The sort is stable, so that ties stay in the order of tokens.
  const order = Array.from({ length: found }, (_, index) => entryWords * index);
  order.sort((a, b) => logits[b + 1]! - logits[a + 1]!);
  const entries = room.words;
  return order.slice(0, count).map((word) => ({
    token: entries[word]!,
    logprob: logits[word + 1]! - normaliser,
  }));
}
