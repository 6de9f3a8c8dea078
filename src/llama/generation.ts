import { CriaError, DecodeError, DisposedError, RequestError } from "../../lib/errors.ts";
import type { Batch } from "../batch.ts";
import type { Context } from "../context.ts";
import type { SamplerChain } from "../sampler.ts";
import type { HeldTokens } from "./held-tokens.ts";
import type { GenerationParams, PromptProgress, Timings } from "./types.ts";

/** What happened before a token was chosen; given to whoever reports log-probabilities. */
export interface GenerationHooks {
  /** Sees the logits from which the next token is sampled; borrowed. */
  onLogits?: ((logits: Float32Array) => void) | undefined;
  /** Sees the logits at every prompt position but the last; makes the whole prompt be computed. */
  onPromptLogits?: ((position: number, logits: Float32Array) => void) | undefined;
}

/** Milliseconds that the event loop waits at most, when decodes are shorter than that. */
const breathInterval = 16;

let lastBreath = 0;

/** Lets timers, sockets and signals of the event loop run between two decodes, if they have waited for long enough. */
function breathe(): Promise<void> | undefined {
  const now = performance.now();
  if (now - lastBreath < breathInterval) return undefined;
  return new Promise((resolve) =>
    setImmediate(() => {
      lastBreath = performance.now();
      resolve();
    }),
  );
}

/** One run over a context: computes a prompt, then one token after another. */
export class Generation {
  readonly #context: Context;
  readonly #held: HeldTokens;
  readonly #batch: Batch;
  cachedLength = 0;
  promptLength = 0;
  generatedLength = 0;
  #started = 0;
  #promptDone = 0;
  #lastToken = 0;
  /** The token sampled last, which the context does not hold yet. */
  #pending: number | undefined;

  constructor(context: Context, held: HeldTokens, batch: Batch) {
    this.#context = context;
    this.#held = held;
    this.#batch = batch;
  }

  /**
   * Computes the prompt in `held.prompt()`, but for the prefix that the context holds already.
   * @throws RequestError where the prompt does not fit the context; AbortError when `params.signal` fires.
   */
  async prefill(params: GenerationParams, hooks: GenerationHooks = {}): Promise<void> {
    const reuse = params.cache_prompt !== false && hooks.onPromptLogits === undefined;
    this.#started = performance.now();
    await this.#compute(this.#held.adopt({ reuse }), params, hooks);
  }

  /** Computes `tokens` behind what the context holds, without looking for a prefix. */
  async extend(tokens: ArrayLike<number>, params: GenerationParams): Promise<void> {
    const cachedLength = this.#held.length;
    this.#started = performance.now();
    for (let index = 0; index < tokens.length; index++) this.#held.append(tokens[index]!);
    await this.#compute(cachedLength, params, {});
  }

  async #compute(cachedLength: number, params: GenerationParams, hooks: GenerationHooks): Promise<void> {
    const context = this.#context;
    const all = hooks.onPromptLogits !== undefined;
    const tokens = this.#held.view();
    this.cachedLength = cachedLength;
    this.promptLength = tokens.length;
    for (let start = this.cachedLength; start < tokens.length; ) {
      if (params.signal?.aborted) this.#held.truncate(start);
      throwIfAborted(params.signal);
      const end = Math.min(tokens.length, start + context.batchSize);
      const last = end === tokens.length;
      this.#batch.fill(tokens.subarray(start, end), {
        position: start,
        outputs: all ? "all" : last ? "last" : "none",
      });
      this.#decode(start);
      if (all) this.#reportPrompt(start, end, tokens.length, hooks);
      start = end;
      params.onPromptProgress?.(this.#progress(end));
      const pause = last ? undefined : breathe();
      if (pause) {
        await pause;
        this.#checkAlive();
      }
    }
    this.#promptDone = performance.now();
    this.#lastToken = this.#promptDone;
  }

  /**
   * Decodes the token given before, if any, and samples the next.
   *
   * A promise per token instead of an async generator: each generator that a token passes through costs tens of
   * microseconds, since after a decode the caches hold weights and not this code.
   *
   * @returns undefined when the text has ended: after a token that ends it (which is given too), at `max_tokens`, when the
   *   context is full, or by a stopping criterion.
   */
  async next(
    sampler: SamplerChain,
    params: GenerationParams,
    hooks: GenerationHooks = {},
  ): Promise<number | undefined> {
    this.#checkAlive();
    if (this.#pending !== undefined) {
      const token = this.#pending;
      if (this.#ends(token, params) || this.isExhausted(params)) return undefined;
      params.signal?.throwIfAborted();
      this.#pending = undefined;
      const position = this.#held.length;
      this.#held.append(token);
      this.#batch.single(token, position);
      this.#decode(position);
      const pause = breathe();
      if (pause) {
        await pause;
        this.#checkAlive();
      }
    }
    params.signal?.throwIfAborted();
    if (this.generatedLength >= limitOf(params) || this.#shouldStop(params)) return undefined;
    hooks.onLogits?.(this.#context.logits(-1));
    const token = sampler.sample(this.#context, -1);
    this.#pending = token;
    this.generatedLength++;
    this.#lastToken = performance.now();
    return token;
  }

  /** Whether nothing more may be generated: `max_tokens` is reached or the context is full. */
  isExhausted(params: GenerationParams): boolean {
    return this.generatedLength >= limitOf(params) || this.#held.length >= this.#context.sequenceLength;
  }

  get timings(): Timings {
    const promptMs = this.#promptDone - this.#started;
    const predictedMs = this.#lastToken - this.#promptDone;
    const computed = this.promptLength - this.cachedLength;
    return {
      cache_n: this.cachedLength,
      prompt_n: computed,
      prompt_ms: promptMs,
      prompt_per_second: promptMs > 0 ? (1000 * computed) / promptMs : 0,
      predicted_n: this.generatedLength,
      predicted_ms: predictedMs,
      predicted_per_second: predictedMs > 0 ? (1000 * this.generatedLength) / predictedMs : 0,
    };
  }

  /** Decodes the batch at `position`; on failure the held tokens are cut back to what the context really holds. */
  #decode(position: number): void {
    const context = this.#context;
    let outcome: string;
    try {
      outcome = context.decode(this.#batch);
    } catch (error) {
      if (error instanceof DecodeError) this.#held.truncate(context.memory.positionMax(0) + 1);
      throw error;
    }
    if (outcome === "done") return;
    this.#held.truncate(outcome === "aborted" ? context.memory.positionMax(0) + 1 : position);
    if (outcome === "aborted")
      throw new CriaError("ABORTED", "the decode was aborted through the context's abort flag");
    throw new RequestError(
      `the context is full (${context.sequenceLength} tokens); load with a larger contextLength`,
      "prompt",
    );
  }

  #ends(token: number, params: GenerationParams): boolean {
    return !params.ignore_eos && this.#context.model.vocab.isEndOfGeneration(token);
  }

  #shouldStop({ stopping_criteria }: GenerationParams): boolean {
    if (stopping_criteria === undefined) return false;
    const logits = this.#context.logits(-1);
    const tokens = this.#held.view();
    return [stopping_criteria].flat().some((criterion) => criterion(tokens, logits));
  }

  #checkAlive(): void {
    if (this.#context.disposed) throw new DisposedError("Llama");
  }

  #progress(end: number): PromptProgress {
    return {
      totalLength: this.promptLength,
      cachedLength: this.cachedLength,
      computedLength: end - this.cachedLength,
    };
  }

  #reportPrompt(start: number, end: number, length: number, hooks: GenerationHooks): void {
    for (let position = start; position < end; position++) {
      if (position < length - 1) hooks.onPromptLogits?.(position, this.#context.logits(position - start));
    }
  }
}

function limitOf({ max_tokens }: GenerationParams): number {
  return max_tokens == null || max_tokens < 0 ? Number.POSITIVE_INFINITY : max_tokens;
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  signal?.throwIfAborted();
}
