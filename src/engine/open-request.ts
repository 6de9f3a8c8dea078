import { RequestError } from "../../lib/errors.ts";
import type { Grammar } from "../grammar.ts";
import type { Model } from "../model.ts";
import type { SamplingParams } from "../sampling-params.ts";
import type { DecodeThread } from "./decode-thread.ts";
import type { EngineRequest } from "./engine.ts";
import type { EndReason, RequestSpec, RequestStats, SampledToken } from "./request.ts";
import { RequestStream } from "./request-stream.ts";
import type { AdapterFile } from "./worker-data.ts";
import { type WrittenPrompt, writePrompt } from "./write-prompt.ts";

export interface OpenRequestParts {
  readonly model: Model;
  readonly thread: DecodeThread;
  readonly slot: number;
  readonly window: number;
  readonly contextLength: number;
  readonly adapters: readonly AdapterFile[];
  /** Called once, when the decoding side is done with it. */
  readonly done: () => void;
}

/** A request on the calling side, from its prompt to its last event. */
export class OpenRequest {
  readonly id: number;
  readonly slot: number;
  readonly stream: RequestStream;
  readonly #request: EngineRequest;
  readonly #parts: OpenRequestParts;
  #written: WrittenPrompt | undefined;
  #logits: Float32Array | undefined;
  #logitsPlace: { readonly byteOffset: number; release(): void } | undefined;
  /** Tokens that the caller has chosen. */
  #chosen = 0;
  #done = false;

  constructor(id: number, request: EngineRequest, parts: OpenRequestParts) {
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

  /** Writes the prompt into the token memory and hands the request over. */
  start(): void {
    const { model, thread, contextLength } = this.#parts;
    try {
      this.#written = writePrompt(thread.arena, model.vocab, this.#request, contextLength);
      if (this.#request.sample) {
        const place = thread.arena.allocateBytes(4 * model.vocab.size);
        this.#logitsPlace = place;
        this.#logits = new Float32Array(thread.arena.memory.buffer, place.byteOffset, model.vocab.size);
      }
      thread.submit(this.#spec(this.#written), this.slot);
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** The context is full: goes on with the first tokens and the younger half of the others, in another place. */
  shift(): void {
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
      const token = this.#request.sample?.(this.#logits!, this.#tokens());
      if (token === undefined) {
        this.#finishedByCaller = true;
        this.#abort();
        return;
      }
      model.vocab.checkToken(token, "the token that sample() chose");
      const { byteOffset, promptLength } = this.#written!;
      thread.arena.tokens.view(byteOffset + 4 * (promptLength + this.#chosen), 1)[0] = token;
      this.#chosen++;
      this.stream.token({ token, logprob: 0, top: [] });
      if (this.#isLast(token)) {
        this.#finishedByCaller = true;
        this.#reason =
          this.#chosen >= (this.#request.maxTokens ?? Number.POSITIVE_INFINITY) ? "length" : "stop";
        this.#abort();
      } else thread.resume(this.id, 1);
    } catch (error) {
      this.#abort();
      this.stream.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  end({ reason, stats }: { reason: EndReason; stats: RequestStats }): void {
    this.stream.end(this.#finishedByCaller ? this.#reason : reason, stats);
    this.#finish();
  }

  fail(error: Error): void {
    this.stream.fail(error);
    this.#finish();
  }

  #finishedByCaller = false;
  #reason: EndReason = "stop";

  #isLast(token: number): boolean {
    const { ignoreEos, maxTokens } = this.#request;
    const { model, contextLength } = this.#parts;
    if (!ignoreEos && model.vocab.isEndOfGeneration(token)) return true;
    if (this.#written!.promptLength + this.#chosen > contextLength) {
      this.#reason = "length";
      return true;
    }
    return this.#chosen >= (maxTokens ?? Number.POSITIVE_INFINITY);
  }

  #tokens(): Int32Array {
    if (!this.#written || this.#done) return new Int32Array(0);
    const { byteOffset, promptLength } = this.#written;
    return this.#parts.thread.arena.tokens.view(byteOffset, promptLength + this.#generated);
  }

  get #generated(): number {
    return this.#request.sample ? this.#chosen : this.stream.generatedLength;
  }

  #abort(): void {
    this.#parts.thread.abort(this.slot, this.id);
  }

  #finish(): void {
    if (this.#done) return;
    this.#done = true;
    this.#logitsPlace?.release();
    this.#parts.done();
  }

  #spec({ byteOffset, capacity, promptLength }: WrittenPrompt): RequestSpec {
    const request = this.#request;
    const loaded = this.#parts.adapters.map(({ scale = 1 }, id) => ({ id, scale }));
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
      adapters: request.adapters ?? loaded,
      topLogprobs: request.topLogprobs,
      promptLogprobs: request.promptLogprobs,
      logitsOffset: this.#logitsPlace?.byteOffset,
      contextShift: request.contextShift,
    };
  }
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
