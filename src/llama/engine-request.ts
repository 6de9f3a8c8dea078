import { RequestError } from "../../lib/errors.ts";
import type { EngineRequest, SampleFunction } from "../engine/engine.ts";
import type { SamplerChain } from "../sampler.ts";
import { createSampler, type SamplingParams, samplingDefaults } from "../sampling-params.ts";
import type { AnsweringEngine } from "./answer.ts";
import { checkGeneration } from "./check-params.ts";
import { grammarOf } from "./response-format.ts";
import type { GenerationParams } from "./types.ts";

export type Prompt = string | ArrayLike<number>;

/** A request as an engine takes it, and what must be freed when it has ended. */
export interface PreparedRequest extends Disposable {
  readonly request: EngineRequest;
}

/** Parameters of llama-server's names as an engine's request. @throws RequestError, TypeError naming the field. */
export function engineRequest(
  engine: AnsweringEngine,
  prompt: Prompt,
  given: GenerationParams,
): PreparedRequest {
  checkGeneration(given);
  const params = { ...given, grammar: grammarOf(given) };
  if (!engine.generates)
    throw new RequestError("this model is an encoder and cannot generate; use createEmbedding");
  const { max_tokens, n_keep } = params;
  const here =
    params.logits_processors !== undefined || params.stopping_criteria !== undefined
      ? new SamplerHere(engine, params)
      : undefined;
  const request: EngineRequest = {
    prompt,
    sampling: samplingOf(params),
    sample: here?.sample,
    maxTokens: max_tokens == null || max_tokens < 0 ? undefined : max_tokens,
    ignoreEos: params.ignore_eos,
    cachePrompt: params.cache_prompt,
    priority: params.priority,
    timeoutMs: params.timeout_ms,
    predictMs: params.t_max_predict_ms,
    cacheSalt: params.cache_salt,
    adapters: params.lora,
    contextShift: params.context_shift ? { keep: n_keep ?? 0 } : undefined,
    signal: params.signal,
  };
  return { request, [Symbol.dispose]: () => here?.dispose() };
}

const otherSamplingFields = [
  "seed",
  "dry_sequence_breakers",
  "samplers",
  "logit_bias",
  "grammar",
  "grammar_triggers",
  "ignore_eos",
] as const satisfies (keyof SamplingParams)[];
const samplingFields = [...Object.keys(samplingDefaults), ...otherSamplingFields] as (keyof SamplingParams)[];

/** What of the parameters says how to sample. */
function samplingOf(params: SamplingParams): SamplingParams {
  return Object.fromEntries(
    samplingFields.flatMap((field) => (params[field] === undefined ? [] : [[field, params[field]]])),
  );
}

/** Samples on this thread, for the sake of functions that cannot be called on another. */
class SamplerHere {
  readonly #params: GenerationParams;
  #chain: SamplerChain | undefined;
  /** Whether the chain knows the prompt. */
  #told = false;

  constructor(engine: AnsweringEngine, params: GenerationParams) {
    this.#params = params;
    // Bad parameters are found out before anything is computed.
    this.#chain = createSampler(engine.model, params, { contextLength: engine.contextLength });
  }

  readonly sample: SampleFunction = (logits, tokens) => {
    const chain = this.#chain!;
    if (!this.#told) chain.acceptPrompt(tokens);
    this.#told = true;
    const criteria = [this.#params.stopping_criteria ?? []].flat();
    if (criteria.some((criterion) => criterion(tokens, logits))) return undefined;
    return chain.sample({ checkOutput: () => {}, logits: () => logits });
  };
  dispose(): void {
    this.#chain?.dispose();
    this.#chain = undefined;
  }
}
