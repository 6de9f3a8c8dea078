import { DecodeError, RequestError } from "../../lib/errors.ts";
import type { TokenMemory } from "../../lib/token-memory.ts";
import type { ContextOptions } from "../context-options.ts";
import type { Model } from "../model.ts";
import { EmbeddingContext, embeddingLength } from "./embedding-context.ts";
import type { AdapterSets } from "./engine-context.ts";
import type { EngineSink, RequestSpec, RequestStats } from "./request.ts";

interface Entry {
  readonly spec: RequestSpec;
  readonly group: number;
  readonly arrival: number;
  readonly arrivedAt: number;
}

export interface EmbeddingParts {
  readonly model: Model;
  readonly options: Omit<ContextOptions, "contextLength">;
  /** Most tokens of a text; undefined for the model's own, within reason. */
  readonly contextLength: number | undefined;
  readonly memory: TokenMemory;
  readonly sink: EngineSink;
  readonly adapters: AdapterSets;
}

/** Requests for embeddings, computed several at once in a context of their own, which is made for the first of them. */
export class EmbeddingQueue {
  readonly #parts: EmbeddingParts;
  readonly #waiting = new Set<Entry>();
  #context: EmbeddingContext | undefined;
  #arrivals = 0;
  /** Milliseconds that a token takes. */
  #rate: number | undefined;
  /** Totals since the start. */
  readonly counters = { embeddings: 0, embeddedTokens: 0 };

  constructor(parts: EmbeddingParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Takes a request; whatever becomes of it is told to the sink. */
  submit(spec: RequestSpec): void {
    const { adapters, model, contextLength } = this.#parts;
    try {
      const group = adapters.number(spec.adapters);
      const most = embeddingLength(model, contextLength);
      if (spec.promptLength < 1) throw new RequestError("the input has no tokens", "input");
      if (spec.promptLength > most)
        throw new RequestError(
          `the input has ${spec.promptLength} tokens, at most ${most} can be embedded`,
          "input",
        );
      this.#waiting.add({ spec, group, arrival: this.#arrivals++, arrivedAt: performance.now() });
    } catch (error) {
      this.#release(spec);
      this.#parts.sink.error(spec.id, error);
    }
  }

  /**
   * Computes as many whole texts as fit the time, and at least one.
   * @param milliseconds what others can wait meanwhile.
   */
  step(milliseconds: number): void {
    this.#endAbandoned();
    if (this.#waiting.size === 0) return;
    let chosen: readonly Entry[] = [...this.#waiting];
    try {
      const { model, options, contextLength } = this.#parts;
      const most = embeddingLength(model, contextLength);
      this.#context ??= new EmbeddingContext(model, { ...options, contextLength: most });
      const context = this.#context;
      chosen = this.#choose(context, milliseconds);
      this.#parts.adapters.apply(context.context, chosen[0]!.group);
      this.#compute(context, chosen);
    } catch (error) {
      for (const entry of chosen) this.#end(entry, () => this.#parts.sink.error(entry.spec.id, error));
      if (!(error instanceof DecodeError)) return;
      this.#context?.dispose();
      this.#context = undefined;
    }
  }

  /** Ends all requests with an error, and frees the context. */
  dispose(reason: unknown): void {
    for (const entry of [...this.#waiting])
      this.#end(entry, () => this.#parts.sink.error(entry.spec.id, reason));
    this.#context?.dispose();
    this.#context = undefined;
  }

  #choose(context: EmbeddingContext, milliseconds: number): Entry[] {
    const [first, ...others] = [...this.#waiting].sort(
      (a, b) => (b.spec.priority ?? 0) - (a.spec.priority ?? 0) || a.arrival - b.arrival,
    ) as [Entry, ...Entry[]];
    const affordable = this.#rate === undefined ? 0 : Math.floor(milliseconds / this.#rate);
    let room = Math.min(context.batchSize, affordable) - first.spec.promptLength;
    const chosen = [first];
    for (const entry of others) {
      if (chosen.length === context.maxSequences) break;
      if (entry.group !== first.group || entry.spec.promptLength > room) continue;
      chosen.push(entry);
      room -= entry.spec.promptLength;
    }
    return chosen;
  }

  #compute(context: EmbeddingContext, chosen: readonly Entry[]): void {
    const { memory, sink } = this.#parts;
    const started = performance.now();
    const values = context.compute(chosen.map(({ spec }) => memory.view(spec.byteOffset, spec.promptLength)));
    const promptMs = performance.now() - started;
    const tokens = chosen.reduce((sum, { spec }) => sum + spec.promptLength, 0);
    const rate = promptMs / tokens;
    this.#rate = this.#rate === undefined ? rate : this.#rate + (rate - this.#rate) / 4;
    this.counters.embeddings += chosen.length;
    this.counters.embeddedTokens += tokens;
    for (const [index, entry] of chosen.entries()) {
      const { id, promptLength, embeddingOffset = 0 } = entry.spec;
      new Float32Array(memory.memory.buffer, embeddingOffset, values[index]!.length).set(values[index]!);
      const stats: RequestStats = {
        promptLength,
        cachedLength: 0,
        computedLength: promptLength,
        generatedLength: 0,
        queueMs: started - entry.arrivedAt,
        promptMs,
        predictedMs: 0,
        preemptions: 0,
        embedding: { length: values[index]!.length, pooling: context.context.pooling },
      };
      this.#end(entry, () => sink.end(id, "stop", stats));
    }
  }

  #endAbandoned(): void {
    const { sink } = this.#parts;
    const now = performance.now();
    for (const entry of [...this.#waiting]) {
      const { id, timeoutMs } = entry.spec;
      if (sink.isAborted(id))
        this.#end(entry, () => sink.error(id, new RequestError("the request was given up")));
      else if (timeoutMs !== undefined && now - entry.arrivedAt > timeoutMs) {
        const error = new RequestError(`the request took longer than ${timeoutMs} ms`, "timeout");
        this.#end(entry, () => sink.error(id, error));
      }
    }
  }

  #end(entry: Entry, tell: () => void): void {
    this.#waiting.delete(entry);
    this.#release(entry.spec);
    tell();
  }

  /** Its tokens are needed no longer. */
  #release({ byteOffset, capacity }: RequestSpec): void {
    this.#parts.sink.release(byteOffset, Math.ceil((4 * capacity) / 64) * 64);
  }
}
