import type { TokenLogprob } from "../../lib/logprobs.ts";
import type { SamplingParams } from "../sampling-params.ts";
import type { ThoughtLimit } from "./thought-budget.ts";

/** Adapters of a request, by their number in the engine's list. */
export interface AdapterScale {
  readonly id: number;
  readonly scale: number;
}

/**
 * A request as the decoding side is given it: nothing in it but tokens in the token memory and plain data, so that it can
 * travel between threads.
 */
export interface RequestSpec {
  readonly id: number;
  /** Where its tokens are: the prompt, and room for what is generated. */
  readonly byteOffset: number;
  readonly capacity: number;
  readonly promptLength: number;
  /** Most tokens to generate; undefined: until the context is full. */
  readonly maxTokens?: number | undefined;
  readonly sampling: SamplingParams;
  readonly ignoreEos?: boolean | undefined;
  /** False computes the whole prompt anew. */
  readonly cachePrompt?: boolean | undefined;
  /** Larger goes first. Default 0. */
  readonly priority?: number | undefined;
  /** Milliseconds after which it fails, counted from its arrival. */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds after the first token after which the text ends (`t_max_predict_ms`). */
  readonly predictMs?: number | undefined;
  /** Requests of different salts share nothing. */
  readonly salt?: string | undefined;
  readonly adapters?: readonly AdapterScale[] | undefined;
  /** How many of the most likely tokens to report with each token; undefined for no log-probabilities. */
  readonly topLogprobs?: number | undefined;
  /** Report log-probabilities of the prompt too, which computes all of it. */
  readonly promptLogprobs?: boolean | undefined;
  /** The caller samples: byte offset of room for the logits, which are put there for each token. */
  readonly logitsOffset?: number | undefined;
  /** When the context is full, keep the first `keep` tokens and drop half of the rest, instead of ending. */
  readonly contextShift?: { readonly keep: number } | undefined;
  /** How long the model may think. */
  readonly thought?: ThoughtLimit | undefined;
  /** Nothing is generated: byte offset of room for the embedding of the tokens. */
  readonly embeddingOffset?: number | undefined;
}

export type EndReason = "stop" | "length" | "abort";

/** What a request took; lengths in tokens, times in milliseconds. */
export interface RequestStats {
  readonly promptLength: number;
  /** Of the prompt, taken from others' work when the request was first admitted. */
  readonly cachedLength: number;
  /** Prompt tokens computed for this request, again after a preemption included. */
  readonly computedLength: number;
  readonly generatedLength: number;
  readonly queueMs: number;
  readonly promptMs: number;
  readonly predictedMs: number;
  readonly preemptions: number;
  /** Of a request for an embedding: how many numbers it has, and how it was pooled. */
  readonly embedding?: { readonly length: number; readonly pooling: string };
}

export interface SampledToken {
  readonly token: number;
  /** Of the logits before any sampler; 0 where none were asked for. */
  readonly logprob: number;
  readonly top: readonly TokenLogprob[];
}

/** Where the decoding side reports to, and learns what its consumers are doing. Calls must not throw. */
export interface EngineSink {
  /** The prompt's first `computed` tokens are in the cache, `cached` of them by others' work. */
  progress(id: number, computed: number, cached: number): void;
  /** Log-probabilities of prompt token `position`. */
  promptToken(id: number, position: number, token: SampledToken): void;
  token(id: number, token: SampledToken): void;
  /** The logits of the next token are in the room the request named; it goes on with `EngineCore.resume`. */
  logits(id: number): void;
  /** One of these two ends every request, exactly once. */
  end(id: number, reason: EndReason, stats: RequestStats): void;
  error(id: number, error: unknown): void;
  /** Bytes of the token memory that are no longer needed. */
  release(byteOffset: number, byteLength: number): void;
  /** The context is full, and the caller shall write fewer tokens elsewhere: see `EngineCore.move`. */
  wantsRoom(id: number): void;
  /** A decode begins that is for one request alone, or undefined for several or its end: that one may abort it. */
  computing(id: number | undefined): void;
  /** Whether the caller has given up on a request. */
  isAborted(id: number): boolean;
  /** Tokens that the caller has taken; a request that runs too far ahead waits. */
  acknowledged(id: number): number;
}
