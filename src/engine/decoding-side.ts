import type { Native } from "../../ffi/index.ts";
import { Model } from "../model.ts";
import type { TokenizeOptions } from "../vocab.ts";
import type { Call } from "./calls.ts";
import { DecodeThread, type LoadHooks } from "./decode-thread.ts";
import type { EngineSettings } from "./engine-options.ts";
import type { OpenEmbedding } from "./open-embedding.ts";
import type { OpenRequest, RequestParts } from "./open-request.ts";
import { PromptWriter } from "./prompt-writer.ts";
import { Event, errorFromJson, fromJson, wordsToSampled, wordsToText } from "./protocol.ts";
import type { AdapterScale } from "./request.ts";
import { TextThread } from "./text-thread.ts";

type Open = OpenRequest | OpenEmbedding;

interface Asked {
  resolve(value: unknown): void;
  reject(error: Error): void;
  /** What the decoding side reads meanwhile. */
  readonly keep: unknown;
}

/** One decoding thread as the calling side knows it, with all that ends when it does. */
export class DecodingSide {
  readonly thread: DecodeThread;
  readonly model: Model;
  readonly #writer: PromptWriter;
  readonly #settings: EngineSettings;
  readonly #requests = new Map<number, Open>();
  readonly #calls = new Map<number, Asked>();
  readonly #freeSlots: number[];
  #callIds = 0;
  #closing = false;

  private constructor(native: Native, settings: EngineSettings, thread: DecodeThread) {
    const { path, model: options } = settings.thread;
    this.#settings = settings;
    this.thread = thread;
    const { pointer, contextLength } = thread.info;
    this.model = Model.borrow(native, { path, pointer }, options);
    this.#writer = new PromptWriter({
      arena: thread.arena,
      vocab: this.model.vocab,
      contextLength,
      startThread: () => new TextThread({ path, pointer, model: options }),
    });
    this.#freeSlots = Array.from(
      { length: settings.maxRequests },
      (_, index) => settings.maxRequests - 1 - index,
    );
  }

  /** @throws what loading threw there; `signal.reason` */
  static async start(native: Native, settings: EngineSettings, hooks: LoadHooks = {}): Promise<DecodingSide> {
    const thread = await DecodeThread.start(
      settings.maxRequests,
      { ...settings.thread, library: native.version },
      hooks,
    );
    return new DecodingSide(native, settings, thread);
  }

  get requestCount(): number {
    return this.#requests.size;
  }
  get hasSlot(): boolean {
    return this.#freeSlots.length > 0;
  }
  /** For requests that name none. */
  get defaultAdapters(): readonly AdapterScale[] {
    return this.#settings.thread.adapters.map(({ scale = 1 }, id) => ({ id, scale }));
  }

  /** Hears what the decoding side reports until it has ended. @param crashed called where it dies unasked. */
  listen(crashed: (error: Error) => void): void {
    this.thread.worker.unref();
    void this.thread.listen({
      heard: (record) => this.#heard(record),
      crashed: (error) => {
        if (!this.#closing) crashed(error);
      },
    });
  }

  /** Gives a new request a slot; there must be one. */
  open<T extends Open>(id: number, make: (parts: RequestParts) => T): T {
    const slot = this.#freeSlots.pop()!;
    const open = make({
      model: this.model,
      thread: this.thread,
      writer: this.#writer,
      slot,
      window: this.#settings.thread.engine.window,
      contextLength: this.thread.info.contextLength,
      defaultAdapters: this.defaultAdapters,
      done: () => {
        if (!this.#requests.delete(id)) return;
        this.#freeSlots.push(slot);
        this.#rest();
      },
    });
    this.#requests.set(id, open);
    this.thread.worker.ref();
    return open;
  }

  tokenize(text: string, options?: TokenizeOptions): Promise<Int32Array> {
    return this.#writer.tokenize(text, options);
  }

  /** Asks what is answered between two steps. @param keep what the decoding side reads meanwhile. */
  ask(question: Call, keep?: unknown): Promise<unknown> {
    const id = ++this.#callIds;
    this.thread.worker.ref();
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject, keep });
      this.thread.call(id, question);
    });
  }

  failAll(error: Error): void {
    for (const open of [...this.#requests.values()]) open.fail(error);
    for (const call of this.#calls.values()) call.reject(error);
    this.#calls.clear();
  }

  /** Lets go of the model, ends the thread, and resolves when everything is freed. */
  async close(): Promise<void> {
    this.#closing = true;
    this.thread.worker.ref();
    // The views of this thread and of the one that tokenises go before the model itself.
    this.model.dispose();
    await this.#writer.close();
    this.thread.close();
    await this.thread.exited;
    await this.thread.endStore();
  }

  /** The same at the end of the process, where nothing can be awaited. */
  closeSync(milliseconds: number): void {
    this.model.dispose();
    // A model must not be freed under whoever uses it; the system takes the memory back all the same.
    if (!this.#writer.busy) this.thread.endSync(milliseconds);
  }

  /** An engine without work does not keep the process alive. */
  #rest(): void {
    if (this.#requests.size === 0 && this.#calls.size === 0 && !this.#closing) this.thread.worker.unref();
  }

  /** Hands what the decoding side reports to whom it concerns. */
  #heard(record: Int32Array): void {
    const [event, first = 0, second = 0, third = 0] = record;
    const open = this.#requests.get(first);
    const request = open && "stream" in open ? open : undefined;
    switch (event) {
      case Event.token:
        request?.token(wordsToSampled(record.subarray(2)));
        break;
      case Event.progress:
        request?.progress(second, third);
        break;
      case Event.promptToken:
        request?.stream.promptToken(second, wordsToSampled(record.subarray(3)));
        break;
      case Event.logits:
        request?.sample();
        break;
      case Event.wantsRoom:
        request?.shift();
        break;
      case Event.end:
        open?.end(fromJson(wordsToText(record.subarray(2))));
        break;
      case Event.error:
        open?.fail(errorFromJson(wordsToText(record.subarray(2))));
        break;
      case Event.release:
        this.thread.arena.give(first, second);
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
}
