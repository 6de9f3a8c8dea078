import { rootDigest } from "./chain.ts";
import type { FileDigests } from "./file-digests.ts";

/** Options that leave the cache of a prefix what it is; whatever is not here makes a namespace of its own. */
const irrelevant = new Set([
  "abortFlag",
  "backend",
  "batchSize",
  "batchThreads",
  "cacheDir",
  "cacheDisk",
  "checkTensors",
  "contextLength",
  "devices",
  "directIo",
  "embeddings",
  "flashAttention",
  "gpu",
  "gpuLayers",
  "lazyMode",
  "libraryPath",
  "mainGpu",
  "maxOutputs",
  "maxOutputsPerSequence",
  "maxSequences",
  "measure",
  "microBatchSize",
  "mlock",
  "mmap",
  "noHost",
  "offloadKqv",
  "offloadOperations",
  "pooling",
  "splitMode",
  "splits",
  "tensorBufferOverrides",
  "tensorSplit",
  "threads",
  "unifiedCache",
  "useExtraBufferTypes",
  "vocabOnly",
]);

/** What is as good as not given. */
const usual: Readonly<Record<string, unknown>> = { cacheTypeK: "f16", cacheTypeV: "f16" };

export interface NamespaceParts {
  /** Of the model, all parts of it. */
  readonly files: readonly string[];
  /** Adapters in the order that requests refer to them by. */
  readonly adapters: readonly string[];
  /** Of model and context. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Release of llama.cpp. */
  readonly library: string;
}

/**
 * What stored blocks must agree in to be of use to each other: contents of files, settings and release. Reads files that
 * were not read before. @throws what the file system does.
 */
export function namespaceOf(
  { files, adapters, options, library }: NamespaceParts,
  digests: FileDigests,
): string {
  const settings = Object.entries(options)
    .filter(([name, value]) => value !== undefined && !irrelevant.has(name) && usual[name] !== value)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return rootDigest(
    "cria blocks",
    library,
    JSON.stringify(settings, (_, value) => (typeof value === "bigint" ? `${value}n` : value)),
    ...files.map((path) => digests.of(path)),
    "adapters",
    ...adapters.map((path) => digests.of(path)),
  );
}
