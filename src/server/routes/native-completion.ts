import { RequestError } from "../../../lib/errors.ts";
import type { TokenLogprob } from "../../../lib/logprobs.ts";
import type { Engine, EngineEvent } from "../../engine/engine.ts";
import type { RequestStats } from "../../engine/request.ts";
import { AnswerClock } from "../../llama/answer-clock.ts";
import { checkStops, checkTopCount } from "../../llama/check-params.ts";
import { wireProgress } from "../../llama/chunk-reports.ts";
import { tokenText } from "../../llama/completion.ts";
import { engineRequest, type Prompt } from "../../llama/engine-request.ts";
import { withGrammar } from "../../llama/response-format.ts";
import type { GenerationParams, StreamReports } from "../../llama/types.ts";
import { timingsOf } from "../../llama/usage.ts";
import type { Vocab } from "../../vocab.ts";
import type { ObservedEngine } from "../observed-engine.ts";
import { pickFields } from "../response-fields.ts";

/** Fields of `/completion` that are no other endpoint's. */
export interface NativeParams extends GenerationParams, StreamReports {
  n_probs?: number;
  return_tokens?: boolean;
  response_fields?: readonly string[];
  stop?: string | readonly string[];
  model?: string;
}

type Mixed = string | readonly (string | number)[];

/** Text and tokens, mixed, as one prompt: what is text behind tokens gets no BOS of its own. */
async function onePrompt(engine: Tokenizing, prompt: Mixed): Promise<Prompt> {
  if (typeof prompt === "string") return prompt;
  if (prompt.every((part) => typeof part === "number")) return prompt as number[];
  const lists: number[][] = [];
  for (const [index, part] of prompt.entries()) {
    if (typeof part === "number") lists.push([part]);
    else lists.push([...(await engine.tokenize(part, { addSpecial: index === 0, parseSpecial: true }))]);
  }
  return lists.flat();
}

type Tokenizing = Pick<Engine, "tokenize">;

/** The prompts of a request: one text, one list of tokens and texts, or a list of several of either. */
export async function nativePrompts(engine: Tokenizing, prompt: Mixed | readonly Mixed[]): Promise<Prompt[]> {
  if (typeof prompt === "string") return [prompt];
  const several =
    prompt.some((part) => Array.isArray(part)) || prompt.every((part) => typeof part === "string");
  const prompts = several ? (prompt as readonly Mixed[]) : [prompt as Mixed];
  return Promise.all(prompts.map((part) => onePrompt(engine, part)));
}

/** What a stream sends; `stop` marks the final object. */
type Chunk = { readonly stop: boolean; readonly [field: string]: unknown };

interface WireProbability {
  id: number;
  token: string;
  bytes: number[];
  logprob: number;
  top_logprobs?: WireProbability[];
}

function probability(vocab: Vocab, { token, logprob }: TokenLogprob): WireProbability {
  return {
    id: token,
    token: tokenText(vocab, token),
    bytes: Array.from(vocab.pieceBytes(token, { special: true })),
    logprob,
  };
}

/** One answer to one prompt in llama-server's form: chunks where streamed, and last the whole of what there is to tell. */
export class NativeAnswer {
  readonly #engine: ObservedEngine;
  readonly #index: number;
  readonly #params: NativeParams;
  readonly #prompt: Prompt;
  #content = "";
  #tokens: number[] = [];
  #probabilities: WireProbability[] = [];
  #promptLength = 0;
  readonly #clock = new AnswerClock();

  constructor(
    engine: ObservedEngine,
    prompt: Prompt,
    { params, index }: { params: NativeParams; index: number },
  ) {
    this.#engine = engine;
    this.#prompt = prompt;
    this.#params = params;
    this.#index = index;
  }

  /** Chunks, and the final object last. */
  async *chunks(): AsyncGenerator<object, void> {
    for await (const chunk of this.#all()) yield chunk.stop ? this.#picked(chunk) : chunk;
  }

  async *#all(): AsyncGenerator<Chunk, void> {
    const { n_probs = 0, return_progress } = this.#params;
    const topLogprobs = n_probs > 0 ? checkTopCount(n_probs, "n_probs", 100) : undefined;
    const prepared = engineRequest(this.#engine, this.#prompt, await withGrammar(this.#params));
    try {
      const stops = checkStops(this.#params.stop);
      const stream = this.#engine.submit({ ...prepared.request, stops, topLogprobs });
      const slot = this.#engine.slot;
      for await (const event of stream) {
        if (event.type === "error") throw event.error;
        if (event.type === "progress") {
          this.#promptLength = event.totalLength;
          this.#clock.progress(event);
          if (!return_progress) continue;
          const prompt_progress = wireProgress(event, this.#clock.elapsedMs);
          yield { ...this.#chunk("", [], slot), prompt_progress };
        } else if (event.type === "token") {
          yield* this.#token(event, slot);
        } else if (event.type === "end") {
          if (event.text !== "") yield this.#chunk(event.text, [], slot);
          this.#content += event.text;
          yield this.#final(event, stream.tokens, slot);
        }
      }
    } finally {
      prepared[Symbol.dispose]();
    }
  }

  /** The final object alone. */
  async whole(): Promise<object> {
    let last: object = {};
    for await (const chunk of this.#all()) last = chunk;
    const { return_tokens } = this.#params;
    const whole = {
      ...last,
      content: this.#content,
      tokens: return_tokens ? this.#tokens : [],
      ...(this.#probabilities.length > 0 ? { completion_probabilities: this.#probabilities } : {}),
    };
    return this.#picked(whole);
  }

  #picked(whole: object): object {
    const { response_fields } = this.#params;
    return response_fields?.length ? pickFields(whole, response_fields) : whole;
  }

  *#token(event: Extract<EngineEvent, { type: "token" }>, slot: number): Generator<Chunk> {
    this.#tokens.push(event.token);
    this.#clock.token();
    const { n_probs = 0, timings_per_token } = this.#params;
    const { vocab } = this.#engine.model;
    const probabilities =
      n_probs > 0
        ? [{ ...probability(vocab, event), top_logprobs: event.top.map((top) => probability(vocab, top)) }]
        : [];
    this.#probabilities.push(...probabilities);
    this.#content += event.text;
    yield {
      ...this.#chunk(event.text, [event.token], slot),
      ...(probabilities.length > 0 ? { completion_probabilities: probabilities } : {}),
      ...(timings_per_token ? { timings: this.#clock.timings } : {}),
    };
  }

  #chunk(content: string, tokens: number[], slot: number) {
    return {
      index: this.#index,
      content,
      tokens,
      stop: false,
      id_slot: slot,
      tokens_predicted: this.#tokens.length,
      tokens_evaluated: this.#promptLength,
    };
  }

  #final(event: Extract<EngineEvent, { type: "end" }>, tokens: Int32Array, slot: number) {
    const { vocab } = this.#engine.model;
    const { stats, stop, reason } = event;
    const { signal: _, ...settings } = this.#params;
    const prompt =
      typeof this.#prompt === "string"
        ? this.#prompt
        : vocab.detokenize(tokens.subarray(0, stats.promptLength), { special: true });
    return {
      index: this.#index,
      content: "",
      tokens: [],
      id_slot: slot,
      stop: true,
      model: this.#params.model,
      tokens_predicted: stats.generatedLength,
      tokens_evaluated: stats.promptLength,
      generation_settings: settings,
      prompt,
      has_new_line: this.#content.includes("\n"),
      truncated: false,
      stop_type: stop !== undefined ? "word" : reason === "length" ? "limit" : "eos",
      stopping_word: stop ?? "",
      tokens_cached: tokensCached(stats),
      timings: timingsOf(stats),
    };
  }
}

/** Tokens that the cache holds of it afterwards: all but the one sampled last. */
function tokensCached({ promptLength, generatedLength }: RequestStats): number {
  return promptLength + Math.max(0, generatedLength - 1);
}

/** `n_predict`, which llama-server also takes as `max_tokens`. @throws RequestError */
export function predictLength(n_predict: number | undefined, max_tokens: number | undefined): number {
  const count = n_predict ?? max_tokens ?? -1;
  if (count === -2)
    throw new RequestError("n_predict: -2 is not supported; use -1 for no limit", "n_predict");
  return count;
}
