import { ContextOverflowError, RequestError } from "../../lib/errors.ts";
import { logSumExp, topLogprobs } from "../../lib/logprobs.ts";
import type { Grammar } from "../grammar.ts";
import type { Model } from "../model.ts";
import type { SamplingParams } from "../sampling-params.ts";
import type { DecodeThread } from "./decode-thread.ts";
import type { EngineRequest } from "./engine.ts";
import type { PromptWriter, WrittenPrompt } from "./prompt-writer.ts";
import type { AdapterScale, EndReason, RequestSpec, RequestStats, SampledToken } from "./request.ts";
import { RequestStream } from "./request-stream.ts";

/** What a request on the calling side needs. */
export interface RequestParts {
  readonly model: Model;
  readonly thread: DecodeThread;
  readonly writer: PromptWriter;
  readonly slot: number;
  readonly window: number;
  readonly contextLength: number;
  /** For requests that name none. */
  readonly defaultAdapters: readonly AdapterScale[];
  /** Called once, when the decoding side is done with it. */
  readonly done: () => void;
}

/** A request on the calling side, from its prompt to its last event. */
export class OpenRequest {
  readonly id: number;
  readonly slot: number;
  readonly stream: RequestStream;
  readonly #request: EngineRequest;
  readonly #parts: RequestParts;
  #written: WrittenPrompt | undefined;
  #logits: Float32Array | undefined;
  #logitsPlace: { readonly byteOffset: number; release(): void } | undefined;
  /** Tokens that the caller has chosen. */
  #chosen = 0;
  #done = false;
  #submitted = false;
  #aborted = false;
  #shifted = false;
  /** Its tokens, once it has ended. */
  #kept: Int32Array | undefined;
  /** Set where the caller's `sample` ended the text. */
  #ownReason: EndReason | undefined;

  constructor(id: number, request: EngineRequest, parts: RequestParts) {
    this.id = id;
    this.slot = parts.slot;
    this.#request = request;
    this.#parts = parts;
    this.stream = new RequestStream(id, request, parts.model.vocab, {
      abort: () => this.#abort(),
      acknowledge: (taken) => {
        const ahead = this.stream.generatedLength - taken + 1;
        parts.thread.acknowledge(this.slot, taken, { ahead, window: parts.window });
      },
      tokens: () => this.#tokens(),
    });
  }

  /** Writes the prompt into the token memory and hands the request over, at once where the prompt is short. */
  start(): void {
    const failed = (error: unknown) => this.fail(error instanceof Error ? error : new Error(String(error)));
    const submit = (written: WrittenPrompt) => {
      try {
        this.#submit(written);
      } catch (error) {
        this.#giveBack(written);
        failed(error);
      }
    };
    try {
      const written = this.#parts.writer.write(this.#request);
      if (written instanceof Promise) written.then(submit, failed);
      else submit(written);
    } catch (error) {
      failed(error);
    }
  }

  #submit(written: WrittenPrompt): void {
    const { thread, model } = this.#parts;
    if (this.#done || this.#aborted) {
      // Given up while the prompt was tokenised.
      this.#giveBack(written);
      if (!this.#done) this.end({ reason: "abort", stats: nothingDone });
      return;
    }
    // Whoever decodes would find it out a step later.
    const { contextLength } = this.#parts;
    if (written.promptLength > contextLength)
      throw new ContextOverflowError(written.promptLength, contextLength);
    this.#written = written;
    if (this.#request.sample) {
      const place = thread.arena.allocateBytes(4 * model.vocab.size);
      this.#logitsPlace = place;
      this.#logits = new Float32Array(thread.arena.memory.buffer, place.byteOffset, model.vocab.size);
    }
    thread.submit(this.#spec(written), this.slot);
    this.#submitted = true;
  }

  #giveBack({ byteOffset, capacity }: WrittenPrompt): void {
    this.#written = undefined;
    this.#parts.thread.arena.give(byteOffset, Math.ceil((4 * capacity) / 64) * 64);
  }

  /** The context is full: goes on with the first tokens and the younger half of the others, in another place. */
  shift(): void {
    try {
      this.#shift();
    } catch (error) {
      this.#abort();
      this.stream.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #shift(): void {
    const { thread, contextLength } = this.#parts;
    const tokens = this.#tokens();
    const wanted = this.#request.contextShift?.keep ?? 0;
    const keep = Math.min(wanted < 0 ? this.#written!.promptLength : wanted, contextLength >> 1);
    const dropped = Math.max(1, (tokens.length - keep) >> 1);
    const capacity = contextLength + 1;
    const buffer = thread.arena.allocate(capacity);
    buffer.storage.set(tokens.subarray(0, keep));
    buffer.storage.set(tokens.subarray(keep + dropped), keep);
    const length = tokens.length - dropped;
    const { byteOffset } = buffer.surrender(capacity);
    this.#shifted = true;
    this.#written = { byteOffset, capacity, promptLength: length - this.#generated };
    thread.move(this.id, { byteOffset, capacity, length });
  }

  progress(computed: number, cached: number): void {
    this.stream.progress(computed, cached, this.#written?.promptLength ?? 0);
  }

  token(token: SampledToken): void {
    this.stream.token(token);
  }

  /** The logits of the next token are there: asks the caller for it. */
  sample(): void {
    const { thread, model } = this.#parts;
    if (this.stream.ended) return;
    try {
      const { topLogprobs: count } = this.#request;
      const tokens = this.#tokens();
      const report = count === undefined ? undefined : logprobsOf(this.#logits!, count);
      const token = this.#request.sample?.(this.#logits!, tokens);
      if (token === undefined) {
        this.#ownReason = "stop";
        this.#abort();
        return;
      }
      model.vocab.checkToken(token, "the token that sample() chose");
      const { byteOffset, promptLength } = this.#written!;
      thread.arena.tokens.view(byteOffset + 4 * (promptLength + this.#chosen), 1)[0] = token;
      this.#chosen++;
      this.stream.token(report?.(token) ?? { token, logprob: 0, top: [] });
      this.#ownReason = this.#lastReason(token);
      if (this.#ownReason) this.#abort();
      else thread.resume(this.id, 1);
    } catch (error) {
      this.#abort();
      this.stream.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  end({ reason, stats }: { reason: EndReason; stats: RequestStats }): void {
    this.stream.end(this.#ownReason ?? reason, stats);
    this.#remember();
    this.#finish();
  }

  fail(error: Error): void {
    this.stream.fail(error);
    this.#finish();
  }

  /** Why a text that the caller samples ends behind this token; undefined where it goes on. */
  #lastReason(token: number): EndReason | undefined {
    const { ignoreEos, maxTokens = Number.POSITIVE_INFINITY } = this.#request;
    const { model, contextLength } = this.#parts;
    if (!ignoreEos && model.vocab.isEndOfGeneration(token)) return "stop";
    const full = this.#written!.promptLength + this.#chosen > contextLength;
    return full || this.#chosen >= maxTokens ? "length" : undefined;
  }

  #tokens(): Int32Array {
    if (this.#kept) return this.#kept;
    if (!this.#written) return new Int32Array(0);
    const { byteOffset, promptLength } = this.#written;
    return this.#parts.thread.arena.tokens.view(byteOffset, promptLength + this.#generated);
  }

  get #generated(): number {
    return this.#request.sample ? this.#chosen : this.stream.generatedLength;
  }

  #abort(): void {
    this.#aborted = true;
    if (this.#submitted) this.#parts.thread.abort(this.slot, this.id);
  }

  /** Keeps the spelling of the text for prompts that repeat it. */
  #remember(): void {
    const { prompt, cacheSalt = "", addSpecial = true, parseSpecial = true } = this.#request;
    if (typeof prompt !== "string" || !addSpecial || !parseSpecial || this.#shifted) return;
    const { model, writer } = this.#parts;
    const { reply } = this.stream;
    if (reply === undefined || reply === "") return;
    const tokens = this.#tokens();
    const ended = model.vocab.isEndOfGeneration(tokens.at(-1)!) ? 1 : 0;
    writer.replies.remember(prompt + reply, tokens.slice(0, tokens.length - ended), cacheSalt);
  }

  #finish(): void {
    if (this.#done) return;
    // Their place belongs to the decoding side, which may give it to others.
    this.#kept = this.#tokens().slice();
    this.#done = true;
    this.#logitsPlace?.release();
    this.#parts.done();
  }

  #spec({ byteOffset, capacity, promptLength }: WrittenPrompt): RequestSpec {
    const request = this.#request;
    return {
      id: this.id,
      byteOffset,
      capacity,
      promptLength,
      maxTokens: request.maxTokens,
      sampling: portable(request.sampling ?? {}),
      ignoreEos: request.ignoreEos,
      cachePrompt: request.cachePrompt,
      priority: request.priority,
      timeoutMs: request.timeoutMs,
      predictMs: request.predictMs,
      salt: request.cacheSalt,
      adapters: request.adapters ?? this.#parts.defaultAdapters,
      topLogprobs: request.topLogprobs,
      promptLogprobs: request.promptLogprobs,
      logitsOffset: this.#logitsPlace?.byteOffset,
      contextShift: request.contextShift,
      thought: request.thought,
    };
  }
}

/** Of a request that was given up before anything was done for it. */
const nothingDone: RequestStats = {
  promptLength: 0,
  cachedLength: 0,
  computedLength: 0,
  generatedLength: 0,
  queueMs: 0,
  promptMs: 0,
  predictedMs: 0,
  preemptions: 0,
};

/** Reports on a token chosen from these logits, as they are now: whoever chooses may change them. */
function logprobsOf(logits: Float32Array, count: number): (token: number) => SampledToken {
  const before = logits.slice();
  const normaliser = logSumExp(before);
  const top = topLogprobs(before, count, normaliser);
  return (token) => ({ token, logprob: before[token]! - normaliser, top });
}

/** Sampling parameters as plain data. @throws RequestError for functions, which cannot travel. */
function portable(params: SamplingParams): SamplingParams {
  const { logits_processors, grammar, logit_bias, ...rest } = params;
  if (logits_processors !== undefined) {
    throw new RequestError(
      "logits_processors are functions of this thread; give the engine a sample function instead",
      "logits_processors",
    );
  }
  const plain: SamplingParams = { ...rest };
  if (logit_bias != null)
    plain.logit_bias = logit_bias instanceof Map ? Object.fromEntries(logit_bias) : logit_bias;
  if (typeof grammar === "object" && grammar !== null) {
    const { source, root } = grammar as Grammar;
    plain.grammar = { source, root } as Grammar;
  } else if (grammar != null) plain.grammar = grammar;
  return plain;
}
