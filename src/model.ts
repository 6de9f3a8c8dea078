import { resolve } from "node:path";
import { loadLibrary, type Native, type Pointer } from "../ffi/index.ts";
import { ModelLoadError } from "../lib/errors.ts";
import { LoraAdapter } from "./adapter.ts";
import { checkGguf } from "./gguf-file.ts";
import { Handle } from "./handle.ts";
import { captureLog, complaints } from "./log.ts";
import { readMetadata } from "./metadata.ts";
import { type ModelOptions, modelParameters } from "./model-options.ts";
import { Vocab } from "./vocab.ts";

export type RopeType = "none" | "norm" | "neox" | "mrope" | "imrope" | "vision";
const ropeTypes = new Map<number, RopeType>([
  [-1, "none"],
  [0, "norm"],
  [2, "neox"],
  [8, "mrope"],
  [40, "imrope"],
  [24, "vision"],
]);

/** A loaded model. It stays in memory until it and all contexts and adapters made from it are disposed. */
export class Model extends Handle {
  readonly native: Native;
  readonly path: string;
  readonly options: ModelOptions;
  readonly vocab: Vocab;
  #metadata: ReadonlyMap<string, string> | undefined;

  private constructor(native: Native, path: string, options: ModelOptions, pointer: Pointer) {
    super("Model");
    this.native = native;
    this.path = path;
    this.options = options;
    this.adopt(pointer);
    this.vocab = new Vocab(this);
  }

  /**
   * Loads a GGUF file; of a split model, any part's path will do for the first.
   *
   * The header is checked before libllama sees the file, since some bad files end the process. Loading occupies the
   * calling thread; `onProgress` is called meanwhile.
   *
   * @throws ModelLoadError with libllama's words, `signal.reason` when aborted.
   */
  static async load(path: string, options: ModelOptions = {}): Promise<Model> {
    if (typeof path !== "string" || path === "") throw new TypeError("path must be the name of a GGUF file");
    options.signal?.throwIfAborted();
    const native = await loadLibrary(options);
    const files = (options.splits ?? [path]).map((name) => resolve(name));
    const summary = checkGguf(files[0]!, options.splits ? { splits: files } : {});
    if (!summary.hasTensors && !options.vocabOnly) {
      throw new ModelLoadError(
        `${files[0]} holds a vocabulary only; load it with vocabOnly: true, or name a whole model`,
      );
    }
    return new Model(native, files[0]!, options, loadPointer(native, files, options));
  }

  override get pointer(): Pointer<"llama_model"> {
    return super.pointer as Pointer<"llama_model">;
  }

  /** Scalar metadata of the file, as text. */
  get metadata(): ReadonlyMap<string, string> {
    const { native, pointer } = this;
    this.#metadata ??= readMetadata(native, native.c.llama_model_meta_count(pointer), {
      key: (index, buffer, size) => native.c.llama_model_meta_key_by_index(pointer, index, buffer, size),
      value: (index, buffer, size) =>
        native.c.llama_model_meta_val_str_by_index(pointer, index, buffer, size),
    });
    return this.#metadata;
  }

  /** Such as "llama 7B Q4_K - Medium". */
  get description(): string {
    const buffer = this.native.memory.allocate(256);
    const length = this.native.c.llama_model_desc(
      this.pointer,
      this.native.memory.addressOf(buffer),
      buffer.length,
    );
    return new TextDecoder().decode(buffer.subarray(0, Math.min(length, buffer.length - 1)));
  }

  /** Bytes of all tensors. */
  get sizeBytes(): number {
    return this.native.c.llama_model_size(this.pointer);
  }
  get parameterCount(): number {
    return this.native.c.llama_model_n_params(this.pointer);
  }
  /** Kind of quantization, such as "Q4_K - Medium". */
  get fileType(): string {
    return (
      this.native.memory.readString(
        this.native.c.llama_ftype_name(this.native.c.llama_model_ftype(this.pointer)),
      ) ?? ""
    );
  }
  get trainContextLength(): number {
    return this.native.c.llama_model_n_ctx_train(this.pointer);
  }
  get embeddingLength(): number {
    return this.native.c.llama_model_n_embd(this.pointer);
  }
  get inputEmbeddingLength(): number {
    return this.native.c.llama_model_n_embd_inp(this.pointer);
  }
  get outputEmbeddingLength(): number {
    return this.native.c.llama_model_n_embd_out(this.pointer);
  }
  get layerCount(): number {
    return this.native.c.llama_model_n_layer(this.pointer);
  }
  get headCount(): number {
    return this.native.c.llama_model_n_head(this.pointer);
  }
  get kvHeadCount(): number {
    return this.native.c.llama_model_n_head_kv(this.pointer);
  }
  /** Tokens of the sliding window; 0 without one. */
  get slidingWindow(): number {
    return this.native.c.llama_model_n_swa(this.pointer);
  }
  get ropeType(): RopeType {
    return ropeTypes.get(this.native.c.llama_model_rope_type(this.pointer)) ?? "none";
  }
  get ropeFrequencyScale(): number {
    return this.native.c.llama_model_rope_freq_scale_train(this.pointer);
  }
  get hasEncoder(): boolean {
    return this.native.c.llama_model_has_encoder(this.pointer);
  }
  get hasDecoder(): boolean {
    return this.native.c.llama_model_has_decoder(this.pointer);
  }
  /** The token an encoder-decoder model starts its answer with. */
  get decoderStartToken(): number | undefined {
    const token = this.native.c.llama_model_decoder_start_token(this.pointer);
    return token < 0 ? undefined : token;
  }
  get isRecurrent(): boolean {
    return this.native.c.llama_model_is_recurrent(this.pointer);
  }
  get isHybrid(): boolean {
    return this.native.c.llama_model_is_hybrid(this.pointer);
  }
  get isDiffusion(): boolean {
    return this.native.c.llama_model_is_diffusion(this.pointer);
  }
  get classifierOutputCount(): number {
    return this.native.c.llama_model_n_cls_out(this.pointer);
  }
  /** Labels of a classifier's outputs; empty where it names none. */
  get classifierLabels(): string[] {
    const label = (index: number) =>
      this.native.memory.readString(this.native.c.llama_model_cls_label(this.pointer, index));
    const labels = Array.from({ length: this.classifierOutputCount }, (_, index) => label(index));
    return labels.filter((text) => text !== undefined);
  }

  /** The Jinja source of the model's chat template, or of the named one. */
  chatTemplate(name?: string): string | undefined {
    const text = name === undefined ? undefined : this.native.memory.string(name, "name");
    return this.native.memory.readString(
      this.native.c.llama_model_chat_template(this.pointer, text?.address ?? (0 as Pointer)),
    );
  }

  /** Loads a LoRA adapter made for this model. */
  loadAdapter(path: string): LoraAdapter {
    return new LoraAdapter(this, path);
  }

  protected override free(pointer: Pointer): void {
    this.native.c.llama_model_free(pointer);
  }
}

function loadPointer(native: Native, files: readonly string[], options: ModelOptions): Pointer {
  const { c, memory } = native;
  // The callbacks below run JavaScript while C reads these, so a collection may happen: `keep` outlives the call.
  const { struct, keep } = modelParameters(native, options);
  let failure: unknown;
  let stopped = false;
  const progress = native.backend.callback({ returns: "bool", args: ["f32", "ptr"] }, (fraction) => {
    try {
      if (options.signal?.aborted) return false;
      stopped = options.onProgress?.(fraction!) === false;
      return !stopped;
    } catch (error) {
      // An exception must not cross C frames.
      failure = error;
      return false;
    }
  });
  struct.set("progress_callback", progress.address);
  try {
    const { result, messages } = captureLog(native, () => {
      if (files.length === 1) {
        const name = memory.string(files[0]!, "path");
        keep.push(name);
        return c.llama_model_load_from_file(name.address, struct);
      }
      const list = memory.strings(files, "splits");
      keep.push(list);
      return c.llama_model_load_from_splits(list.address, files.length, struct);
    });
    if (result !== 0) return result;
    if (failure) throw failure;
    options.signal?.throwIfAborted();
    if (stopped) throw new ModelLoadError(`loading ${files[0]} was stopped by onProgress`);
    throw new ModelLoadError(`${files[0]} could not be loaded: ${complaints(messages)}`);
  } finally {
    progress.release();
    keep.length = 0;
  }
}
