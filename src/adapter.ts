import { resolve } from "node:path";
import type { Pointer } from "../ffi/index.ts";
import { ModelLoadError } from "../lib/errors.ts";
import { checkLoadable } from "../lib/gguf-safety.ts";
import { checkAdapter } from "./adapter-check.ts";
import { readGgufFile } from "./gguf-file.ts";
import { Handle } from "./handle.ts";
import { captureFailure, complaints } from "./log.ts";
import { readMetadata } from "./metadata.ts";
import type { Model } from "./model.ts";

/** A LoRA adapter of one model; use it with {@link Context.setAdapters}. It holds the model alive. */
export class LoraAdapter extends Handle {
  readonly model: Model;
  readonly path: string;
  #metadata: ReadonlyMap<string, string> | undefined;

  /** @throws ModelLoadError where the file is missing, bad, or does not fit the model. */
  constructor(model: Model, path: string) {
    super("LoraAdapter");
    if (typeof path !== "string" || path === "")
      throw new TypeError("path must be the name of an adapter file");
    const { c, memory } = model.native;
    const owner = model.pointer;
    this.model = model;
    this.path = resolve(path);
    const name = memory.string(this.path, "path");
    if (model.options.vocabOnly)
      throw new ModelLoadError(`${model.path} was loaded with vocabOnly, an adapter needs its weights`);
    const header = readGgufFile(this.path);
    checkLoadable(header);
    checkAdapter(header, model.tensors);
    const { result, messages } = captureFailure(model.native, () =>
      c.llama_adapter_lora_init(owner, name.address),
    );
    if (result === 0)
      throw new ModelLoadError(`the adapter ${this.path} could not be loaded: ${complaints(messages)}`);
    this.adopt(result, model);
  }

  override get pointer(): Pointer<"llama_adapter_lora"> {
    return super.pointer as Pointer<"llama_adapter_lora">;
  }

  /** Scalar metadata of the file, as text. */
  get metadata(): ReadonlyMap<string, string> {
    const { pointer } = this;
    const { native } = this.model;
    this.#metadata ??= readMetadata(native, native.c.llama_adapter_meta_count(pointer), {
      key: (index, buffer, size) => native.c.llama_adapter_meta_key_by_index(pointer, index, buffer, size),
      value: (index, buffer, size) =>
        native.c.llama_adapter_meta_val_str_by_index(pointer, index, buffer, size),
    });
    return this.#metadata;
  }

  /** Tokens that switch an activated LoRA on; empty for others. */
  get invocationTokens(): Int32Array {
    const { c, memory } = this.model.native;
    const count = c.llama_adapter_get_alora_n_invocation_tokens(this.pointer);
    if (count === 0) return new Int32Array(0);
    const bytes = memory.read(c.llama_adapter_get_alora_invocation_tokens(this.pointer), 4 * count);
    return new Int32Array(bytes.buffer as ArrayBuffer);
  }

  protected override free(pointer: Pointer): void {
    this.model.native.c.llama_adapter_lora_free(pointer);
  }
}
