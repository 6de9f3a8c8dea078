import {
  type CStruct,
  checkInteger,
  ggml_backend_dev_type,
  type LibraryOptions,
  type Native,
  type Pointer,
} from "../ffi/index.ts";
import { type KvOverrides, kvOverrideArray } from "./model-overrides.ts";

export type { OverrideValue } from "./model-overrides.ts";

/** Fields of `llama_model_params`, and where to find the library. */
export interface ModelOptions extends LibraryOptions {
  /** Called with 0 to 1 while loading; returning false stops it. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a callback need not return anything.
  onProgress?: ((fraction: number) => boolean | void) | undefined;
  /** Stops the loading; looked at before it and after each `onProgress`, since loading occupies its thread. */
  signal?: AbortSignal | undefined;
  /** Layers to keep on the GPU; "all" by default, 0 for none. */
  gpuLayers?: number | "all" | undefined;
  splitMode?: keyof typeof splitModes | undefined;
  /** Index of the GPU to use where `splitMode` is "none". */
  mainGpu?: number | undefined;
  /** Share of the model for each GPU. */
  tensorSplit?: readonly number[] | undefined;
  /** Names of the GPUs to use, as `cria doctor` lists them; none of them for `[]`. */
  devices?: readonly string[] | undefined;
  /** Map the file instead of reading it. Default: as libllama thinks best. */
  mmap?: boolean | undefined;
  /** Keep the model in memory. */
  mlock?: boolean | undefined;
  /** Read past the system's cache, where it can; excludes `mmap` and `mlock`. */
  directIo?: boolean | undefined;
  /** Read tensors that the architecture marks row by row, on demand. */
  lazyMode?: keyof typeof lazyModes | undefined;
  /** Load the vocabulary alone. */
  vocabOnly?: boolean | undefined;
  /** Check the values of all tensors; slow. */
  checkTensors?: boolean | undefined;
  /** Repack weights for this CPU. Default true. */
  useExtraBufferTypes?: boolean | undefined;
  /** Leave out the host buffers through which weights reach a GPU. */
  noHost?: boolean | undefined;
  /** Load the layers that predict several tokens ahead, where the model has them. */
  loadMtp?: boolean | undefined;
  /** Metadata to take instead of the file's. An integer number is an int, any other a float. */
  kvOverrides?: KvOverrides | undefined;
  /** Tensors (by a C++ regular expression found in the name) to keep in the memory of a device. */
  tensorBufferOverrides?: readonly { pattern: string; device: string }[] | undefined;
  /** All parts of a split model, first part first, where their names do not follow the pattern. */
  splits?: readonly string[] | undefined;
}

const splitModes = { none: 0, layer: 1, row: 2, tensor: 3 } as const;
const lazyModes = { off: 0, auto: 1, on: 2 } as const;
const loadModes = { none: 0, mmap: 1, mlock: 2, mmapMlock: 3, directIo: 4 } as const;
const flags = {
  vocabOnly: "vocab_only",
  checkTensors: "check_tensors",
  useExtraBufferTypes: "use_extra_bufts",
  noHost: "no_host",
  loadMtp: "load_mtp",
} as const;

/** Devices that ggml knows, by name. */
export function deviceNames(native: Native, accepts: (device: Pointer) => boolean = () => true): string[] {
  const { c, memory } = native;
  return Array.from({ length: c.ggml_backend_dev_count() }, (_, index) => c.ggml_backend_dev_get(index))
    .filter(accepts)
    .map((device) => memory.readString(c.ggml_backend_dev_name(device)) ?? "");
}

/** Checks the options that need no library. @throws TypeError naming the option. */
export function checkModelOptions(options: ModelOptions): void {
  for (const name of [...(Object.keys(flags) as (keyof typeof flags)[]), ...loadFlags]) {
    const value = options[name];
    if (value !== undefined && typeof value !== "boolean")
      throw new TypeError(`${name} must be true or false, got ${String(value)}`);
  }
  if (options.onProgress !== undefined && typeof options.onProgress !== "function")
    throw new TypeError("onProgress must be a function");
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal))
    throw new TypeError("signal must be an AbortSignal");
  for (const name of ["devices", "splits", "tensorSplit", "tensorBufferOverrides"] as const) {
    if (options[name] !== undefined && !Array.isArray(options[name]))
      throw new TypeError(`${name} must be an array, got ${String(options[name])}`);
  }
  for (const [index, part] of (options.splits ?? []).entries()) {
    if (typeof part !== "string" || part === "")
      throw new TypeError(`splits[${index}] must be the name of a GGUF file`);
  }
  if (options.splits?.length === 0)
    throw new TypeError("splits must name all parts of the model; leave it out for a model in one file");
}

const loadFlags = ["mmap", "mlock", "directIo"] as const;

/**
 * Fills `llama_model_params`. The returned objects hold memory that C reads: keep them until the model is loaded.
 * @throws TypeError, RangeError naming the option.
 */
export function modelParameters(
  native: Native,
  options: ModelOptions,
): { struct: CStruct<"llama_model_params">; keep: unknown[] } {
  const struct = native.struct("llama_model_params");
  native.c.llama_model_default_params(struct);
  const keep: unknown[] = [];
  setPlacement(struct, options);
  for (const [name, field] of Object.entries(flags) as [keyof typeof flags, (typeof flags)["noHost"]][]) {
    const value = options[name];
    if (value !== undefined) struct.set(field, value);
  }
  const mode = loadMode(options);
  if (mode !== undefined) struct.set("load_mode", mode);
  if (options.devices) {
    const devices = gpus(native, options.devices);
    keep.push(devices);
    struct.set("devices", native.memory.addressOf(devices));
  }
  if (options.tensorSplit) {
    const split = shares(options.tensorSplit, native.c.llama_max_devices());
    keep.push(split);
    struct.set("tensor_split", native.memory.addressOf(split));
  }
  if (options.kvOverrides !== undefined) {
    const overrides = kvOverrideArray(native, options.kvOverrides);
    keep.push(overrides);
    struct.set("kv_overrides", overrides.address);
  }
  if (options.tensorBufferOverrides) {
    const overrides = bufferOverrides(native, options.tensorBufferOverrides, keep);
    struct.set("tensor_buft_overrides", overrides.address);
  }
  return { struct, keep };
}

function setPlacement(struct: CStruct<"llama_model_params">, options: ModelOptions): void {
  const { gpuLayers, mainGpu, splitMode, lazyMode } = options;
  if (gpuLayers !== undefined && gpuLayers !== "all") {
    if (checkInteger(gpuLayers, "i32", "gpuLayers") < 0)
      throw new RangeError(`gpuLayers must be 0 or more, or "all", got ${gpuLayers}`);
    struct.set("n_gpu_layers", gpuLayers);
  }
  if (mainGpu !== undefined) {
    if (checkInteger(mainGpu, "i32", "mainGpu") < 0)
      throw new RangeError(`mainGpu must be 0 or more, got ${mainGpu}`);
    struct.set("main_gpu", mainGpu);
  }
  if (splitMode !== undefined) struct.set("split_mode", pick(splitModes, splitMode, "splitMode"));
  if (lazyMode !== undefined) struct.set("lazy_mode", pick(lazyModes, lazyMode, "lazyMode"));
}

function pick<T extends Record<string, number>>(table: T, value: keyof T & string, field: string): number {
  const found = Object.hasOwn(table, value) ? table[value] : undefined;
  if (found === undefined)
    throw new RangeError(`${field} must be one of ${Object.keys(table).join(", ")}, got "${value}"`);
  return found;
}

/** @throws TypeError where the three cannot all be had. */
function loadMode({ mmap, mlock, directIo }: ModelOptions): number | undefined {
  if (directIo) {
    if (mmap || mlock) throw new TypeError("directIo cannot be combined with mmap or mlock");
    return loadModes.directIo;
  }
  if (mlock) return mmap === false ? loadModes.mlock : loadModes.mmapMlock;
  if (mmap === undefined) return undefined;
  return mmap ? loadModes.mmap : loadModes.none;
}

/** A NULL-terminated array of devices. */
function gpus(native: Native, names: readonly string[]): BigUint64Array {
  const isGpu = (device: Pointer) => {
    const type = native.c.ggml_backend_dev_type(device);
    return (
      type === ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_GPU ||
      type === ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_IGPU
    );
  };
  const chosen = names.map((name, index) => findDevice(native, name, `devices[${index}]`, isGpu));
  if (new Set(chosen).size < chosen.length) throw new TypeError("devices names the same device twice");
  return BigUint64Array.from([...chosen, 0], BigInt);
}

function findDevice(
  native: Native,
  name: string,
  field: string,
  accepts: (device: Pointer) => boolean = () => true,
): Pointer {
  const device = native.c.ggml_backend_dev_by_name(native.memory.string(name, field).address);
  if (device === 0 || !accepts(device)) {
    const names = deviceNames(native, accepts).join(", ") || "none";
    throw new RangeError(`${field}: "${name}" cannot be chosen; to choose from there are: ${names}`);
  }
  return device;
}

function shares(values: readonly number[], most: number): Float32Array {
  if (values.length > most)
    throw new RangeError(`tensorSplit must have at most ${most} values, got ${values.length}`);
  // libllama reads as many as it supports devices, however many there are.
  const split = new Float32Array(new ArrayBuffer(4 * Math.max(1, most)));
  for (const [index, share] of values.entries()) {
    if (typeof share !== "number" || !Number.isFinite(Math.fround(share)) || share < 0)
      throw new RangeError(`tensorSplit[${index}] must be a finite 32-bit number of 0 or more, got ${share}`);
    split[index] = share;
  }
  return split;
}

function bufferOverrides(
  native: Native,
  list: NonNullable<ModelOptions["tensorBufferOverrides"]>,
  keep: unknown[],
): CStruct<"llama_model_tensor_buft_override"> {
  // An entry without a pattern ends the array.
  const overrides = native.struct("llama_model_tensor_buft_override", { count: list.length + 1 });
  keep.push(overrides);
  for (const [index, override] of list.entries()) {
    const field = `tensorBufferOverrides[${index}]`;
    if (typeof override !== "object" || override === null)
      throw new TypeError(`${field} must be { pattern, device }, got ${String(override)}`);
    const { pattern, device } = override;
    const text = native.memory.string(pattern, `${field}.pattern`);
    keep.push(text);
    overrides.set("pattern", text.address, index);
    const found = findDevice(native, device, `${field}.device`);
    overrides.set("buft", native.c.ggml_backend_dev_buffer_type(found), index);
  }
  return overrides;
}
