import { ggml_backend_dev_type } from "../../ffi/index.ts";
import { Batch } from "../batch.ts";
import { Context } from "../context.ts";
import type { ContextOptions } from "../context-options.ts";
import type { Model } from "../model.ts";

/** Tokens of context to measure at; attention matters more the deeper it is. */
const depth = 256;
/**
 * Bytes of weights above which nothing is measured: it would take long, and such models have heads of a size for which
 * libllama's choice is right. What is measured must not hang on how busy the machine is, or the same seed would not give
 * the same text.
 */
const mostBytes = 2 ** 26;
/** What of the time the plain way may take, to be chosen. */
const margin = 0.9;
const steps = 8;

/**
 * Whether flash attention pays, by a short measurement. libllama's "auto" turns it on wherever it can be computed, which on
 * a CPU makes models with small heads several times slower.
 * @returns "auto" where that is not settled here: with a GPU, a quantized V cache, or a model too large to measure quickly.
 */
export function settleFlashAttention(model: Model, options: ContextOptions): boolean | "auto" {
  const { flashAttention: wanted = "auto", cacheTypeV = "f16" } = options;
  if (wanted !== "auto") return wanted === true || wanted === "on";
  if (model.sizeBytes > mostBytes) return "auto";
  const plain = cacheTypeV === "f16" || cacheTypeV === "f32" || cacheTypeV === "bf16";
  if (!plain || usesGpu(model) || model.isRecurrent || !model.hasDecoder || model.hasEncoder) return "auto";
  const off = new Trial(model, options, false);
  try {
    if (!off.hasMemory) return "auto";
    const on = new Trial(model, options, true);
    try {
      off.fill();
      on.fill();
      // In turns, and the fastest of each: a busy machine must not change the outcome, and with it what texts say.
      const rounds = Array.from({ length: steps }, () => [off.step(), on.step()] as const);
      const fastest = (index: 0 | 1) => Math.min(...rounds.map((round) => round[index]));
      return fastest(0) >= margin * fastest(1);
    } finally {
      on.dispose();
    }
  } finally {
    off.dispose();
  }
}

/** Whether a model's layers may be on a GPU. */
export function usesGpu({ native, options }: Model): boolean {
  if (options.gpuLayers === 0) return false;
  const { c } = native;
  const { GGML_BACKEND_DEVICE_TYPE_GPU: gpu, GGML_BACKEND_DEVICE_TYPE_IGPU: integrated } =
    ggml_backend_dev_type;
  return Array.from({ length: c.ggml_backend_dev_count() }, (_, index) =>
    c.ggml_backend_dev_type(c.ggml_backend_dev_get(index)),
  ).some((type) => type === gpu || type === integrated);
}

/** A small context of its own. */
class Trial {
  readonly #context: Context;
  readonly #batch: Batch;
  readonly #token: number;
  #length = 0;

  constructor(model: Model, options: ContextOptions, flashAttention: boolean) {
    const length = depth + steps;
    this.#context = new Context(model, {
      ...options,
      flashAttention,
      embeddings: false,
      pooling: "none",
      contextLength: length,
      batchSize: depth,
      microBatchSize: depth,
      maxSequences: 1,
    });
    this.#batch = new Batch(model.native, { capacity: depth });
    this.#token = Math.min(model.vocab.size - 1, 100);
  }

  get hasMemory(): boolean {
    return this.#context.hasMemory;
  }

  fill(): void {
    this.#decode(depth);
  }

  /** Milliseconds of a single token. */
  step(): number {
    return this.#decode(1);
  }

  dispose(): void {
    this.#context.dispose();
  }

  #decode(count: number): number {
    const started = performance.now();
    const tokens = new Int32Array(new ArrayBuffer(4 * count)).fill(this.#token);
    this.#context.decode(this.#batch.fill(tokens, { position: this.#length, outputs: "last" }));
    this.#length += count;
    return performance.now() - started;
  }
}
