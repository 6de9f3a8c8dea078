import { loadLibrary, type Native } from "../../ffi/index.ts";
import { DisposedError, RequestError, WorkerCrashedError } from "../../lib/errors.ts";
import { Model } from "../model.ts";
import type { EngineSnapshot } from "./counters.ts";
import { DecodeThread, type LoadHooks } from "./decode-thread.ts";
import type { Engine, EngineRequest, EngineStream } from "./engine.ts";
import { type EngineOptions, type EngineSettings, engineSettings } from "./engine-options.ts";
import { OpenRequest } from "./open-request.ts";
import { Event, errorFromJson, fromJson, wordsToSampled, wordsToText } from "./protocol.ts";
import { RequestStream } from "./request-stream.ts";

/** An engine whose decoding side runs on a Worker, so that this thread never waits for a decode. */
export class WorkerEngine implements Engine {
  readonly #native: Native;
  readonly #settings: EngineSettings;
  readonly #requests = new Map<number, OpenRequest>();
  #freeSlots: number[];
  readonly #calls = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #thread: DecodeThread;
  #model: Model;
  #ids = 0;
  #callIds = 0;
  /** Set while a thread that died is being replaced. */
  #restarting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  readonly #onExit = () => this.#exit();

  private constructor(native: Native, settings: EngineSettings, thread: DecodeThread) {
    this.#native = native;
    this.#settings = settings;
    this.#thread = thread;
    this.#model = this.#borrow();
    this.#freeSlots = slots(settings.maxRequests);
    process.on("exit", this.#onExit);
    this.#listen();
  }

  /**
   * Starts the decoding side and loads a GGUF file there.
   * @throws ModelLoadError, ContextInitError with libllama's words; TypeError, RangeError naming the option;
   *   `options.signal.reason` when aborted.
   */
  static async load(path: string, options: EngineOptions = {}): Promise<WorkerEngine> {
    const settings = engineSettings(path, options);
    options.signal?.throwIfAborted();
    // The library is opened here first: several threads must not open it at once for the first time.
    const native = await loadLibrary(options);
    const hooks: LoadHooks = { onProgress: options.onProgress, signal: options.signal };
    const thread = await DecodeThread.start(settings.maxRequests, settings.thread, hooks);
    return new WorkerEngine(native, settings, thread);
  }

  get model(): Model {
    return this.#model;
  }
  get contextLength(): number {
    return this.#thread.info.contextLength;
  }
  get requestCount(): number {
    return this.#requests.size;
  }

  submit(request: EngineRequest): EngineStream {
    this.#assertOpen();
    const id = ++this.#ids;
    const slot = this.#restarting ? undefined : this.#freeSlots.pop();
    if (slot === undefined) return this.#refused(id, request);
    const open = new OpenRequest(id, request, {
      model: this.#model,
      thread: this.#thread,
      slot,
      window: this.#settings.thread.engine.window,
      contextLength: this.contextLength,
      adapters: this.#settings.thread.adapters,
      done: () => this.#done(open),
    });
    this.#requests.set(id, open);
    this.#thread.worker.ref();
    open.start();
    return open.stream;
  }

  snapshot(): Promise<EngineSnapshot> {
    return this.#call({ method: "snapshot" }) as Promise<EngineSnapshot>;
  }

  async clearCache(): Promise<void> {
    await this.#call({ method: "clearCache" });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Ends the decoding thread as a crash would; for tests of what follows. @internal */
  async crash(): Promise<void> {
    await this.#thread.worker.terminate();
  }

  async #close(): Promise<void> {
    process.off("exit", this.#onExit);
    await this.#restarting;
    this.#failAll(new DisposedError("Engine"));
    // This thread's view goes before the model itself.
    this.#model.dispose();
    this.#thread.worker.ref();
    this.#thread.close();
    await this.#thread.ended();
  }

  /** The process ends with the engine open: what a GPU holds must be freed all the same. */
  #exit(): void {
    this.#model.dispose();
    this.#thread.endSync(2000);
  }

  #refused(id: number, request: EngineRequest): RequestStream {
    const stream = new RequestStream(id, request, this.#model.vocab, {
      abort: () => {},
      acknowledge: () => {},
      tokens: () => new Int32Array(0),
    });
    const { maxRequests } = this.#settings;
    stream.fail(
      this.#restarting
        ? new WorkerCrashedError("the engine is starting again after a crash; try again in a moment")
        : new RequestError(
            `${maxRequests} requests are waiting or running already (maxRequests); try again later`,
          ),
    );
    return stream;
  }

  async #call(question: object): Promise<unknown> {
    this.#assertOpen();
    if (this.#restarting) {
      await this.#restarting;
      this.#assertOpen();
    }
    const id = ++this.#callIds;
    this.#thread.worker.ref();
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
      this.#thread.call(id, question);
    });
  }

  #done(open: OpenRequest): void {
    if (!this.#requests.delete(open.id)) return;
    this.#freeSlots.push(open.slot);
    this.#rest();
  }

  /** An engine without work does not keep the process alive. */
  #rest(): void {
    if (this.#requests.size === 0 && this.#calls.size === 0 && !this.#closing) this.#thread.worker.unref();
  }

  #failAll(error: Error): void {
    for (const open of [...this.#requests.values()]) open.fail(error);
    for (const call of this.#calls.values()) call.reject(error);
    this.#calls.clear();
  }

  #borrow(): Model {
    const { path, model } = this.#settings.thread;
    return Model.borrow(this.#native, { path, pointer: this.#thread.info.pointer }, model);
  }

  #listen(): void {
    const thread = this.#thread;
    thread.worker.unref();
    void thread.listen({
      heard: (record) => this.#heard(record),
      crashed: (error) => {
        if (!this.#closing) this.#restarting = this.#restart(error);
      },
    });
  }

  /** Fails what was running on a thread that died, and starts another one. */
  async #restart(cause: Error): Promise<void> {
    this.#failAll(
      new WorkerCrashedError(`the thread that owned the model died: ${cause.message}`, { cause }),
    );
    this.#model.dispose();
    const { maxRequests, thread } = this.#settings;
    try {
      this.#thread = await DecodeThread.start(maxRequests, thread);
      this.#model = this.#borrow();
      this.#freeSlots = slots(maxRequests);
      this.#restarting = undefined;
      this.#listen();
    } catch {
      // Requests go on being refused; closing still works.
    }
  }

  /** Hands what the decoding side reports to whom it concerns. */
  #heard(record: Int32Array): void {
    const [event, first = 0, second = 0, third = 0] = record;
    const open = this.#requests.get(first);
    switch (event) {
      case Event.token:
        open?.token(wordsToSampled(record.subarray(2)));
        break;
      case Event.progress:
        open?.progress(second, third);
        break;
      case Event.promptToken:
        open?.stream.promptToken(second, wordsToSampled(record.subarray(3)));
        break;
      case Event.logits:
        open?.sample();
        break;
      case Event.wantsRoom:
        open?.shift();
        break;
      case Event.end:
        open?.end(fromJson(wordsToText(record.subarray(2))));
        break;
      case Event.error:
        open?.fail(errorFromJson(wordsToText(record.subarray(2))));
        break;
      case Event.release:
        this.#thread.arena.give(first, second);
        break;
      case Event.answer:
      case Event.failure:
        this.#answered(first, event === Event.answer, wordsToText(record.subarray(2)));
        break;
    }
  }

  #answered(id: number, good: boolean, text: string): void {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (good) call?.resolve(fromJson(text));
    else call?.reject(errorFromJson(text));
    this.#rest();
  }

  #assertOpen(): void {
    if (this.#closing) throw new DisposedError("Engine");
  }
}

function slots(count: number): number[] {
  return Array.from({ length: count }, (_, index) => count - 1 - index);
}
