import { DecodeError } from "../../lib/errors.ts";
import type { LogitsScan } from "../../lib/logits-scan.ts";
import { scanLogSumExp, scanTopLogprobs } from "../../lib/logprobs.ts";
import type { Context } from "../context.ts";
import type { Model } from "../model.ts";
import type { Narrowing } from "../sampler.ts";
import { createSampler } from "../sampling-params.ts";
import type { ActiveRequest } from "./active-request.ts";
import type { EngineSink, SampledToken } from "./request.ts";
import { ThoughtBudget } from "./thought-budget.ts";

/** Gives a request the sampler that its parameters ask for, unless it has one or its caller samples. */
export function makeSampler(
  request: ActiveRequest,
  model: Model,
  contextLength: number,
  { narrowing }: { narrowing: Narrowing },
): void {
  const { sampling, ignoreEos, logitsOffset } = request.spec;
  if (request.sampler || logitsOffset !== undefined) return;
  const params = ignoreEos ? { ...sampling, ignore_eos: true } : sampling;
  request.sampler = createSampler(model, params, { contextLength });
  request.sampler.narrowing = narrowing;
  request.sampler.acceptPrompt(request.tokens.view);
  const pieceOf = (token: number) => model.vocab.pieceBytes(token, { special: true });
  if (request.spec.thought) request.thought = new ThoughtBudget(request.spec.thought, pieceOf);
}

/** Logits of batch token `index`, borrowed. @throws DecodeError where they are none: NaN, infinite, or all -Infinity. */
export function checkedLogits(context: Context, index: number): LogitsScan {
  const scan = context.scan(index);
  try {
    scan.assertFinite();
  } catch (error) {
    throw broken((error as Error).message, error);
  }
  if (scan.largest === Number.NEGATIVE_INFINITY)
    throw broken("all logits are -Infinity; the model's file may be broken");
  return scan;
}

/** libllama reports success (status 0) whatever it computed. */
function broken(message: string, cause?: unknown): DecodeError {
  return new DecodeError(message, 0, { cause });
}

/** Samples a request's next token from the logits of batch token `index`. @throws RequestError; DecodeError for NaN. */
export function pickToken(request: ActiveRequest, context: Context, index: number): SampledToken {
  const sampled = sample(request, context, index);
  request.thought?.push(sampled.token);
  return sampled;
}

function sample(request: ActiveRequest, context: Context, index: number): SampledToken {
  const { topLogprobs: count } = request.spec;
  const sampler = request.sampler!;
  // Where a grammar forbids it, the thought goes on.
  const forced = request.thought?.next;
  const due = forced !== undefined && sampler.allows(forced) ? forced : undefined;
  if (count === undefined && due === undefined) {
    try {
      return { token: sampler.sample(context, index), logprob: 0, top: [] };
    } catch (error) {
      // Samplers refuse NaN too, but cannot say whether it was the model's.
      checkedLogits(context, index);
      throw error;
    }
  }
  // With a token that has to come, too: what is kept of the text so far must be sound.
  const scan = checkedLogits(context, index);
  if (due !== undefined) sampler.accept(due);
  if (count === undefined) return { token: due!, logprob: 0, top: [] };
  const normaliser = scanLogSumExp(scan);
  const top = scanTopLogprobs(scan, count, normaliser);
  const token = due ?? sampler.sampleFrom(scan);
  // The sampler may have changed the copy.
  return { token, logprob: context.outputs.logit(index, token) - normaliser, top };
}

/**
 * Reports how likely the prompt's tokens were, from the logits of `count` batch tokens from `index` on, the first of
 * which is at position `start`.
 */
export function promptLogprobs(
  request: ActiveRequest,
  context: Context,
  range: { index: number; start: number; count: number; sink: EngineSink },
): void {
  const { view } = request.tokens;
  const { index, start, count, sink } = range;
  for (let offset = 0; offset < count; offset++) {
    const position = start + offset + 1;
    const token = view[position];
    if (token === undefined) break;
    if (position <= request.reportedPosition) continue;
    const scan = checkedLogits(context, index + offset);
    const normaliser = scanLogSumExp(scan);
    const top = scanTopLogprobs(scan, request.spec.topLogprobs ?? 0, normaliser);
    request.reportedPosition = position;
    sink.promptToken(request.id, position, { token, logprob: scan.logits[token]! - normaliser, top });
  }
}
