import type { RingReader, RingWriter } from "../../lib/ring-buffer.ts";
import type { TokenMemory } from "../../lib/token-memory.ts";
import type { LoraAdapter } from "../adapter.ts";
import { Grammar } from "../grammar.ts";
import { Model } from "../model.ts";
import { type Call, runCall } from "./calls.ts";
import { EngineCore } from "./core.ts";
import { resolveLayout } from "./engine-context.ts";
import { abortWord, bell, Command, fromJson } from "./protocol.ts";
import type { RequestSpec } from "./request.ts";
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
  /** Hands shared memory to the calling side, for answers that are too large for a record. */
  readonly post: (message: { call: number; bytes: SharedArrayBuffer }) => void;
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
  #closing = false;

  constructor(parts: DecodeLoopParts) {
    this.#parts = parts;
    this.#control = new Int32Array(parts.data.control);
  }

  async run(): Promise<void> {
    try {
      await this.#load();
      this.#loop();
      this.#core?.dispose(new Error("the engine was closed"));
    } catch (error) {
      this.#parts.sink.fatal(error);
      this.#core?.dispose(error);
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
    for (const { path } of data.adapters) this.#adapters.push(model.loadAdapter(path));
    const { gapMs, window, checkIntegrity } = data.engine;
    const abortFlag = new Uint8Array(data.control, 4 * abortWord, 4);
    const options = {
      ...resolveLayout(model, data.engine),
      gapMs,
      window,
      checkIntegrity,
      adapters: this.#adapters,
      abortFlag,
    };
    this.#core = new EngineCore(model, options, memory, sink);
    const info: ReadyInfo = {
      pointer: model.pointer,
      contextLength: this.#core.layout.sequenceLength,
      batchSize: this.#core.context.batchSize,
    };
    sink.ready(info);
    this.#publish();
  }

  #loop(): void {
    while (!this.#closing) {
      const seen = Atomics.load(this.#control, bell);
      this.#takeCommands();
      const result = this.#closing ? "idle" : this.#core!.step();
      this.#publish();
      if (result === "worked" || this.#closing) continue;
      // Records that found no room go out when the reader has made some; it rings then.
      const timeout = result === "waiting" || this.#parts.events.backlog > 0 ? patience : undefined;
      Atomics.wait(this.#control, bell, seen, timeout);
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
        this.#core!.submit(revive(spec));
        break;
      }
      case Command.resume:
        this.#core!.resume(first, second);
        break;
      case Command.move:
        this.#core!.move(first, { byteOffset: second, capacity: third, length: fourth });
        break;
      case Command.call:
        runCall(this.#core!, this.#parts, first, fromJson<Call>(this.#text(second, third)));
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

/** A grammar travels as its source, and is compiled where it is used. */
function revive(spec: RequestSpec): RequestSpec {
  const { grammar } = spec.sampling;
  if (typeof grammar !== "object" || grammar === null) return spec;
  return { ...spec, sampling: { ...spec.sampling, grammar: Grammar.parse(grammar.source, grammar) } };
}
