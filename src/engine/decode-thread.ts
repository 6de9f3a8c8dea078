import type { Worker } from "node:worker_threads";
import { ModelLoadError, WorkerCrashedError } from "../../lib/errors.ts";
import { RingReader, RingWriter, ringBytes } from "../../lib/ring-buffer.ts";
import { TokenArena } from "../../lib/token-arena.ts";
import { reserveHostMemory } from "../cache/host-memory.ts";
import type { ModelOptions } from "../model-options.ts";
import { parkWorker, takeWorker, type WorkerOrder } from "./decode-workers.ts";
import {
  abortWord,
  bell,
  bitsToFloat,
  Command,
  controlBytes,
  Event,
  errorFromJson,
  fromJson,
  slotAborted,
  slotAcknowledged,
  slotIndex,
  soleRequest,
  toJson,
  wordsToText,
} from "./protocol.ts";
import type { RequestSpec } from "./request.ts";
import type { StoreWorkerData } from "./store-loop.ts";
import { storeRingWords } from "./store-protocol.ts";
import { StoreThread } from "./store-thread.ts";
import type { DecodeWorkerData, ReadyInfo } from "./worker-data.ts";

const commandWords = 2 ** 12;
const eventWords = 2 ** 16;
/** Bytes of host memory that blocks need on their way to a disk and back. */
export const leastStaging = 2 ** 26;

/** What the decoding side is started with, but for the memory shared with it. */
export type ThreadOptions = Omit<
  DecodeWorkerData,
  "memory" | "commands" | "events" | "control" | "host" | "store"
> & {
  /** Most bytes of prefixes that leave the context. */
  readonly hostBytes: number;
  /** Folder of prefixes that outlive the engine, and most bytes of it. */
  readonly disk: { readonly folder: string; readonly bytes: number } | undefined;
  /** Release of llama.cpp. */
  readonly library: string;
};

export interface LoadHooks {
  readonly onProgress?: ModelOptions["onProgress"];
  readonly signal?: AbortSignal | undefined;
}

export interface ThreadListener {
  /** Is given each record; borrowed for the call. */
  heard(record: Int32Array): void;
  /** The thread died; nothing more comes. */
  crashed(error: Error): void;
}

/** The calling side's end of the line to the decoding side, and the thread that it runs on. */
export class DecodeThread {
  readonly worker: Worker;
  readonly arena = new TokenArena();
  readonly #commands: RingWriter;
  readonly #events: RingReader;
  readonly #control: Int32Array;
  #info: ReadyInfo | undefined;
  #closed = false;
  #death: Error | undefined;
  #wake: (() => void) | undefined;
  /** Whether it reported a fault that it does not go on from. */
  #faulty = false;
  readonly #storeData: StoreWorkerData | undefined;
  #store: StoreThread | undefined;
  /** Resolves when the thread has freed everything, or died. */
  readonly exited: Promise<void>;
  #resolveExited!: () => void;

  private constructor(slots: number, options: ThreadOptions) {
    const shared = (bytes: number) => new SharedArrayBuffer(bytes);
    const [commands, events] = [shared(ringBytes(commandWords)), shared(ringBytes(eventWords))];
    const control = shared(controlBytes(slots));
    this.#commands = new RingWriter(commands);
    this.#events = new RingReader(events);
    this.#control = new Int32Array(control);
    this.worker = takeWorker();
    this.exited = new Promise((resolve) => {
      this.#resolveExited = resolve;
      const died = (error: Error) => {
        this.#death ??= error;
        resolve();
        this.#wake?.();
      };
      this.worker.once("error", died);
      this.worker.once("exit", (code) => died(new Error(`the thread ended with code ${code}`)));
    });
    const { memory } = this.arena;
    const { hostBytes, disk, library, ...rest } = options;
    const bytes = disk ? Math.max(hostBytes, leastStaging) : hostBytes;
    const host = bytes > 0 ? { memories: reserveHostMemory(bytes), bytes } : undefined;
    const ring = () => shared(ringBytes(storeRingWords));
    const store = host && disk ? { commands: ring(), events: ring() } : undefined;
    this.worker.postMessage({
      ...rest,
      memory,
      commands,
      events,
      control,
      host,
      store,
    } satisfies WorkerOrder);
    if (!host || !disk || !store) return;
    const { path, model, adapters, engine } = options;
    this.#storeData = {
      folder: disk.folder,
      bytes: disk.bytes,
      path,
      splits: model.splits,
      namespace: {
        adapters: adapters.map((adapter) => adapter.path),
        options: { ...model, ...engine.context },
        library,
      },
      memories: host.memories,
      control,
      ...store,
    };
  }

  /** Starts the thread and loads the model there. @throws what the loading threw there, `signal.reason`. */
  static async start(slots: number, options: ThreadOptions, hooks: LoadHooks = {}): Promise<DecodeThread> {
    const thread = new DecodeThread(slots, options);
    const stop = () => thread.close();
    hooks.signal?.addEventListener("abort", stop, { once: true });
    let failure: Error | undefined;
    let stopped: { readonly error: unknown } | undefined;
    try {
      while (!thread.#info && !thread.#closed && !thread.#death) {
        for (let record = thread.#next(); record; record = thread.#next()) {
          if (record[0] === Event.ready) thread.#info = fromJson(wordsToText(record.subarray(1)));
          else if (record[0] === Event.fatal) failure = errorFromJson(wordsToText(record.subarray(1)));
          else if (record[0] === Event.loading && !stopped) {
            try {
              if (hooks.onProgress?.(bitsToFloat(record[1]!)) === false) {
                // A small model may be loaded before the answer gets there.
                stopped = { error: new ModelLoadError(`loading ${options.path} was stopped by onProgress`) };
                stop();
              }
            } catch (error) {
              stopped = { error };
              stop();
            }
          }
        }
        if (!thread.#info && !thread.#closed) await thread.#wait();
      }
    } finally {
      hooks.signal?.removeEventListener("abort", stop);
    }
    if (thread.#info && !hooks.signal?.aborted && !stopped) {
      // Reading the model's file for its digest must not delay the loading.
      if (thread.#storeData) thread.#store = new StoreThread(thread.#storeData);
      return thread;
    }
    await thread.ended();
    if (stopped) throw stopped.error;
    hooks.signal?.throwIfAborted();
    throw failure ?? new WorkerCrashedError("the thread that loads the model died", { cause: thread.#death });
  }

  /** What was loaded. */
  get info(): ReadyInfo {
    return this.#info!;
  }

  /** Hands over each record that the decoding side writes, until it has ended. */
  async listen(listener: ThreadListener): Promise<void> {
    while (!this.#closed) {
      for (let record = this.#next(); record && !this.#closed; record = this.#next()) {
        if (record[0] === Event.fatal) this.#death = errorFromJson(wordsToText(record.subarray(1)));
        else listener.heard(record);
      }
      if (this.#death) {
        this.#closed = true;
        listener.crashed(this.#death);
        return;
      }
      if (this.#closed) return;
      // What found no room in one of the rings may find it now.
      this.#ring();
      await this.#wait();
    }
  }

  /** Resolves when the thread has freed everything and ended. */
  async ended(): Promise<void> {
    while (!this.#closed && !this.#death) {
      while (this.#next());
      if (!this.#closed) await this.#wait();
    }
  }

  submit(spec: RequestSpec, slot: number): void {
    const index = slotIndex(slot);
    this.#control[index + slotAborted] = 0;
    this.#control[index + slotAcknowledged] = 0;
    this.#send([Command.submit, slot, ...this.#place(toJson(spec))]);
  }

  resume(id: number, count: number): void {
    this.#send([Command.resume, id, count]);
  }

  move(
    id: number,
    { byteOffset, capacity, length }: { byteOffset: number; capacity: number; length: number },
  ): void {
    this.#send([Command.move, id, byteOffset, capacity, length]);
  }

  call(call: number, question: object): void {
    this.#send([Command.call, call, ...this.#place(toJson(question))]);
  }

  close(): void {
    this.#send([Command.close]);
  }

  /** Gives up the request of a slot; where the running decode is for it alone, that is aborted. */
  abort(slot: number, id: number): void {
    Atomics.store(this.#control, slotIndex(slot) + slotAborted, 1);
    if (Atomics.load(this.#control, soleRequest) === id) Atomics.store(this.#control, abortWord, 1);
    this.#ring();
  }

  /** @param window what a request may be ahead by: whoever was that far ahead has stopped, and must be woken. */
  acknowledge(slot: number, taken: number, { ahead, window }: { ahead: number; window: number }): void {
    Atomics.store(this.#control, slotIndex(slot) + slotAcknowledged, taken);
    if (ahead >= window - 1) this.#ring();
  }

  /** Resolves when what was computed is written to disk, where it is; the thread must have ended. */
  async endStore(): Promise<void> {
    if (this.#closed && !this.#death) await this.#store?.ended();
    else await this.#store?.terminate();
  }

  /** Waits for the thread to free everything, without an event loop; for the end of the process. */
  endSync(milliseconds: number): void {
    this.close();
    const { words, index } = this.#events.signal;
    const until = performance.now() + milliseconds;
    while (!this.#closed && performance.now() < until) {
      while (this.#next());
      if (!this.#closed) Atomics.wait(words, index, this.#events.position, until - performance.now());
    }
  }

  /** The next record, borrowed until the next call. */
  #next(): Int32Array | undefined {
    const record = this.#events.next();
    if (record?.[0] === Event.fatal) this.#faulty = true;
    if (record?.[0] === Event.closed) {
      this.#closed = true;
      // A thread with a fault ends by itself.
      if (!this.#faulty) {
        parkWorker(this.worker);
        this.#resolveExited();
      }
    }
    return record;
  }

  /** Resolves when there are records beyond the last one read, or the thread has died. */
  async #wait(): Promise<void> {
    const { words, index } = this.#events.signal;
    if (this.#events.hasNext) return;
    const waiting = Atomics.waitAsync(words, index, this.#events.position);
    if (!waiting.async) return;
    // Not a race with `exited`, which would keep something of every wait for as long as the thread lives.
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      waiting.value.then(() => resolve());
    });
  }

  #send(record: readonly number[]): void {
    this.#commands.write(record);
    this.#ring();
  }

  #ring(): void {
    this.#commands.publish();
    Atomics.add(this.#control, bell, 1);
    Atomics.notify(this.#control, bell);
  }

  /** Puts text where the decoding side can read it; that side gives the place back. */
  #place(text: string): [byteOffset: number, byteLength: number] {
    const bytes = new TextEncoder().encode(text);
    const place = this.arena.allocateBytes(bytes.length);
    place.view.set(bytes);
    return [place.byteOffset, bytes.length];
  }
}
