import type { TokenLogprob } from "../../lib/logprobs.ts";
import type { Model } from "../model.ts";
import type { SamplingParams } from "../sampling-params.ts";
import type { TokenizeOptions } from "../vocab.ts";
import type { EngineSnapshot } from "./counters.ts";
import type { AdapterScale, EndReason, RequestStats } from "./request.ts";
import type { StateFingerprint } from "./state-fingerprint.ts";
import type { ThoughtLimit } from "./thought-budget.ts";

/**
 * Chooses a token on the caller's own thread, from the logits of the next token (which it may change) and the tokens so
 * far; undefined ends the text. Both views are borrowed for the call.
 */
export type SampleFunction = (logits: Float32Array, tokens: Int32Array) => number | undefined;

/** What to compute, and how. Lengths in tokens, times in milliseconds. */
export interface EngineRequest {
  /** Text or token ids. */
  readonly prompt: string | ArrayLike<number>;
  /** Add what the model wants around a text, such as BOS. Default true. */
  readonly addSpecial?: boolean | undefined;
  /** Let text such as "<|im_end|>" become its control token. Default true. */
  readonly parseSpecial?: boolean | undefined;
  readonly sampling?: SamplingParams | undefined;
  /** Choose tokens here instead; `sampling` is then not used. */
  readonly sample?: SampleFunction | undefined;
  /** Most tokens to generate. Default: until the context is full. */
  readonly maxTokens?: number | undefined;
  /** Strings that end the text, before them. */
  readonly stops?: readonly string[] | undefined;
  readonly ignoreEos?: boolean | undefined;
  /** How long the model may think; not for a caller who samples. */
  readonly thought?: ThoughtLimit | undefined;
  /** Show control tokens in the text: all of them, or these. */
  readonly special?: boolean | ReadonlySet<number> | undefined;
  /** Take what is computed already. Default true. */
  readonly cachePrompt?: boolean | undefined;
  /** Larger goes first. Default 0. */
  readonly priority?: number | undefined;
  readonly timeoutMs?: number | undefined;
  /** Time to generate for, from the first token on. */
  readonly predictMs?: number | undefined;
  /** Requests of different salts share nothing. */
  readonly cacheSalt?: string | undefined;
  /** Default: all adapters that were loaded, with their scales. */
  readonly adapters?: readonly AdapterScale[] | undefined;
  /** Likeliest tokens to report with each token; undefined for no log-probabilities. */
  readonly topLogprobs?: number | undefined;
  /** Report log-probabilities of the prompt too. */
  readonly promptLogprobs?: boolean | undefined;
  /** When the context is full, keep the first `keep` tokens and drop half of the rest, instead of ending. */
  readonly contextShift?: { readonly keep: number } | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A text to embed. */
export type EmbeddingRequest = Pick<
  EngineRequest,
  "addSpecial" | "parseSpecial" | "adapters" | "priority" | "timeoutMs" | "signal"
> & {
  /** Text or token ids. */
  readonly input: EngineRequest["prompt"];
};

export interface EngineEmbedding {
  /** As the model pools it, of any length (Euclidean); with pooling "rank" its scores. */
  readonly values: Float32Array;
  readonly pooling: string;
  readonly tokenCount: number;
}

/** Which requests a prefix belongs to: those of a salt, and of a set of adapters (default: all, as they were loaded). */
export interface StateScope {
  readonly cacheSalt?: string | undefined;
  readonly adapters?: readonly AdapterScale[] | undefined;
}

/** A computed prefix that can be kept elsewhere. */
export interface SavedTokens {
  readonly tokens: Int32Array;
  /** Sealed bytes of the cache, for a model and cache types like these. */
  readonly data: Uint8Array;
  /** What it is of; what is loaded without one is not checked. Undefined where the model's files were replaced meanwhile. */
  readonly fingerprint?: StateFingerprint | undefined;
}

/** Where prefixes are kept that leave the context. */
export interface CacheTiers {
  /** Most bytes of memory. */
  readonly hostBytes: number;
  /** Folder of prefixes that outlive the engine, and most bytes of it; undefined for none. */
  readonly disk: { readonly folder: string; readonly bytes: number } | undefined;
}

/** What happens to a request. The last event is an `end` or an `error`; nothing comes after it. */
export type EngineEvent =
  | {
      readonly type: "progress";
      readonly totalLength: number;
      readonly cachedLength: number;
      readonly computedLength: number;
    }
  | {
      readonly type: "prompt-token";
      readonly position: number;
      readonly logprob: number;
      readonly top: readonly TokenLogprob[];
      readonly token: number;
    }
  | {
      readonly type: "token";
      readonly token: number;
      /** Text that became certain with it: whole characters, and nothing that may belong to a stop string. */
      readonly text: string;
      /** Whether it is a token that ends a text. */
      readonly ends: boolean;
      readonly logprob: number;
      readonly top: readonly TokenLogprob[];
    }
  | {
      readonly type: "end";
      readonly reason: EndReason;
      /** Text that was held back. */
      readonly text: string;
      /** The stop string that ended it. */
      readonly stop: string | undefined;
      readonly stats: RequestStats;
    }
  | { readonly type: "error"; readonly error: Error };

/** The events of one request. Leaving the loop, or `return()`, gives the request up. */
export interface EngineStream extends AsyncIterableIterator<EngineEvent, void, undefined>, AsyncDisposable {
  readonly id: number;
  /** The request's prompt and what was generated; borrowed until the stream has ended, and its own afterwards. */
  readonly tokens: Int32Array;
  /** Gives the request up; what it has computed stays in the cache. Its last event follows. */
  cancel(): void;
}

/** Whoever computes: the one interface that the layers above see. */
export interface Engine extends AsyncDisposable {
  /** Metadata and vocabulary; the weights belong to the engine. */
  readonly model: Model;
  /** Most tokens of one request. */
  readonly contextLength: number;
  /** Whether the model can generate; an encoder can only embed. */
  readonly generates: boolean;
  /** Requests that wait or run. */
  readonly requestCount: number;
  /** Most of them at once; more are refused. */
  readonly maxRequests: number;
  /** What it was loaded with below the context. */
  readonly cacheTiers: CacheTiers;
  /** Token ids of a text; of a long one on another thread. @throws TypeError for what is no text */
  tokenize(text: string, options?: TokenizeOptions): Promise<Int32Array>;
  /** Never throws for what a request asks: its stream tells. @throws DisposedError */
  submit(request: EngineRequest): EngineStream;
  /** Waits in the same queue as what is generated. @throws RequestError naming the field; `signal.reason`. */
  embed(request: EmbeddingRequest): Promise<EngineEmbedding>;
  /** The cache of the longest beginning of `tokens` that is held by itself; without any, no tokens. */
  saveState(tokens: Int32Array, options?: StateScope): Promise<SavedTokens>;
  /**
   * Puts a prefix into the cache, for requests that begin with it.
   * @throws RequestError where its fingerprint is another, naming what differs; CriaError where it does not fit.
   */
  loadState(state: SavedTokens, options?: StateScope): Promise<void>;
  snapshot(): Promise<EngineSnapshot>;
  /** Forgets all prefixes that no request is using. */
  clearCache(): Promise<void>;
  /**
   * Has prefixes that left the context take no more bytes of memory; what is worth least goes at once. Memory that the
   * process has for them already is used again, and not given back. A folder needs a little of it, whatever was asked for.
   * @throws RangeError for more than the engine was loaded with.
   */
  setCacheRam(bytes: number): Promise<void>;
  /** Ends all requests with an error and frees everything. Idempotent. */
  close(): Promise<void>;
}
