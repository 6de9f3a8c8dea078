import { logSumExp, type TokenLogprob, topLogprobs } from "../../lib/index.ts";
import type { SamplerChain } from "../sampler.ts";
import { TextStream } from "../text-stream.ts";
import type { Vocab } from "../vocab.ts";
import type { Generation } from "./generation.ts";
import type { FinishReason, GenerationParams } from "./types.ts";

/** A generated token and, where asked for, how likely it and others were. */
export interface GeneratedToken {
  readonly token: number;
  readonly logprob: number;
  readonly top: readonly TokenLogprob[];
}

/** Text that became certain, and the tokens it took. */
export interface Delta {
  readonly text: string;
  readonly tokens: readonly GeneratedToken[];
}

export interface RunOptions {
  readonly stops: readonly string[];
  /** Most likely tokens to report; undefined for no log-probabilities. */
  readonly topCount: number | undefined;
  /** Show control tokens in the text. */
  readonly special?: boolean;
}

/**
 * Generates text from a computed prompt: one delta per token that makes text certain, the reason to finish at the end.
 */
export async function* run(
  generation: Generation,
  sampler: SamplerChain,
  vocab: Vocab,
  params: GenerationParams,
  options: RunOptions,
): AsyncGenerator<Delta, FinishReason> {
  const stream = new TextStream(vocab, { stops: options.stops, special: options.special ?? false });
  const { topCount } = options;
  let logits: Float32Array | undefined;
  let normaliser = 0;
  let top: TokenLogprob[] = [];
  const hooks =
    topCount === undefined
      ? {}
      : {
          onLogits: (values: Float32Array) => {
            logits = values;
            normaliser = logSumExp(values);
            top = topLogprobs(values, topCount, normaliser);
          },
        };
  let waiting: GeneratedToken[] = [];
  let reason: FinishReason = generation.generatedLength === 0 && params.max_tokens === 0 ? "length" : "stop";
  for (;;) {
    const token = await generation.next(sampler, params, hooks);
    if (token === undefined) break;
    const ends = vocab.isEndOfGeneration(token) && !params.ignore_eos;
    reason = ends ? "stop" : generation.isExhausted(params) ? "length" : "stop";
    if (ends) break;
    waiting.push({ token, logprob: logits ? logits[token]! - normaliser : 0, top });
    const text = stream.push(token);
    if (text !== "" || stream.stop !== undefined) {
      yield { text, tokens: waiting };
      waiting = [];
    }
    if (stream.stop !== undefined) return "stop";
  }
  const text = stream.flush();
  if (text !== "" || waiting.length > 0) yield { text, tokens: waiting };
  return stream.stop === undefined ? reason : "stop";
}
