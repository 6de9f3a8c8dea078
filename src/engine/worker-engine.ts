import { loadLibrary, type Native, type Pointer } from "../../ffi/index.ts";
import { BusyError, DisposedError, RequestError, WorkerCrashedError } from "../../lib/errors.ts";
import type { Model } from "../model.ts";
import type { TokenizeOptions } from "../vocab.ts";
import type { SavedState } from "./calls.ts";
import type { EngineSnapshot } from "./counters.ts";
import { leastStaging } from "./decode-thread.ts";
import { DecodingSide } from "./decoding-side.ts";
import type {
  CacheTiers,
  EmbeddingRequest,
  Engine,
  EngineEmbedding,
  EngineRequest,
  EngineStream,
  SavedTokens,
  StateScope,
} from "./engine.ts";
import { type EngineOptions, type EngineSettings, engineSettings } from "./engine-options.ts";
import { OpenEmbedding } from "./open-embedding.ts";
import { OpenRequest } from "./open-request.ts";
import { RequestStream } from "./request-stream.ts";
import { StateFingerprints } from "./state-fingerprint.ts";

/** Fewest bytes of a state: a collector may move arrays that are smaller than this. */
const leastState = 128;

/** An engine whose decoding side runs on a Worker, so that this thread never waits for a decode. */
export class WorkerEngine implements Engine {
  readonly #native: Native;
  readonly #settings: EngineSettings;
  readonly #fingerprints: StateFingerprints;
  /** Bytes of host memory, where they were changed. */
  #cacheRam: number | undefined;
  #side: DecodingSide;
  #ids = 0;
  /** Set while a thread that died is being replaced. */
  #restarting: Promise<void> | undefined;
  /** Why it could not be. */
  #lost: WorkerCrashedError | undefined;
  #closing: Promise<void> | undefined;
  readonly #onExit = () => this.#side.closeSync(2000);

  private constructor(native: Native, settings: EngineSettings, side: DecodingSide) {
    this.#native = native;
    this.#settings = settings;
    this.#fingerprints = new StateFingerprints(settings.thread, native.version);
    this.#side = side;
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
    const { onProgress, signal } = options;
    signal?.throwIfAborted();
    // The library is opened here first: several threads must not open it at once for the first time.
    const native = await loadLibrary(options);
    return new WorkerEngine(
      native,
      settings,
      await DecodingSide.start(native, settings, { onProgress, signal }),
    );
  }

  get model(): Model {
    return this.#side.model;
  }
  get contextLength(): number {
    return this.#side.thread.info.contextLength;
  }
  get generates(): boolean {
    return this.#side.thread.info.generates;
  }
  get requestCount(): number {
    return this.#side.requestCount;
  }
  get maxRequests(): number {
    return this.#settings.maxRequests;
  }
  get cacheTiers(): CacheTiers {
    const { hostBytes, disk } = this.#settings.thread;
    return { hostBytes, disk };
  }

  async tokenize(text: string, options?: TokenizeOptions): Promise<Int32Array> {
    if (typeof text !== "string") throw new TypeError(`text must be a string, got ${typeof text}`);
    return (await this.#ready()).tokenize(text, options);
  }

  submit(request: EngineRequest): EngineStream {
    this.#assertOpen();
    const id = ++this.#ids;
    const refusal = this.#refusal();
    if (refusal) {
      const port = { abort: () => {}, acknowledge: () => {}, tokens: () => new Int32Array(0) };
      const stream = new RequestStream(id, request, this.model.vocab, port);
      stream.fail(refusal);
      return stream;
    }
    const open = this.#side.open(id, (parts) => new OpenRequest(id, request, parts));
    open.start();
    return open.stream;
  }

  async embed(request: EmbeddingRequest): Promise<EngineEmbedding> {
    this.#assertOpen();
    const refusal = this.#refusal();
    if (refusal) throw refusal;
    const id = ++this.#ids;
    const open = this.#side.open(id, (parts) => new OpenEmbedding(id, request, parts));
    void open.start();
    return await open.result;
  }

  async saveState(tokens: Int32Array, scope: StateScope = {}): Promise<SavedTokens> {
    const side = await this.#ready();
    const { place, release } = this.#place(tokens, scope);
    try {
      const saved = (await side.ask({ method: "saveState", place })) as SavedState;
      if (saved.length === 0) return { tokens: new Int32Array(0), data: new Uint8Array(0) };
      const data = this.#native.memory.read(saved.address as Pointer, saved.byteLength);
      await side.ask({ method: "forgetState", address: saved.address });
      const fingerprint = await this.#fingerprints.of(place.adapters);
      return { tokens: tokens.slice(0, saved.length), data, fingerprint };
    } finally {
      release();
    }
  }

  async loadState({ tokens, data, fingerprint }: SavedTokens, scope: StateScope = {}): Promise<void> {
    this.#assertOpen();
    if (fingerprint)
      await this.#fingerprints.check(fingerprint, scope.adapters ?? this.#side.defaultAdapters);
    const side = await this.#ready();
    if (!(data instanceof Uint8Array)) throw new TypeError("state.data must be a Uint8Array");
    for (const [index, token] of tokens.entries())
      side.model.vocab.checkToken(token, `state.tokens[${index}]`);
    if (tokens.length === 0) throw new RequestError("the state has no tokens", "state");
    if (data.length < leastState) throw new RequestError("the state is damaged; save it anew", "state");
    const source = { address: Number(this.#native.memory.addressOf(data)), byteLength: data.length };
    // The decoding side gives the tokens' place back when it keeps them no longer.
    await side.ask({ method: "loadState", place: this.#place(tokens, scope).place, source }, data);
  }

  async snapshot(): Promise<EngineSnapshot> {
    return (await (await this.#ready()).ask({ method: "snapshot" })) as EngineSnapshot;
  }

  async clearCache(): Promise<void> {
    await (await this.#ready()).ask({ method: "clearCache" });
  }

  async setCacheRam(bytes: number): Promise<void> {
    const { hostBytes, disk } = this.cacheTiers;
    if (!Number.isSafeInteger(bytes) || bytes < 0)
      throw new TypeError(`the bytes of the cache must be a whole number of 0 or more, got ${bytes}`);
    if (bytes > hostBytes)
      throw new RangeError(
        `${bytes} bytes are more than the ${hostBytes} that the engine was loaded with; load it with a larger cacheRam`,
      );
    this.#cacheRam = disk ? Math.max(bytes, leastStaging) : bytes;
    await (await this.#ready()).ask({ method: "setCacheRam", bytes: this.#cacheRam });
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
    await this.#side.thread.worker.terminate();
  }

  async #close(): Promise<void> {
    process.off("exit", this.#onExit);
    await this.#restarting;
    this.#side.failAll(new DisposedError("Engine"));
    await this.#side.close();
  }

  /** The decoding side, once it runs. */
  async #ready(): Promise<DecodingSide> {
    this.#assertOpen();
    await this.#restarting;
    this.#assertOpen();
    if (this.#lost) throw this.#lost;
    return this.#side;
  }

  /** Why no request can be taken now. */
  #refusal(): Error | undefined {
    if (this.#lost) return this.#lost;
    if (this.#restarting)
      return new WorkerCrashedError("the engine is starting again after a crash; try again in a moment");
    if (this.#side.hasSlot) return undefined;
    return new BusyError(
      `${this.#settings.maxRequests} requests are waiting or running already (maxRequests); try again later`,
    );
  }

  /** Puts tokens where the decoding side can read them. */
  #place(tokens: Int32Array, { cacheSalt: salt = "", adapters = this.#side.defaultAdapters }: StateScope) {
    const { thread } = this.#side;
    const { byteOffset, release } = thread.arena.allocateBytes(4 * Math.max(1, tokens.length));
    thread.arena.tokens.view(byteOffset, tokens.length).set(tokens);
    return { place: { byteOffset, length: tokens.length, salt, adapters }, release };
  }

  #listen(): void {
    this.#side.listen((error) => {
      if (!this.#closing) this.#restarting = this.#restart(error);
    });
  }

  /** Fails what was running on a thread that died, and starts another one. */
  async #restart(cause: Error): Promise<void> {
    const dead = this.#side;
    dead.failAll(new WorkerCrashedError(`the thread that owned the model died: ${cause.message}`, { cause }));
    try {
      await dead.close();
      this.#side = await DecodingSide.start(this.#native, this.#settings);
      this.#restarting = undefined;
      this.#listen();
      const bytes = this.#cacheRam;
      // Where it dies again its successor is told.
      if (bytes !== undefined) this.#side.ask({ method: "setCacheRam", bytes }).catch(() => {});
    } catch (error) {
      this.#lost = new WorkerCrashedError(
        `the engine could not be started again after a crash: ${(error as Error).message}; load it anew`,
        { cause: error },
      );
    }
  }

  #assertOpen(): void {
    if (this.#closing) throw new DisposedError("Engine");
  }
}
