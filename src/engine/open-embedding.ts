import { ContextOverflowError, RequestError } from "../../lib/errors.ts";
import type { EmbeddingRequest, EngineEmbedding } from "./engine.ts";
import type { RequestParts } from "./open-request.ts";
import type { WrittenPrompt } from "./prompt-writer.ts";
import type { RequestStats } from "./request.ts";

/** A request for an embedding on the calling side. */
export class OpenEmbedding {
  readonly id: number;
  readonly slot: number;
  readonly result: Promise<EngineEmbedding>;
  readonly #request: EmbeddingRequest;
  readonly #parts: RequestParts;
  #settle!: { resolve(value: EngineEmbedding): void; reject(error: unknown): void };
  #room: { readonly byteOffset: number; release(): void } | undefined;
  #given = false;
  #done = false;
  readonly #onAbort = () => this.#abort();

  constructor(id: number, request: EmbeddingRequest, parts: RequestParts) {
    this.id = id;
    this.slot = parts.slot;
    this.#request = request;
    this.#parts = parts;
    this.result = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  /** Writes the text into the token memory and hands the request over. */
  async start(): Promise<void> {
    const { input, addSpecial, parseSpecial, signal } = this.#request;
    try {
      signal?.throwIfAborted();
      signal?.addEventListener("abort", this.#onAbort, { once: true });
      const request = { prompt: input, addSpecial, parseSpecial, maxTokens: 0 };
      const written = await this.#parts.writer.write(request);
      if (this.#done) this.#parts.thread.arena.give(written.byteOffset, bytesOf(written));
      else this.#submit(written);
    } catch (error) {
      this.fail(error instanceof ContextOverflowError ? tooLong(error) : error);
    }
  }

  end({ stats }: { stats: RequestStats }): void {
    const { buffer } = this.#parts.thread.arena.memory;
    const { length, pooling } = stats.embedding!;
    const values = new Float32Array(buffer, this.#room!.byteOffset, length).slice();
    this.#settle.resolve({ values, pooling, tokenCount: stats.promptLength });
    this.#finish();
  }

  fail(error: unknown): void {
    const { signal } = this.#request;
    this.#settle.reject(signal?.aborted ? signal.reason : error);
    this.#finish();
  }

  #submit({ byteOffset, capacity, promptLength }: WrittenPrompt): void {
    const { thread, model, defaultAdapters } = this.#parts;
    const { adapters = defaultAdapters, priority, timeoutMs } = this.#request;
    const { outputEmbeddingLength, classifierOutputCount } = model;
    this.#room = thread.arena.allocateBytes(4 * Math.max(outputEmbeddingLength, classifierOutputCount));
    this.#given = true;
    const embeddingOffset = this.#room.byteOffset;
    const place = { id: this.id, byteOffset, capacity, promptLength };
    thread.submit({ ...place, adapters, priority, timeoutMs, embeddingOffset, sampling: {} }, this.slot);
  }

  #abort(): void {
    // What the decoding side was given it ends itself; whoever waits need not wait for that.
    this.#settle.reject(this.#request.signal?.reason);
    if (this.#given) this.#parts.thread.abort(this.slot, this.id);
    else this.#finish();
  }

  #finish(): void {
    if (this.#done) return;
    this.#done = true;
    this.#request.signal?.removeEventListener("abort", this.#onAbort);
    this.#room?.release();
    this.#parts.done();
  }
}

function tooLong({ promptLength, contextLength }: ContextOverflowError): RequestError {
  return new RequestError(
    `the input has ${promptLength} tokens, at most ${contextLength} can be embedded`,
    "input",
  );
}

function bytesOf({ capacity }: WrittenPrompt): number {
  return Math.ceil((4 * capacity) / 64) * 64;
}
