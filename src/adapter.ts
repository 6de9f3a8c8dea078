import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Pointer } from "../ffi/index.ts";
import { ModelLoadError } from "../lib/errors.ts";
import { Handle } from "./handle.ts";
import { captureLog, complaints } from "./log.ts";
import { readMetadata } from "./metadata.ts";
import type { Model } from "./model.ts";

/** A LoRA adapter of one model; use it with {@link Context.setAdapters}. It holds the model alive. */
export class LoraAdapter extends Handle {
  readonly model: Model;
  readonly path: string;
  #metadata: ReadonlyMap<string, string> | undefined;

  /** @throws ModelLoadError where the file is missing or does not fit the model. */
  constructor(model: Model, path: string) {
    super("LoraAdapter");
    const { c, memory } = model.native;
    this.model = model;
    this.path = resolve(path);
    const name = memory.string(this.path, "path");
    if (!existsSync(this.path)) throw new ModelLoadError(`there is no adapter file ${this.path}`);
    const { result, messages } = captureLog(model.native, () =>
      c.llama_adapter_lora_init(model.pointer, name.address),
    );
    if (result === 0)
      throw new ModelLoadError(`the adapter ${this.path} could not be loaded: ${complaints(messages)}`);
    this.adopt(result, model);
  }

  override get pointer(): Pointer<"llama_adapter_lora"> {
    return super.pointer as Pointer<"llama_adapter_lora">;
  }

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
