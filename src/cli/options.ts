import { type Command, InvalidArgumentError, Option } from "commander";
import { type GpuChoice, gpuChoices } from "../../ffi/index.ts";
import { BUILTIN_TEMPLATES } from "../chat/index.ts";
import type { CacheType } from "../context-options.ts";
import { cacheTypes, defaultThreadCount, maxContextLength, maxThreads } from "../context-options.ts";
import { embeddedModelPath } from "../embedded-model.ts";
import type { EngineOptions } from "../engine/engine-options.ts";
import { WorkerEngine } from "../engine/worker-engine.ts";
import { Llama, type LlamaOptions } from "../llama.ts";
import type { KvOverrides } from "../model-overrides.ts";
import { addCacheOptions, type CacheFlags, cacheOptions } from "./cache-options.ts";
import { integer, number } from "./numbers.ts";
import { readText } from "./text.ts";

function layers(text: string): number | "all" {
  return text === "all" ? "all" : integer(0)(text);
}

function scaledAdapter(text: string, previous: { path: string; scale: number }[] = []) {
  const cut = text.lastIndexOf(":");
  if (cut <= 0) throw new InvalidArgumentError("must be a file and a scale, such as adapter.gguf:0.5.");
  return [...previous, { path: text.slice(0, cut), scale: number()(text.slice(cut + 1)) }];
}

function override(text: string, previous: KvOverrides = {}): KvOverrides {
  const parts = /^([^=]+)=(int|float|bool|str):(.*)$/s.exec(text);
  if (!parts) throw new InvalidArgumentError("must be KEY=TYPE:VALUE with the type int, float, bool or str.");
  const [, key = "", type, value = ""] = parts;
  if (type === "bool" && value !== "true" && value !== "false")
    throw new InvalidArgumentError("a bool must be true or false.");
  const values = {
    int: () => ({ type: "int" as const, value: integer(Number.MIN_SAFE_INTEGER)(value) }),
    float: () => ({ type: "float" as const, value: number()(value) }),
    bool: () => ({ type: "bool" as const, value: value === "true" }),
    str: () => ({ type: "str" as const, value }),
  };
  return { ...previous, [key]: values[type as keyof typeof values]() };
}

function names(text: string): string[] {
  return text === "none" ? [] : text.split(",");
}

function shares(text: string): number[] {
  return text.split(/[,/]/).map(number(0));
}

/** What every command that loads a model takes, under the names of llama.cpp's tools. */
export interface ModelFlags extends CacheFlags {
  model?: string;
  ctxSize?: number;
  batchSize?: number;
  ubatchSize?: number;
  threads?: number;
  threadsBatch?: number;
  gpuLayers?: number | "all";
  gpu?: GpuChoice;
  flashAttn?: "on" | "off" | "auto";
  cacheTypeK?: CacheType;
  cacheTypeV?: CacheType;
  lora?: string[];
  loraScaled?: { path: string; scale: number }[];
  chatTemplate?: string;
  chatTemplateFile?: string;
  splitMode?: "none" | "layer" | "row";
  mainGpu?: number;
  tensorSplit?: number[];
  device?: string[];
  overrideKv?: KvOverrides;
  ropeFreqBase?: number;
  ropeFreqScale?: number;
  checkTensors?: boolean;
  kvOffload?: boolean;
  mmap?: boolean;
  mlock?: boolean;
}

/** A flag that may be repeated. */
export function collect(value: string, previous: string[] = []): string[] {
  if (value === "") throw new InvalidArgumentError("must not be empty.");
  return [...previous, value];
}

const count = integer(1, maxContextLength);
const threadCount = integer(1, maxThreads);
const choice = (flags: string, description: string, values: readonly string[]) =>
  new Option(flags, description).choices(values);

export function addModelOptions(command: Command): Command {
  const kinds = Object.keys(cacheTypes);
  const threads = defaultThreadCount();
  command
    .option("-m, --model <file>", "GGUF file (default: the tiny model that comes with cria)")
    .option(
      "-c, --ctx-size <n>",
      "tokens of context, 0 for the model's own (default: 4096 or the model's own, whichever is less)",
      integer(0, maxContextLength),
    )
    .option("-b, --batch-size <n>", "most tokens decoded at once (default: 2048)", count)
    .option("--ub, --ubatch-size <n>", "most tokens computed at once (default: 512)", count)
    .option("-t, --threads <n>", `threads for generation (default here: ${threads})`, threadCount)
    .option("--tb, --threads-batch <n>", "threads for prompts (default: as --threads)", threadCount)
    .option("--ngl, --gpu-layers <n>", "layers on the GPU, or all", layers)
    .addOption(choice("--gpu <kind>", "which build of libllama to use", gpuChoices))
    .addOption(choice("--fa, --flash-attn <mode>", "flash attention (default: auto)", ["on", "off", "auto"]))
    .addOption(choice("--ctk, --cache-type-k <type>", "type of the K cache (default: f16)", kinds))
    .addOption(choice("--ctv, --cache-type-v <type>", "type of the V cache (default: f16)", kinds))
    .option("--lora <file>", "LoRA adapter to apply; may be repeated", collect)
    .option("--lora-scaled <file:scale>", "LoRA adapter with a scale; may be repeated", scaledAdapter)
    .option("--override-kv <key=type:value>", "metadata to change; may be repeated", override)
    .option("--dev, --device <list>", "devices to use, separated by commas; none for no GPU", names)
    .addOption(choice("--sm, --split-mode <mode>", "how GPUs share the model", ["none", "layer", "row"]))
    .option("--ts, --tensor-split <list>", "share of each GPU, such as 3,1", shares)
    .option("--mg, --main-gpu <n>", "GPU to use with --split-mode none", integer(0))
    .option("--no-kv-offload", "keep the KV cache off the GPU")
    .option("--rope-freq-base <f>", "RoPE base frequency, 0 for the model's", number(0))
    .option("--rope-freq-scale <f>", "RoPE frequency scale, 0 for the model's", number(0))
    .option("--check-tensors", "check the values of all tensors")
    .addOption(
      choice(
        "--chat-template <name>",
        "built-in chat template to use instead of the model's",
        Object.keys(BUILTIN_TEMPLATES),
      ),
    )
    .option("--chat-template-file <file>", "file with the Jinja chat template to use")
    .option("--no-mmap", "read the file instead of mapping it")
    .option("--mlock", "keep the model in memory");
  return addCacheOptions(command);
}

/** Options for `Llama.load` from flags. */
export function loadOptions(flags: ModelFlags): LlamaOptions {
  const options: LlamaOptions = {
    ...cacheOptions(flags),
    gpu: flags.gpu,
    gpuLayers: flags.gpuLayers,
    chatTemplateName: flags.chatTemplate,
    mlock: flags.mlock,
    adapters: [...(flags.lora ?? []).map((path) => ({ path })), ...(flags.loraScaled ?? [])],
    kvOverrides: flags.overrideKv,
    devices: flags.device,
    splitMode: flags.splitMode,
    tensorSplit: flags.tensorSplit,
    mainGpu: flags.mainGpu,
    checkTensors: flags.checkTensors,
    chatTemplate:
      flags.chatTemplateFile === undefined
        ? undefined
        : readText(flags.chatTemplateFile, "--chat-template-file"),
  };
  if (flags.kvOffload === false) options.offloadKqv = false;
  if (flags.ropeFreqBase !== undefined) options.ropeFrequencyBase = flags.ropeFreqBase;
  if (flags.ropeFreqScale !== undefined) options.ropeFrequencyScale = flags.ropeFreqScale;
  if (flags.mmap === false) options.mmap = false;
  if (flags.ctxSize !== undefined) options.contextLength = flags.ctxSize;
  if (flags.batchSize !== undefined) options.batchSize = flags.batchSize;
  if (flags.ubatchSize !== undefined) options.microBatchSize = flags.ubatchSize;
  if (flags.threads !== undefined) options.threads = flags.threads;
  if (flags.threadsBatch !== undefined) options.batchThreads = flags.threadsBatch;
  if (flags.flashAttn !== undefined) options.flashAttention = flags.flashAttn;
  if (flags.cacheTypeK !== undefined) options.cacheTypeK = flags.cacheTypeK;
  if (flags.cacheTypeV !== undefined) options.cacheTypeV = flags.cacheTypeV;
  return options;
}

/** Runs a load with a progress line on a terminal; says so where no model was named. */
async function withProgress<T>(
  model: string | undefined,
  load: (onProgress: NonNullable<LlamaOptions["onProgress"]>) => Promise<T>,
): Promise<T> {
  if (model === undefined) {
    process.stderr.write("cria: no -m given, using the tiny model that comes with cria\n");
  }
  const terminal = process.stderr.isTTY;
  let shown = -1;
  const loaded = await load((fraction) => {
    const percent = Math.floor(100 * fraction);
    if (terminal && percent !== shown) process.stderr.write(`\rloading ${percent}%`);
    shown = percent;
    return undefined;
  });
  if (terminal) process.stderr.write("\r\x1b[K");
  return loaded;
}

/** Loads the model that the flags name. */
export function loadLlama(flags: ModelFlags): Promise<Llama> {
  return withProgress(flags.model, (onProgress) =>
    Llama.load(flags.model, { ...loadOptions(flags), onProgress }),
  );
}

/** Starts an engine on the model that was named, or on the embedded one. */
export function loadEngine(model: string | undefined, options: EngineOptions): Promise<WorkerEngine> {
  return withProgress(model, (onProgress) =>
    WorkerEngine.load(model ?? embeddedModelPath(), { ...options, onProgress }),
  );
}
