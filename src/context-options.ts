import { availableParallelism } from "node:os";
import { checkInteger, ggml_type } from "../ffi/index.ts";

/** Types a KV cache may have. */
export const cacheTypes = {
  f32: ggml_type.GGML_TYPE_F32,
  f16: ggml_type.GGML_TYPE_F16,
  bf16: ggml_type.GGML_TYPE_BF16,
  q8_0: ggml_type.GGML_TYPE_Q8_0,
  q4_0: ggml_type.GGML_TYPE_Q4_0,
  q4_1: ggml_type.GGML_TYPE_Q4_1,
  q5_0: ggml_type.GGML_TYPE_Q5_0,
  q5_1: ggml_type.GGML_TYPE_Q5_1,
  iq4_nl: ggml_type.GGML_TYPE_IQ4_NL,
} as const;
export type CacheType = keyof typeof cacheTypes;

const ropeScalings = { unspecified: -1, none: 0, linear: 1, yarn: 2, longrope: 3 } as const;
const poolings = { unspecified: -1, none: 0, mean: 1, cls: 2, last: 3, rank: 4 } as const;
const attentions = { unspecified: -1, causal: 0, "non-causal": 1 } as const;
const flashAttentions = { auto: -1, off: 0, on: 1 } as const;
const contextTypes = { default: 0, mtp: 1 } as const;

/** Fields of `llama_context_params`; lengths in tokens. */
export interface ContextOptions {
  /** Tokens of context; 0 takes the model's own training length. Default 4096 or that, whichever is less. */
  contextLength?: number;
  /** Most tokens of one `decode` call. Default 2048. */
  batchSize?: number;
  /** Most tokens computed at once inside it. Default 512. */
  microBatchSize?: number;
  /** Distinct sequences, 1 to 256. Default 1. */
  maxSequences?: number;
  /** Recurrent models: snapshots kept for rolling back, per sequence. Default 0. */
  recurrentSnapshots?: number;
  /** Most outputs in a micro-batch; 0 takes `batchSize`. */
  maxOutputs?: number;
  /** Most outputs for one sequence where samplers run in the graph. Default 1. */
  maxOutputsPerSequence?: number;
  /** Compute threads for single tokens. Default: half the processors, at least 1, which leaves room for JavaScript. */
  threads?: number;
  /** Compute threads for batches. Default: as `threads`. */
  batchThreads?: number;
  contextType?: keyof typeof contextTypes;
  ropeScaling?: keyof typeof ropeScalings;
  pooling?: keyof typeof poolings;
  attention?: keyof typeof attentions;
  flashAttention?: keyof typeof flashAttentions | boolean;
  /** RoPE base frequency; 0 takes the model's. */
  ropeFrequencyBase?: number;
  /** RoPE frequency scale; 0 takes the model's. */
  ropeFrequencyScale?: number;
  yarnExtrapolationFactor?: number;
  yarnAttentionFactor?: number;
  yarnBetaFast?: number;
  yarnBetaSlow?: number;
  yarnOriginalContextLength?: number;
  cacheTypeK?: CacheType;
  cacheTypeV?: CacheType;
  /** Extract embeddings besides logits. */
  embeddings?: boolean;
  offloadKqv?: boolean;
  /** Measure times inside libllama, read by {@link Context.performance}. Default true. */
  measure?: boolean;
  offloadOperations?: boolean;
  /** Keep the whole sliding-window cache, so that a prefix can be reused at any length. Default true. */
  fullSlidingWindow?: boolean;
  /** One KV buffer for all sequences, which lets them share cells. Default false. */
  unifiedCache?: boolean;
}

export type ContextParameters = Record<string, number>;

/** Half the processors: one per core where each runs two threads, and never all of them. */
export function defaultThreadCount(): number {
  return Math.max(1, Math.floor(availableParallelism() / 2));
}

function choose<T extends Record<string, number>>(table: T, value: string, field: string): number {
  const found = Object.hasOwn(table, value) ? table[value] : undefined;
  if (found === undefined) {
    throw new RangeError(`${field} must be one of ${Object.keys(table).join(", ")}, got "${value}"`);
  }
  return found;
}

function integer(value: number, field: string, least: number, most: number): number {
  checkInteger(value, "i64", field);
  if (value < least || value > most) {
    throw new RangeError(`${field} must be between ${least} and ${most}, got ${value}`);
  }
  return value;
}

function float(value: number, field: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new TypeError(`${field} must be a finite number, got ${value}`);
  }
  return value;
}

/** libllama keeps an output for every sequence, and asserts where the limits leave no room for them. */
function checkOutputRoom(lengths: {
  contextLength: number;
  batchSize: number;
  maxOutputs: number;
  maxSequences: number;
}): void {
  const { contextLength, batchSize, maxOutputs, maxSequences } = lengths;
  const limits = {
    contextLength: contextLength || batchSize,
    batchSize,
    maxOutputs: maxOutputs || batchSize,
  };
  for (const [name, limit] of Object.entries(limits)) {
    if (limit < maxSequences) {
      throw new RangeError(`${name} must be at least maxSequences (${maxSequences}), got ${limit}`);
    }
  }
}

export const maxContextLength = 2 ** 24;
export const maxThreads = 512;

/**
 * Turns options into fields of `llama_context_params`.
 * @throws TypeError, RangeError naming the option.
 */
export function contextParameters(options: ContextOptions, trainContextLength: number): ContextParameters {
  const defaultLength = trainContextLength > 0 ? Math.min(4096, trainContextLength) : 4096;
  const contextLength = integer(options.contextLength ?? defaultLength, "contextLength", 0, maxContextLength);
  const batchSize = integer(options.batchSize ?? 2048, "batchSize", 1, maxContextLength);
  const threads = integer(options.threads ?? defaultThreadCount(), "threads", 1, maxThreads);
  const maxSequences = integer(options.maxSequences ?? 1, "maxSequences", 1, 256);
  const maxOutputs = integer(options.maxOutputs ?? 0, "maxOutputs", 0, batchSize);
  const microBatchSize = integer(
    options.microBatchSize ?? Math.min(512, batchSize),
    "microBatchSize",
    1,
    batchSize,
  );
  const recurrentSnapshots = integer(options.recurrentSnapshots ?? 0, "recurrentSnapshots", 0, 4096);
  // libllama keeps the last tokens of a sequence together in one micro-batch, and asserts where they fill it.
  const micro = Math.min(microBatchSize, contextLength || microBatchSize);
  if (recurrentSnapshots > 0 && micro < recurrentSnapshots + 2) {
    throw new RangeError(
      `microBatchSize must be at least recurrentSnapshots + 2 (${recurrentSnapshots + 2}), got ${micro}`,
    );
  }
  checkOutputRoom({ contextLength, batchSize, maxOutputs, maxSequences });
  const flash = options.flashAttention ?? "auto";
  const flag = (name: keyof ContextOptions, fallback: boolean) => {
    const value = options[name] ?? fallback;
    if (typeof value !== "boolean") throw new TypeError(`${name} must be a boolean, got ${value}`);
    return Number(value);
  };
  return {
    n_ctx: contextLength,
    n_batch: batchSize,
    n_ubatch: microBatchSize,
    n_seq_max: maxSequences,
    n_rs_seq: recurrentSnapshots,
    n_outputs_max: maxOutputs,
    n_outputs_max_per_seq: integer(options.maxOutputsPerSequence ?? 1, "maxOutputsPerSequence", 0, batchSize),
    n_threads: threads,
    n_threads_batch: integer(options.batchThreads ?? threads, "batchThreads", 1, maxThreads),
    ctx_type: choose(contextTypes, options.contextType ?? "default", "contextType"),
    rope_scaling_type: choose(ropeScalings, options.ropeScaling ?? "unspecified", "ropeScaling"),
    pooling_type: choose(poolings, options.pooling ?? "unspecified", "pooling"),
    attention_type: choose(attentions, options.attention ?? "unspecified", "attention"),
    flash_attn_type:
      typeof flash === "boolean" ? Number(flash) : choose(flashAttentions, flash, "flashAttention"),
    rope_freq_base: float(options.ropeFrequencyBase ?? 0, "ropeFrequencyBase"),
    rope_freq_scale: float(options.ropeFrequencyScale ?? 0, "ropeFrequencyScale"),
    yarn_ext_factor: float(options.yarnExtrapolationFactor ?? -1, "yarnExtrapolationFactor"),
    yarn_attn_factor: float(options.yarnAttentionFactor ?? -1, "yarnAttentionFactor"),
    yarn_beta_fast: float(options.yarnBetaFast ?? -1, "yarnBetaFast"),
    yarn_beta_slow: float(options.yarnBetaSlow ?? -1, "yarnBetaSlow"),
    yarn_orig_ctx: integer(
      options.yarnOriginalContextLength ?? 0,
      "yarnOriginalContextLength",
      0,
      maxContextLength,
    ),
    type_k: choose(cacheTypes, options.cacheTypeK ?? "f16", "cacheTypeK"),
    type_v: choose(cacheTypes, options.cacheTypeV ?? "f16", "cacheTypeV"),
    embeddings: flag("embeddings", false),
    offload_kqv: flag("offloadKqv", true),
    no_perf: 1 - flag("measure", true),
    op_offload: flag("offloadOperations", true),
    swa_full: flag("fullSlidingWindow", true),
    kv_unified: flag("unifiedCache", false),
  };
}
