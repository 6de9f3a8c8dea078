import type { Native, Pointer } from "../ffi/index.ts";
import type { TensorInfo } from "../lib/gguf-tensors.ts";
import { LoraAdapter } from "./adapter.ts";
import { checkGguf, splitPaths } from "./gguf-file.ts";
import { Handle } from "./handle.ts";
import { readMetadata } from "./metadata.ts";
import { type LoadedModel, loadModel } from "./model-load.ts";
import type { ModelOptions } from "./model-options.ts";
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
  /** Absolute path of the file, or of the first part. */
  readonly path: string;
  readonly options: ModelOptions;
  readonly vocab: Vocab;
  /** Whether another thread owns the C object, and frees it. */
  readonly #borrowed: boolean;
  #tensors: ReadonlyMap<string, TensorInfo> | undefined;
  #metadata: ReadonlyMap<string, string> | undefined;

  private constructor(
    { native, path, pointer, tensors }: Omit<LoadedModel, "tensors"> & Partial<LoadedModel>,
    options: ModelOptions,
  ) {
    super("Model");
    this.native = native;
    this.path = path;
    this.options = options;
    this.#borrowed = tensors === undefined;
    if (tensors) this.#tensors = byName(tensors);
    this.adopt(pointer);
    this.vocab = new Vocab(this);
  }

  /**
   * Loads a GGUF file; of a split model, any part's path will do for the first.
   *
   * The header is checked before libllama sees the file, since some bad files end the process. Loading occupies the
   * calling thread; `onProgress` is called meanwhile. After a failure libllama tries once more, to say why.
   *
   * @throws ModelLoadError with libllama's words, `signal.reason` when aborted; TypeError, RangeError naming the option.
   */
  static async load(path: string, options: ModelOptions = {}): Promise<Model> {
    return new Model(await loadModel(path, options), options);
  }

  /**
   * A view of a model that another thread of this process has loaded from `path` and will free, after this one has been
   * disposed.
   */
  static borrow(
    native: Native,
    source: { path: string; pointer: number },
    options: ModelOptions = {},
  ): Model {
    return new Model({ native, path: source.path, pointer: source.pointer as Pointer }, options);
  }

  override get pointer(): Pointer<"llama_model"> {
    return super.pointer as Pointer<"llama_model">;
  }

  /** Tensors of all parts by name, as the files describe them. */
  get tensors(): ReadonlyMap<string, TensorInfo> {
    const { splits } = this.options;
    this.#tensors ??= byName(checkGguf(this.path, { splits: splits ?? splitPaths(this.path) }).tensors);
    return this.#tensors;
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

  /** Loads a LoRA adapter made for this model. @throws ModelLoadError where it does not fit. */
  loadAdapter(path: string): LoraAdapter {
    return new LoraAdapter(this, path);
  }

  protected override free(pointer: Pointer): void {
    if (!this.#borrowed) this.native.c.llama_model_free(pointer);
  }
}

function byName(tensors: readonly TensorInfo[]): ReadonlyMap<string, TensorInfo> {
  return new Map(tensors.map((tensor) => [tensor.name, tensor]));
}
