import type { CStruct, Native, Pointer } from "../ffi/index.ts";
import { ContextInitError, DecodeError } from "../lib/errors.ts";
import type { LogitsScan } from "../lib/logits-scan.ts";
import { LoraAdapter } from "./adapter.ts";
import type { Batch } from "./batch.ts";
import { checkParameters, isCausal, positionLimit } from "./context-checks.ts";
import { ContextMemory } from "./context-memory.ts";
import { type ContextOptions, type ContextParameters, contextParameters } from "./context-options.ts";
import { ContextOutputs } from "./context-outputs.ts";
import { ContextState } from "./context-state.ts";
import { ControlVector } from "./control-vector.ts";
import { Handle } from "./handle.ts";
import { captureFailure, complaints } from "./log.ts";
import type { Model } from "./model.ts";
import type { ThreadPool } from "./thread-pool.ts";

/** Result of a decode that did not fail: `no-room` left the memory as it was, `aborted` kept what was computed. */
export type DecodeOutcome = "done" | "no-room" | "aborted";

/** Times in milliseconds and counts since creation or the last reset (`llama_perf_context`). */
export interface ContextPerformance {
  readonly loadMs: number;
  readonly promptMs: number;
  readonly promptTokens: number;
  readonly generationMs: number;
  readonly generatedTokens: number;
  readonly graphsReused: number;
}

/**
 * A `llama_context`: computes batches of one model and keeps their KV cache. It holds its model alive, and must be
 * disposed; all calls come from one thread at a time, but for {@link abort}.
 */
export class Context extends Handle {
  readonly model: Model;
  readonly native: Native;
  readonly memory: ContextMemory;
  readonly state: ContextState;
  readonly outputs: ContextOutputs;
  readonly contextLength: number;
  /** Tokens one sequence can hold. */
  readonly sequenceLength: number;
  readonly batchSize: number;
  readonly microBatchSize: number;
  readonly maxSequences: number;
  readonly recurrentSnapshots: number;
  readonly unifiedCache: boolean;
  /** "none" for contexts that generate. */
  readonly pooling: "none" | "mean" | "cls" | "last" | "rank";
  /** One shared byte: any thread that sets it to 1 aborts the running decode. */
  readonly abortFlag: Uint8Array;
  #adapters: readonly { adapter: LoraAdapter; scale: number }[] = [];
  #pools: readonly ThreadPool[] = [];
  #causal: boolean;
  #embeddings: boolean;
  #encoded = false;
  readonly #positionLimit: number;
  readonly #parameters: ContextParameters;

  /**
   * @param options.abortFlag shared bytes to use as {@link abortFlag}, of which all but the first are zero.
   * @throws ContextInitError with libllama's words; RangeError, TypeError naming the option.
   */
  constructor(model: Model, { abortFlag, ...options }: ContextOptions & { abortFlag?: Uint8Array } = {}) {
    super("Context");
    if (abortFlag && (!(abortFlag.buffer instanceof SharedArrayBuffer) || abortFlag.length < 2))
      throw new TypeError("abortFlag must be at least two bytes of shared memory");
    const { native } = model;
    if (model.options.vocabOnly) {
      throw new TypeError("the model was loaded with vocabOnly: true and cannot compute; load it without");
    }
    const parameters = contextParameters(options, model.trainContextLength);
    checkParameters(model, parameters);
    this.model = model;
    this.native = native;
    this.#parameters = parameters;
    this.#embeddings = parameters.embeddings === 1;
    // strlen() of "\0" is false, of "\1" true: an abort callback that reads shared memory and needs no JavaScript.
    this.abortFlag = abortFlag ?? new Uint8Array(new SharedArrayBuffer(2));
    const struct = native.struct("llama_context_params");
    native.c.llama_context_default_params(struct);
    for (const [field, value] of Object.entries(parameters)) struct.set(field as never, value);
    struct.set("abort_callback", native.libc.strlenAddress);
    struct.set("abort_callback_data", native.memory.addressOf(this.abortFlag));
    this.adopt(create(model, native, struct), model);
    this.#causal = isCausal(model, parameters);
    this.#positionLimit = positionLimit(model);
    const { c } = native;
    this.contextLength = c.llama_n_ctx(this.pointer);
    this.sequenceLength = c.llama_n_ctx_seq(this.pointer);
    this.batchSize = c.llama_n_batch(this.pointer);
    this.microBatchSize = c.llama_n_ubatch(this.pointer);
    this.maxSequences = c.llama_n_seq_max(this.pointer);
    this.recurrentSnapshots = c.llama_n_rs_seq(this.pointer);
    this.unifiedCache = parameters.kv_unified === 1;
    this.pooling =
      (["none", "mean", "cls", "last", "rank"] as const)[c.llama_pooling_type(this.pointer)] ?? "none";
    this.hasMemory = c.llama_get_memory(this.pointer) !== 0;
    this.#hasEncoder = model.hasEncoder;
    this.memory = new ContextMemory(this);
    this.state = new ContextState(this);
    this.outputs = new ContextOutputs(this);
  }

  override get pointer(): Pointer<"llama_context"> {
    return super.pointer as Pointer<"llama_context">;
  }

  /** Whether the context has a memory at all: encoder models such as BERT have none. */
  readonly hasMemory: boolean;
  readonly #hasEncoder: boolean;

  get memoryPointer(): Pointer<"llama_memory_i"> {
    const pointer = this.native.c.llama_get_memory(this.pointer);
    if (pointer === 0)
      throw new TypeError("this model keeps no memory (it is an encoder); there is nothing to cache");
    return pointer as Pointer<"llama_memory_i">;
  }

  get multiPosition(): boolean {
    return this.model.ropeType === "mrope" || this.model.ropeType === "imrope";
  }

  /**
   * Computes a batch; its outputs are read from {@link outputs}, {@link logits} and {@link embeddings} until the next.
   * @returns "no-room" where the KV cache is full, "aborted" where {@link abort} took effect.
   * @throws DecodeError where libllama refused or failed; RangeError for a batch it would assert on.
   */
  decode(batch: Batch): DecodeOutcome {
    this.#checkBatch(batch, this.hasMemory ? "decode" : "encode");
    if (this.#hasEncoder && this.hasMemory && !this.#encoded) {
      throw new TypeError("this model's decoder reads what its encoder gave; call encode() first");
    }
    const status = this.native.c.llama_decode(this.pointer, batch.struct);
    return this.#finish(batch, status, "llama_decode");
  }

  /** Computes a batch with the encoder, without memory. Outputs as with {@link decode}. */
  encode(batch: Batch): DecodeOutcome {
    this.assertUsable();
    if (!this.model.hasEncoder && this.hasMemory) {
      throw new TypeError("this model has no encoder (hasEncoder is false); use decode()");
    }
    this.#checkBatch(batch, "encode");
    const outcome = this.#finish(
      batch,
      this.native.c.llama_encode(this.pointer, batch.struct),
      "llama_encode",
    );
    this.#encoded ||= outcome === "done";
    return outcome;
  }

  /** Makes the running or next decode return "aborted"; safe from any thread through {@link abortFlag}. */
  abort(): void {
    Atomics.store(this.abortFlag, 0, 1);
  }

  /**
   * Logits of batch token `index` (-1: the last output), copied into memory of our own.
   * Shape [vocabulary]; overwritten by the next call. @throws RangeError where that token has no output.
   */
  logits(index = -1): Float32Array {
    return this.outputs.logits(index);
  }

  /** As {@link logits}, and looked over. */
  scan(index = -1): LogitsScan {
    return this.outputs.scan(index);
  }

  /** @throws RangeError where batch token `index` (-1: the last output) gave no output. */
  checkOutput(index: number): void {
    this.outputs.check(index);
  }

  setThreads(threads: number, batchThreads = threads): void {
    const checked = contextParameters({ threads, batchThreads }, this.contextLength);
    this.native.c.llama_set_n_threads(this.pointer, checked.n_threads!, checked.n_threads_batch!);
  }

  get threads(): number {
    return this.native.c.llama_n_threads(this.pointer);
  }

  get batchThreads(): number {
    return this.native.c.llama_n_threads_batch(this.pointer);
  }

  /** Uses thread pools of our own instead of libllama's; the context keeps them alive. */
  attachThreadPool(pool: ThreadPool, batchPool: ThreadPool = pool): void {
    this.native.c.llama_attach_threadpool(this.pointer, pool.pointer, batchPool.pointer);
    this.#replacePools([pool, batchPool]);
  }

  detachThreadPool(): void {
    this.native.c.llama_detach_threadpool(this.pointer);
    this.#replacePools([]);
  }

  #replacePools(pools: readonly ThreadPool[]): void {
    const before = this.#pools;
    for (const pool of pools) this.hold(pool);
    this.#pools = pools;
    for (const pool of before) this.letGo(pool);
  }

  get attachedThreadPools(): readonly ThreadPool[] {
    return this.#pools;
  }

  setEmbeddings(enabled: boolean): void {
    if (typeof enabled !== "boolean") throw new TypeError(`enabled must be a boolean, got ${enabled}`);
    this.#embeddings = enabled;
    this.native.c.llama_set_embeddings(this.pointer, enabled);
  }

  setCausalAttention(causal: boolean): void {
    if (typeof causal !== "boolean") throw new TypeError(`causal must be a boolean, got ${causal}`);
    this.#causal = causal;
    this.native.c.llama_set_causal_attn(this.pointer, causal);
  }

  /**
   * Replaces the LoRA adapters in use and keeps them alive. The KV cache computed with others stays: clear it.
   * @throws TypeError for an adapter of another model or named twice, or a scale that no 32-bit float can hold.
   */
  setAdapters(adapters: readonly { adapter: LoraAdapter; scale?: number }[]): void {
    const chosen = adapters.map((choice, index) => {
      const { adapter, scale = 1 } = choice ?? {};
      if (!(adapter instanceof LoraAdapter))
        throw new TypeError(`adapters[${index}].adapter must be a LoraAdapter`);
      // C takes a 32-bit float, in which a large number is infinite.
      if (typeof scale !== "number" || !Number.isFinite(Math.fround(scale)))
        throw new TypeError(`adapters[${index}].scale must be a finite 32-bit number, got ${scale}`);
      if (adapter.model !== this.model) throw new TypeError(`adapters[${index}] belongs to another model`);
      return { adapter, scale };
    });
    // libllama would take the first of two scales in silence.
    if (new Set(chosen.map(({ adapter }) => adapter)).size < chosen.length)
      throw new TypeError("adapters names the same adapter twice; add up its scales");
    const { memory } = this.native;
    const pointers = new BigUint64Array(chosen.map(({ adapter }) => BigInt(adapter.pointer)));
    const scales = new Float32Array(chosen.map(({ scale }) => scale));
    this.native.c.llama_set_adapters_lora(
      this.pointer,
      memory.addressOf(pointers),
      chosen.length,
      memory.addressOf(scales),
    );
    const before = this.#adapters;
    for (const { adapter } of chosen) this.hold(adapter);
    this.#adapters = chosen;
    for (const { adapter } of before) this.letGo(adapter);
  }

  get adapters(): readonly { adapter: LoraAdapter; scale: number }[] {
    return this.#adapters;
  }

  /** Adds a control vector to the layers it names, or takes it away. @throws ContextInitError where it does not fit. */
  setControlVector(vector: ControlVector | undefined): void {
    const { c, memory } = this.native;
    const embedding = this.model.embeddingLength;
    if (!vector) {
      c.llama_set_adapter_cvec(this.pointer, 0, 0, embedding, 0, 0);
      return;
    }
    if (!(vector instanceof ControlVector)) throw new TypeError("vector must be a ControlVector");
    const { layerStart, layerEnd } = vector;
    if (vector.data.length % embedding !== 0) {
      throw new RangeError(
        `a control vector needs a multiple of ${embedding} values (embeddingLength), got ${vector.data.length}`,
      );
    }
    // Where the data ends, libllama goes on with the vector that was set before.
    const data = new Float32Array(new ArrayBuffer(4 * embedding * this.model.layerCount));
    data.set(vector.data.subarray(0, data.length));
    const status = c.llama_set_adapter_cvec(
      this.pointer,
      memory.addressOf(data),
      data.length,
      embedding,
      layerStart,
      layerEnd,
    );
    if (status !== 0) throw new ContextInitError("libllama refused the control vector");
  }

  get performance(): ContextPerformance {
    const struct = this.native.struct("llama_perf_context_data");
    this.native.c.llama_perf_context(struct, this.pointer);
    return {
      loadMs: struct.get("t_load_ms"),
      promptMs: struct.get("t_p_eval_ms"),
      promptTokens: struct.get("n_p_eval"),
      generationMs: struct.get("t_eval_ms"),
      generatedTokens: struct.get("n_eval"),
      graphsReused: struct.get("n_reused"),
    };
  }

  resetPerformance(): void {
    this.native.c.llama_perf_context_reset(this.pointer);
  }

  /** Waits until the device has computed what was submitted. */
  synchronize(): void {
    this.native.c.llama_synchronize(this.pointer);
  }

  protected override free(pointer: Pointer): void {
    this.native.c.llama_free(pointer as Pointer<"llama_context">);
    this.outputs.release();
    this.#pools = [];
    this.#adapters = [];
  }

  #checkBatch(batch: Batch, kind: "decode" | "encode"): void {
    if (batch.length === 0) throw new RangeError("the batch is empty; add tokens before decoding it");
    if (batch.length > this.batchSize) {
      throw new RangeError(
        `the batch has ${batch.length} tokens, the context takes ${this.batchSize} (batchSize)`,
      );
    }
    batch.checkSequences(this);
    batch.checkPositions(this.#positionLimit);
    if ((kind === "encode" || !this.#causal) && batch.length > this.microBatchSize) {
      throw new RangeError(
        `without causal attention a batch has at most ${this.microBatchSize} tokens (microBatchSize), got ${batch.length}`,
      );
    }
    // Where embeddings are computed, every token gives an output.
    const outputs = kind === "encode" || this.#embeddings ? batch.length : batch.outputCount;
    if (this.pooling !== "none" && outputs < batch.length) {
      throw new RangeError(
        `pooling "${this.pooling}" needs an output of every token; fill the batch with outputs "all"`,
      );
    }
    const most = this.#parameters.n_outputs_max || this.batchSize;
    if (outputs > most) {
      throw new RangeError(`the batch asks for ${outputs} outputs, the context gives ${most} (maxOutputs)`);
    }
  }

  #finish(batch: Batch, status: number, name: string): DecodeOutcome {
    Atomics.store(this.abortFlag, 0, 0);
    this.outputs.update(status === 0 ? batch : undefined);
    if (status === 0) return "done";
    if (status === 1) return "no-room";
    if (status === 2) return "aborted";
    if (status === -1) {
      throw new DecodeError(
        `${name} refused the batch: a token, position or sequence is out of range, or positions do not continue the memory`,
        status,
      );
    }
    throw new DecodeError(`${name} failed (${status}); dispose the context and create a new one`, status);
  }
}

function create(model: Model, native: Native, struct: CStruct<"llama_context_params">): Pointer {
  const { result, messages } = captureFailure(native, () =>
    native.c.llama_init_from_model(model.pointer, struct),
  );
  if (result === 0) throw new ContextInitError(`the context could not be created: ${complaints(messages)}`);
  return result;
}
