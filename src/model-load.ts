import { resolve } from "node:path";
import { loadLibrary, type Native, type Pointer } from "../ffi/index.ts";
import { ModelLoadError } from "../lib/errors.ts";
import type { TensorInfo } from "../lib/gguf-tensors.ts";
import { checkGguf, readGgufFile, splitPaths } from "./gguf-file.ts";
import { captureFailure, complaints } from "./log.ts";
import { checkModelOptions, type ModelOptions, modelParameters } from "./model-options.ts";
import { checkOverridden } from "./model-overrides.ts";

/** A model that libllama has loaded, and what was read of its files before. */
export interface LoadedModel {
  readonly native: Native;
  /** Absolute path of the first part. */
  readonly path: string;
  readonly pointer: Pointer;
  readonly tensors: readonly TensorInfo[];
}

/**
 * Checks options and files, then loads.
 * @throws TypeError, RangeError naming the option; ModelLoadError with libllama's words; `signal.reason`.
 */
export async function loadModel(path: string, options: ModelOptions): Promise<LoadedModel> {
  if (typeof path !== "string" || path === "") throw new TypeError("path must be the name of a GGUF file");
  checkModelOptions(options);
  options.signal?.throwIfAborted();
  const native = await loadLibrary(options);
  options.signal?.throwIfAborted();
  for (const name of [path, ...(options.splits ?? [])]) native.memory.string(name, "path");
  // Misused options come before trouble with files, as they would without any file.
  const parameters = modelParameters(native, options);
  const files = modelFiles(path, options.splits);
  const summary = checkGguf(files[0]!, { splits: files });
  if (summary.kind === "adapter")
    throw new ModelLoadError(`${files[0]} is a LoRA adapter; load its model, then model.loadAdapter(path)`);
  if (!summary.hasTensors && !options.vocabOnly) {
    throw new ModelLoadError(
      `${files[0]} holds a vocabulary only; load it with vocabOnly: true, or name a whole model`,
    );
  }
  if (options.kvOverrides) checkOverridden(readGgufFile(files[0]!), options.kvOverrides);
  const pointer = loadFiles(native, files, options, parameters);
  return { native, path: files[0]!, pointer, tensors: summary.tensors };
}

function modelFiles(path: string, splits: readonly string[] | undefined): string[] {
  const file = resolve(path);
  if (!splits) return splitPaths(file);
  const files = splits.map((part) => resolve(part));
  if (!files.includes(file)) throw new TypeError(`splits must include the path ${path}`);
  return files;
}

function loadFiles(
  native: Native,
  files: readonly string[],
  options: ModelOptions,
  { struct, keep }: ReturnType<typeof modelParameters>,
): Pointer {
  const { c, memory } = native;
  const watch = new Watch(options);
  const progress = native.backend.callback({ returns: "bool", args: ["f32", "ptr"] }, (fraction) =>
    watch.step(fraction!),
  );
  struct.set("progress_callback", progress.address);
  const names = memory.strings(files, "path");
  const first = memory.string(files[0]!, "path");
  // The callback runs JavaScript while C reads these, so a collection may happen: `keep` outlives the call.
  keep.push(names, first);
  try {
    const { result, messages } = captureFailure(native, () => {
      // The second try only listens for the reason; what stopped the first is known.
      if (watch.stopped) return 0 as Pointer;
      if (files.length === 1) return c.llama_model_load_from_file(first.address, struct);
      return c.llama_model_load_from_splits(names.address, files.length, struct);
    });
    if (watch.stopped && result !== 0) c.llama_model_free(result);
    watch.rethrow(files[0]!);
    if (result === 0) throw new ModelLoadError(`${files[0]} could not be loaded: ${complaints(messages)}`);
    return result;
  } finally {
    progress.release();
    keep.length = 0;
  }
}

/** Decides at each step of a load whether it goes on, and remembers why not. */
class Watch {
  readonly #options: ModelOptions;
  #reason: { readonly error: unknown } | undefined;
  #stoppedByCaller = false;
  #fraction = -1;

  constructor(options: ModelOptions) {
    this.#options = options;
  }

  get stopped(): boolean {
    return this.#stoppedByCaller || this.#reason !== undefined;
  }

  step(fraction: number): boolean {
    // An exception must not cross C frames.
    try {
      // A second try starts again at 0, which the caller need not see.
      if (fraction > this.#fraction) {
        this.#fraction = fraction;
        this.#stoppedByCaller = this.#options.onProgress?.(fraction) === false;
      }
      this.#options.signal?.throwIfAborted();
    } catch (error) {
      this.#reason = { error };
    }
    return !this.stopped;
  }

  rethrow(path: string): void {
    if (this.#reason) throw this.#reason.error;
    if (this.#stoppedByCaller) throw new ModelLoadError(`loading ${path} was stopped by onProgress`);
  }
}
