import { logSumExp, topLogprobs } from "../../lib/logprobs.ts";
import type { Context } from "../context.ts";
import type { ActiveRequest } from "./active-request.ts";
import type { SampledToken } from "./request.ts";

/** Samples a request's next token from the logits of batch token `index`. @throws RequestError, RangeError for NaN. */
export function pickToken(request: ActiveRequest, context: Context, index: number): SampledToken {
  const { topLogprobs: count } = request.spec;
  const sampler = request.sampler!;
  if (count === undefined) return { token: sampler.sample(context, index), logprob: 0, top: [] };
  // The sampler changes the logits that it is given, so they are kept aside.
  const logits = context.logits(index).slice();
  const normaliser = logSumExp(logits);
  const top = topLogprobs(logits, count, normaliser);
  const token = sampler.sample(context, index);
  return { token, logprob: logits[token]! - normaliser, top };
}

/**
 * Reports how likely the prompt's tokens were, from the logits of `count` batch tokens from `index` on, the first of
 * which is at position `start`.
 */
export function promptLogprobs(
  request: ActiveRequest,
  context: Context,
  range: {
    index: number;
    start: number;
    count: number;
    report: (position: number, token: SampledToken) => void;
  },
): void {
  const { view } = request.tokens;
  const { index, start, count, report } = range;
  for (let offset = 0; offset < count; offset++) {
    const token = view[start + offset + 1];
    if (token === undefined) break;
    const logits = context.logits(index + offset);
    const normaliser = logSumExp(logits);
    const top = topLogprobs(logits, request.spec.topLogprobs ?? 0, normaliser);
    report(start + offset + 1, { token, logprob: logits[token]! - normaliser, top });
  }
}
