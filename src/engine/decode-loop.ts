import { compareNatively } from "../../ffi/index.ts";
import { RingReader, RingWriter } from "../../lib/ring-buffer.ts";
import type { TokenMemory } from "../../lib/token-memory.ts";
import type { LoraAdapter } from "../adapter.ts";
import { HostMemory } from "../cache/host-memory.ts";
import { HostTier } from "../cache/host-tier.ts";
import { Grammar } from "../grammar.ts";
import { Model } from "../model.ts";
import { type Call, Calls } from "./calls.ts";
import { EngineCore, type StepResult } from "./core.ts";
import { EmbeddingQueue } from "./embedding-queue.ts";
import { resolveLayout } from "./engine-context.ts";
import { abortWord, bell, Command, fromJson } from "./protocol.ts";
import type { RequestSpec } from "./request.ts";
import { settleFlashAttention } from "./settle-flash-attention.ts";
import { StorePort } from "./store-port.ts";
import { Tidier } from "./tidier.ts";
import type { DecodeWorkerData, ReadyInfo } from "./worker-data.ts";
import type { WorkerSink } from "./worker-sink.ts";

/** Milliseconds after which an engine that waits for its consumers looks at timeouts. */
const patience = 50;

export interface DecodeLoopParts {
  readonly data: DecodeWorkerData;
  readonly sink: WorkerSink;
  readonly events: RingWriter;
  readonly commands: RingReader;
  readonly memory: TokenMemory;
}

/**
 * Loads the model, then takes commands and computes steps until it is told to close. Between steps it sleeps on the bell
 * of the control block, so that this thread's event loop never runs.
 */
export class DecodeLoop {
  readonly #parts: DecodeLoopParts;
  readonly #adapters: LoraAdapter[] = [];
  readonly #control: Int32Array;
  #model: Model | undefined;
  #core: EngineCore | undefined;
  #embeddings: EmbeddingQueue | undefined;
  #calls: Calls | undefined;
  #store: StorePort | undefined;
  /** Whether the step before was one of embeddings: they take turns with generation. */
  #embeddedLast = false;
  #closing = false;

  constructor(parts: DecodeLoopParts) {
    this.#parts = parts;
    this.#control = new Int32Array(parts.data.control);
  }

  /** @returns whether it was told to close, and had no fault before */
  async run(): Promise<boolean> {
    try {
      await this.#load();
      this.#loop();
      this.#core?.flush();
      this.#dispose(new Error("the engine was closed"));
      return true;
    } catch (error) {
      this.#parts.sink.fatal(error);
      this.#publish();
      this.#dispose(error);
      // The calling side may be using the model at this moment; it says when it has let go.
      if (this.#calls) this.#awaitClose();
      return false;
    } finally {
      for (const adapter of this.#adapters) adapter.dispose();
      this.#model?.dispose();
      this.#parts.sink.closed();
      this.#publish();
    }
  }

  async #load(): Promise<void> {
    const { data, sink, memory } = this.#parts;
    const model = await Model.load(data.path, {
      ...data.model,
      onProgress: (fraction) => {
        sink.loading(fraction);
        this.#publish();
        this.#takeCommands();
        return !this.#closing;
      },
    });
    this.#model = model;
    compareNatively(memory, model.native.backend);
    for (const { path } of data.adapters) this.#adapters.push(model.loadAdapter(path));
    const { gapMs, window, narrowing, checkIntegrity } = data.engine;
    const abortFlag = new Uint8Array(data.control, 4 * abortWord, 4);
    const flashAttention = settleFlashAttention(model, data.engine.context);
    const context = { ...data.engine.context, flashAttention };
    const host = data.host && new HostTier(new HostMemory(data.host.memories, data.host.bytes));
    if (host && data.store) this.#store = storePort(host, data.store);
    // Embeddings have a context of their own: here a step outputs only the tokens that are sampled from.
    const generation = { ...context, embeddings: false, pooling: "none" } as const;
    const options = {
      ...resolveLayout(model, { ...data.engine, context: generation }),
      gapMs,
      window,
      narrowing,
      checkIntegrity,
      adapters: this.#adapters,
      abortFlag,
      host,
      store: this.#store,
    };
    const core = new EngineCore(model, options, memory, sink);
    this.#core = core;
    const embeddings = new EmbeddingQueue({
      model,
      memory,
      sink,
      adapters: core.adapters,
      contextLength: data.engine.contextLength,
      options: context,
    });
    this.#embeddings = embeddings;
    this.#calls = new Calls({ core, embeddings, memory, sink, host });
    const info: ReadyInfo = {
      pointer: model.pointer,
      contextLength: this.#core.layout.sequenceLength,
      batchSize: this.#core.context.batchSize,
      generates: this.#core.context.hasMemory,
    };
    sink.ready(info);
    this.#publish();
  }

  #loop(): void {
    const tidier = Tidier.for(this.#model!.native.libc);
    while (!this.#closing) {
      const seen = Atomics.load(this.#control, bell);
      this.#takeCommands();
      this.#store?.take();
      const result = this.#closing ? "idle" : this.#step();
      this.#publish();
      tidier.turned();
      if (result === "worked" || this.#closing) continue;
      // Records that found no room go out when the reader has made some; it rings then.
      const unsettled = result === "waiting" || this.#parts.events.backlog > 0;
      const woken = Atomics.wait(this.#control, bell, seen, unsettled ? patience : tidier.restMs);
      if (woken === "timed-out" && !unsettled) tidier.rested();
    }
  }

  /** One step of generation, or of embeddings where there are any and it is their turn. */
  #step(): StepResult {
    const [core, embeddings] = [this.#core!, this.#embeddings!];
    if (embeddings.size > 0 && !this.#embeddedLast) {
      this.#embeddedLast = true;
      embeddings.step(this.#parts.data.engine.gapMs);
      return "worked";
    }
    this.#embeddedLast = false;
    const result = core.step();
    return embeddings.size > 0 ? "worked" : result;
  }

  #dispose(reason: unknown): void {
    this.#core?.dispose(reason);
    this.#embeddings?.dispose(reason);
    this.#store?.close();
  }

  #awaitClose(): void {
    const { commands } = this.#parts;
    while (!this.#closing) {
      const seen = Atomics.load(this.#control, bell);
      for (let record = commands.next(); record; record = commands.next())
        if (record[0] === Command.close) this.#closing = true;
      if (!this.#closing) Atomics.wait(this.#control, bell, seen);
    }
  }

  #publish(): void {
    const { events } = this.#parts;
    if (events.publish()) events.notify();
  }

  #takeCommands(): void {
    const { commands } = this.#parts;
    for (let record = commands.next(); record; record = commands.next()) this.#obey(record);
  }

  #obey(record: Int32Array): void {
    const { sink } = this.#parts;
    const [command, first = 0, second = 0, third = 0, fourth = 0] = record;
    switch (command) {
      case Command.submit: {
        const spec = fromJson<RequestSpec>(this.#text(second, third));
        sink.started(spec.id, first);
        if (spec.embeddingOffset === undefined) this.#core!.submit(revive(spec));
        else this.#embeddings!.submit(spec);
        break;
      }
      case Command.resume:
        this.#core!.resume(first, second);
        break;
      case Command.move:
        this.#core!.move(first, { byteOffset: second, capacity: third, length: fourth });
        break;
      case Command.call:
        this.#calls!.answer(first, fromJson<Call>(this.#text(second, third)));
        break;
      case Command.close:
        this.#closing = true;
        break;
    }
  }

  /** Text that the calling side put into the token memory; its place is given back. */
  #text(byteOffset: number, byteLength: number): string {
    const bytes = new Uint8Array(this.#parts.memory.memory.buffer, byteOffset, byteLength).slice();
    this.#parts.sink.release(byteOffset, Math.max(64, Math.ceil(byteLength / 64) * 64));
    return new TextDecoder().decode(bytes);
  }
}

function storePort(host: HostTier, { commands, events }: NonNullable<DecodeWorkerData["store"]>): StorePort {
  return new StorePort(host, { commands: new RingWriter(commands), events: new RingReader(events) });
}

/** A grammar travels as its source, and is compiled where it is used. */
function revive(spec: RequestSpec): RequestSpec {
  const { grammar } = spec.sampling;
  if (typeof grammar !== "object" || grammar === null) return spec;
  return { ...spec, sampling: { ...spec.sampling, grammar: Grammar.of(grammar.source, grammar) } };
}
