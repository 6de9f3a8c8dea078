import { BusyError } from "../../lib/errors.ts";
import type {
  EmbeddingRequest,
  Engine,
  EngineEmbedding,
  EngineEvent,
  EngineRequest,
  EngineStream,
} from "../engine/engine.ts";
import type { Metrics } from "./metrics.ts";
import type { Slots, SlotWork } from "./slots.ts";

export interface Observers {
  readonly slots: Slots;
  readonly metrics: Metrics;
  /** Requests that wait or run; more are refused. */
  readonly maxRequests: number;
}

/** What a request of the server is, beside what the engine knows of it. */
export interface RequestNote {
  readonly kind: SlotWork["kind"];
  readonly params: Readonly<Record<string, unknown>>;
  readonly slot: number | undefined;
}

/** An engine as one request of the server uses it: slots and metrics learn of what it does. */
export class ObservedEngine
  implements Pick<Engine, "model" | "contextLength" | "generates" | "submit" | "embed">
{
  readonly #engine: Engine;
  readonly #observers: Observers;
  readonly #note: RequestNote;
  /** Slot of the request submitted last; -1 where none was free. */
  slot = -1;

  constructor(engine: Engine, observers: Observers, note: RequestNote) {
    this.#engine = engine;
    this.#observers = observers;
    this.#note = note;
  }

  get model() {
    return this.#engine.model;
  }
  get contextLength() {
    return this.#engine.contextLength;
  }
  get generates() {
    return this.#engine.generates;
  }

  /** @throws BusyError where too many requests wait */
  submit(request: EngineRequest): EngineStream {
    this.#checkQueue();
    const { slots, metrics } = this.#observers;
    const { kind, params, slot: wanted } = this.#note;
    const stream = this.#engine.submit(request);
    const work: SlotWork = { kind, params, generated: 0, tokens: () => stream.tokens };
    const slot = slots.enter(work, wanted);
    this.slot = slot;
    return new ObservedStream(stream, (event) => {
      if (event?.type === "token") work.generated++;
      if (event?.type === "end") metrics.generated(event.stats);
      if (!event || event.type === "end" || event.type === "error") slots.leave(slot, work, request);
    });
  }

  /** @throws BusyError where too many requests wait */
  embed(request: EmbeddingRequest): Promise<EngineEmbedding> {
    this.#checkQueue();
    return this.#engine.embed(request);
  }

  #checkQueue(): void {
    const { maxRequests } = this.#observers;
    if (this.#engine.requestCount >= maxRequests)
      throw new BusyError(`${maxRequests} requests are waiting or running already; try again later`);
  }
}

class ObservedStream implements EngineStream {
  readonly #stream: EngineStream;
  /** Is given each event, and nothing where the reader leaves. */
  readonly #saw: (event: EngineEvent | undefined) => void;

  constructor(stream: EngineStream, saw: (event: EngineEvent | undefined) => void) {
    this.#stream = stream;
    this.#saw = saw;
  }

  get id() {
    return this.#stream.id;
  }
  get tokens() {
    return this.#stream.tokens;
  }

  cancel(): void {
    this.#stream.cancel();
  }

  async next(): Promise<IteratorResult<EngineEvent, void>> {
    const step = await this.#stream.next();
    this.#saw(step.value ?? undefined);
    return step;
  }

  async return(): Promise<IteratorResult<EngineEvent, void>> {
    this.#saw(undefined);
    await this.#stream.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
