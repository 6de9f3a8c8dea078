import { type CStruct, checkInteger, type LibraryOptions, type Native, type Pointer } from "../ffi/index.ts";

export type OverrideValue =
  | number
  | bigint
  | boolean
  | string
  | { type: "int"; value: number | bigint }
  | { type: "float"; value: number }
  | { type: "bool"; value: boolean }
  | { type: "str"; value: string };

/** Fields of `llama_model_params`, and where to find the library. */
export interface ModelOptions extends LibraryOptions {
  /** Called with 0 to 1 while loading; returning false stops it. */
  onProgress?: ((fraction: number) => boolean | undefined) | undefined;
  /** Stops the loading; looked at between steps, since loading occupies its thread. */
  signal?: AbortSignal | undefined;
  /** Layers to keep on the GPU; "all" by default, 0 for none. */
  gpuLayers?: number | "all" | undefined;
  splitMode?: keyof typeof splitModes | undefined;
  mainGpu?: number | undefined;
  /** Share of the model for each GPU. */
  tensorSplit?: readonly number[] | undefined;
  /** Names of ggml devices to use, as `cria doctor` lists them. */
  devices?: readonly string[] | undefined;
  /** Map the file instead of reading it. Default: as libllama thinks best. */
  mmap?: boolean | undefined;
  /** Keep the model in memory. */
  mlock?: boolean | undefined;
  directIo?: boolean | undefined;
  /** Read tensors that the architecture marks row by row, on demand. */
  lazyMode?: keyof typeof lazyModes | undefined;
  /** Load the vocabulary alone. */
  vocabOnly?: boolean | undefined;
  /** Check the values of all tensors; slow. */
  checkTensors?: boolean | undefined;
  /** Repack weights for this CPU. Default true. */
  useExtraBufferTypes?: boolean | undefined;
  noHost?: boolean | undefined;
  loadMtp?: boolean | undefined;
  /** Metadata to take instead of the file's. An integer number is an int, any other a float. */
  kvOverrides?: Readonly<Record<string, OverrideValue>> | undefined;
  /** Tensors (by regular expression) to keep in the memory of a device. */
  tensorBufferOverrides?: readonly { pattern: string; device: string }[] | undefined;
  /** All parts of a split model, in order, where their names do not follow the pattern. */
  splits?: readonly string[] | undefined;
}

const splitModes = { none: 0, layer: 1, row: 2, tensor: 3 } as const;
const lazyModes = { off: 0, auto: 1, on: 2 } as const;
const loadModes = { none: 0, mmap: 1, mlock: 2, mmapMlock: 3, directIo: 4 } as const;

/** Devices that ggml knows, by name. */
export function deviceNames(native: Native): string[] {
  const { c, memory } = native;
  return Array.from({ length: c.ggml_backend_dev_count() }, (_, index) => {
    return memory.readString(c.ggml_backend_dev_name(c.ggml_backend_dev_get(index))) ?? "";
  });
}

function deviceByName(native: Native, name: string, field: string): Pointer {
  const text = native.memory.string(name, field);
  const device = native.c.ggml_backend_dev_by_name(text.address);
  if (device === 0)
    throw new RangeError(`${field}: no device "${name}"; there are ${deviceNames(native).join(", ")}`);
  return device;
}

/**
 * Fills `llama_model_params`. The returned objects hold memory that C reads: keep them until the model is loaded.
 * @throws TypeError, RangeError naming the option.
 */
export function modelParameters(
  native: Native,
  options: ModelOptions,
): { struct: CStruct<"llama_model_params">; keep: unknown[] } {
  const { c, memory } = native;
  const struct = native.struct("llama_model_params");
  c.llama_model_default_params(struct);
  const keep: unknown[] = [];
  const { gpuLayers } = options;
  if (gpuLayers !== undefined && gpuLayers !== "all") {
    if (checkInteger(gpuLayers, "i32", "gpuLayers") < 0)
      throw new RangeError(`gpuLayers must be 0 or more, or "all", got ${gpuLayers}`);
    struct.set("n_gpu_layers", gpuLayers);
  }
  if (options.splitMode !== undefined)
    struct.set("split_mode", pick(splitModes, options.splitMode, "splitMode"));
  if (options.lazyMode !== undefined) struct.set("lazy_mode", pick(lazyModes, options.lazyMode, "lazyMode"));
  if (options.mainGpu !== undefined) {
    if (checkInteger(options.mainGpu, "i32", "mainGpu") < 0)
      throw new RangeError(`mainGpu must be 0 or more, got ${options.mainGpu}`);
    struct.set("main_gpu", options.mainGpu);
  }
  const mode = loadMode(options);
  if (mode !== undefined) struct.set("load_mode", mode);
  if (options.vocabOnly) struct.set("vocab_only", true);
  if (options.checkTensors) struct.set("check_tensors", true);
  if (options.useExtraBufferTypes === false) struct.set("use_extra_bufts", false);
  if (options.noHost) struct.set("no_host", true);
  if (options.loadMtp) struct.set("load_mtp", true);
  const pointers = (addresses: readonly number[]) => {
    const array = new BigUint64Array(new ArrayBuffer(8 * (addresses.length + 1)));
    for (const [index, address] of addresses.entries()) array[index] = BigInt(address);
    keep.push(array);
    return memory.addressOf(array);
  };
  if (options.devices) {
    struct.set(
      "devices",
      pointers(options.devices.map((name, index) => deviceByName(native, name, `devices[${index}]`))),
    );
  }
  if (options.tensorSplit) {
    const most = c.llama_max_devices();
    const split = new Float32Array(new ArrayBuffer(4 * most));
    if (options.tensorSplit.length > most) throw new RangeError(`tensorSplit has more than ${most} values`);
    for (const [index, share] of options.tensorSplit.entries()) {
      if (!Number.isFinite(share) || share < 0)
        throw new RangeError(`tensorSplit[${index}] must be 0 or more, got ${share}`);
      split[index] = share;
    }
    keep.push(split);
    struct.set("tensor_split", memory.addressOf(split));
  }
  if (options.kvOverrides) {
    const overrides = kvOverrides(native, options.kvOverrides);
    keep.push(overrides);
    struct.set("kv_overrides", overrides.address);
  }
  if (options.tensorBufferOverrides) {
    const list = options.tensorBufferOverrides;
    const overrides = native.struct("llama_model_tensor_buft_override", { count: list.length + 1 });
    for (const [index, { pattern, device }] of list.entries()) {
      const field = `tensorBufferOverrides[${index}]`;
      const text = memory.string(checkPattern(pattern, field), `${field}.pattern`);
      keep.push(text);
      overrides.set("pattern", text.address, index);
      overrides.set(
        "buft",
        c.ggml_backend_dev_buffer_type(deviceByName(native, device, `${field}.device`)),
        index,
      );
    }
    keep.push(overrides);
    struct.set("tensor_buft_overrides", overrides.address);
  }
  return { struct, keep };
}

function pick<T extends Record<string, number>>(table: T, value: keyof T & string, field: string): number {
  const found = Object.hasOwn(table, value) ? table[value] : undefined;
  if (found === undefined)
    throw new RangeError(`${field} must be one of ${Object.keys(table).join(", ")}, got "${value}"`);
  return found;
}

function loadMode({ mmap, mlock, directIo }: ModelOptions): number | undefined {
  if (directIo) {
    if (mmap || mlock) throw new TypeError("directIo cannot be combined with mmap or mlock");
    return loadModes.directIo;
  }
  if (mlock) return mmap === false ? loadModes.mlock : loadModes.mmapMlock;
  if (mmap === undefined) return undefined;
  return mmap ? loadModes.mmap : loadModes.none;
}

/** libllama compiles patterns as C++ regular expressions, and a bad one would end the process. */
function checkPattern(pattern: string, field: string): string {
  try {
    new RegExp(pattern);
  } catch (cause) {
    throw new TypeError(`${field}.pattern is no regular expression: ${pattern}`, { cause });
  }
  return pattern;
}

const overrideTags = { int: 0, float: 1, bool: 2, str: 3 } as const;

function interpret(value: OverrideValue): {
  type: keyof typeof overrideTags;
  value: number | bigint | boolean | string;
} {
  if (typeof value === "object") return value;
  if (typeof value === "bigint") return { type: "int", value };
  if (typeof value === "boolean") return { type: "bool", value };
  if (typeof value === "string") return { type: "str", value };
  return { type: Number.isInteger(value) ? "int" : "float", value };
}

function kvOverrides(native: Native, overrides: Readonly<Record<string, OverrideValue>>) {
  const entries = Object.entries(overrides);
  // An entry with an empty key ends the list.
  const array = native.struct("llama_model_kv_override", { count: entries.length + 1 });
  const write = (target: Uint8Array, text: string, field: string) => {
    const bytes = new TextEncoder().encode(text);
    if (bytes.length === 0 || bytes.length >= target.length || bytes.includes(0)) {
      throw new RangeError(
        `${field} must have 1 to ${target.length - 1} bytes and no NUL, got ${JSON.stringify(text)}`,
      );
    }
    target.set(bytes);
  };
  for (const [index, [key, raw]] of entries.entries()) {
    const { type, value } = interpret(raw);
    const field = `kvOverrides[${JSON.stringify(key)}]`;
    if (!Object.hasOwn(overrideTags, type))
      throw new TypeError(`${field}.type must be int, float, bool or str, got ${type}`);
    write(array.array("key", index), key, "a key of kvOverrides");
    array.set("tag", overrideTags[type], index);
    if (type === "str") write(array.array("val_str", index), String(value), field);
    else if (type === "bool") array.set("val_bool", Boolean(value), index);
    else if (type === "float") array.set("val_f64", Number(value), index);
    else
      array.set(
        "val_i64",
        typeof value === "bigint" ? value : checkInteger(Number(value), "i64", field),
        index,
      );
  }
  return array;
}
