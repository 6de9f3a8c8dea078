import { DisposedError } from "../../lib/errors.ts";
import { TextStream } from "../text-stream.ts";
import type { Vocab } from "../vocab.ts";
import type { EngineEvent, EngineRequest, EngineStream } from "./engine.ts";
import { EventQueue } from "./event-queue.ts";
import type { EndReason, RequestStats, SampledToken } from "./request.ts";

/** What a stream needs of whoever decodes for it. */
export interface StreamPort {
  /** Tells that the request is given up. */
  abort(): void;
  /** Tells how many tokens the consumer has taken. */
  acknowledge(count: number): void;
  readonly tokens: () => Int32Array;
}

/** The calling side of one request: makes text of its tokens, finds its stop strings, and keeps its events. */
export class RequestStream implements EngineStream {
  readonly id: number;
  readonly request: EngineRequest;
  readonly #vocab: Vocab;
  readonly #text: TextStream;
  readonly #queue = new EventQueue<EngineEvent>();
  readonly #port: StreamPort;
  /** The text so far; undefined once it lacks something of the tokens. */
  #said: string | undefined = "";
  #reply: string | undefined;
  #taken = 0;
  #generated = 0;
  #ended = false;
  #cancelled = false;
  #onAbort: (() => void) | undefined;

  constructor(id: number, request: EngineRequest, vocab: Vocab, port: StreamPort) {
    this.id = id;
    this.request = request;
    this.#vocab = vocab;
    this.#text = new TextStream(vocab, { stops: request.stops ?? [], special: request.special ?? false });
    this.#port = port;
    const { signal } = request;
    if (signal?.aborted) queueMicrotask(() => this.#abortedBySignal());
    else if (signal) {
      this.#onAbort = () => this.#abortedBySignal();
      signal.addEventListener("abort", this.#onAbort, { once: true });
    }
  }

  get tokens(): Int32Array {
    return this.#port.tokens();
  }
  get ended(): boolean {
    return this.#ended;
  }
  /** Tokens that the decoding side has reported. */
  get generatedLength(): number {
    return this.#generated;
  }

  /** The whole text, once it has ended; undefined where that is not all that the tokens say. */
  get reply(): string | undefined {
    return this.#reply;
  }

  // What the decoding side reports

  progress(computedLength: number, cachedLength: number, totalLength: number): void {
    this.#queue.push({ type: "progress", totalLength, cachedLength, computedLength });
  }

  promptToken(position: number, { token, logprob, top }: SampledToken): void {
    this.#queue.push({ type: "prompt-token", position, token, logprob, top });
  }

  token({ token, logprob, top }: SampledToken): void {
    // Tokens behind a stop string were computed before the decoding side heard of it.
    if (this.#ended || this.#text.stop !== undefined) return;
    this.#generated++;
    const ends = !this.request.ignoreEos && this.#vocab.isEndOfGeneration(token);
    const text = ends ? "" : this.#text.push(token);
    if (!ends && this.#vocab.isControl(token) && this.request.special !== true) this.#said = undefined;
    if (this.#said !== undefined) this.#said += text;
    this.#queue.push({ type: "token", token, text, ends, logprob, top });
    if (this.#text.stop !== undefined) this.#port.abort();
  }

  end(reason: EndReason, stats: RequestStats): void {
    const text = this.#text.flush();
    const { stop } = this.#text;
    // Bytes that are no text, or a stop string that cut a token in two, cannot be asked for again.
    const whole = this.#said === undefined || stop !== undefined ? undefined : this.#said + text;
    if (!this.#ended && !whole?.includes("\ufffd")) this.#reply = whole;
    const own: RequestStats = { ...stats, generatedLength: this.#generated };
    this.#finish({ type: "end", reason: stop === undefined ? reason : "stop", text, stop, stats: own });
  }

  fail(error: Error): void {
    // Whoever closed the engine wants no more of it.
    if (error instanceof DisposedError) this.#queue.clear();
    this.#finish({ type: "error", error });
  }

  // What the consumer does

  async next(): Promise<IteratorResult<EngineEvent, void>> {
    const taken = this.#queue.take();
    const event = taken instanceof Promise ? await taken : taken;
    if (!event) return { done: true, value: undefined };
    if (event.type === "token") this.#port.acknowledge(++this.#taken);
    return { done: false, value: event };
  }

  async return(): Promise<IteratorResult<EngineEvent, void>> {
    this.cancel();
    this.#queue.close();
    return { done: true, value: undefined };
  }

  cancel(): void {
    if (this.#ended || this.#cancelled) return;
    this.#cancelled = true;
    this.#port.abort();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #abortedBySignal(): void {
    if (this.#ended) return;
    this.cancel();
    this.#queue.clear();
    const { reason } = this.request.signal!;
    this.#finish({ type: "error", error: reason instanceof Error ? reason : new Error(String(reason)) });
  }

  #finish(event: EngineEvent): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#onAbort) this.request.signal?.removeEventListener("abort", this.#onAbort);
    this.#queue.push(event);
    this.#queue.close();
  }
}
