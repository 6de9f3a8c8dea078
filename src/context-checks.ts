import { totalmem } from "node:os";
import { ggml_type, llama_attention_type, type Native } from "../ffi/index.ts";
import { ContextInitError } from "../lib/errors.ts";
import type { ContextParameters } from "./context-options.ts";
import type { Model } from "./model.ts";

/**
 * Refuses parameters that the model cannot be given: libllama asserts on them, or the system ends the process.
 * @throws RangeError naming the option, ContextInitError for a cache larger than the machine's memory.
 */
export function checkParameters(model: Model, parameters: ContextParameters): void {
  if (model.hasEncoder && model.hasDecoder && parameters.n_seq_max! > 1 && parameters.kv_unified !== 1) {
    throw new RangeError("an encoder-decoder model with maxSequences above 1 needs unifiedCache: true");
  }
  if (model.hasEncoder && model.hasDecoder && parameters.pooling_type! > 0) {
    throw new RangeError("pooling must be none for an encoder-decoder model");
  }
  checkMemory(model, parameters, model.native);
  checkPooling(model, parameters);
}

/** Architectures that look positions up in a table of the training length, beyond which there is nothing. */
const learnedPositions = new Set(["bert", "gpt2", "starcoder", "mpt"]);

/** Positions that a model has: unlimited where they are computed. */
export function positionLimit(model: Model): number {
  const architecture = model.metadata.get("general.architecture") ?? "";
  return learnedPositions.has(architecture) ? model.trainContextLength : Number.POSITIVE_INFINITY;
}

/** Pooling reads the outputs of a whole micro-batch: with fewer, building the graph asserts. */
function checkPooling(model: Model, parameters: ContextParameters): void {
  const architecture = model.metadata.get("general.architecture");
  const own = Number(model.metadata.get(`${architecture}.pooling_type`) ?? 0);
  const pooling = parameters.pooling_type === -1 ? own : parameters.pooling_type!;
  const { n_outputs_max: maxOutputs, n_ubatch: microBatchSize } = parameters;
  if (pooling > 0 && maxOutputs! > 0 && maxOutputs! < microBatchSize!) {
    throw new RangeError(
      `maxOutputs must be 0 or at least microBatchSize (${microBatchSize}) where the context pools, got ${maxOutputs}`,
    );
  }
}

/** Architectures whose attention looks both ways whatever their files say. */
const bidirectional = new Set(["gemma-embedding", "rnd1", "dream", "llada", "llada-moe"]);

/** Whether tokens see only those before them: libllama decides it by option, architecture and metadata, and tells nobody. */
export function isCausal(model: Model, parameters: ContextParameters): boolean {
  const attention = parameters.attention_type ?? -1;
  if (attention >= 0) return attention === llama_attention_type.LLAMA_ATTENTION_TYPE_CAUSAL;
  const architecture = model.metadata.get("general.architecture") ?? "";
  if (bidirectional.has(architecture)) return false;
  const key = `${architecture}.attention.causal`;
  const override = model.options.kvOverrides?.[key];
  const value = typeof override === "object" ? override.value : override;
  return String(value ?? model.metadata.get(key) ?? true) === "true";
}

/** Refuses a KV cache that the machine cannot hold: the system would let it be reserved and then end the process. */
function checkMemory(model: Model, parameters: ContextParameters, native: Native): void {
  if (model.layerCount <= 0 || model.headCount <= 0) return;
  const length = parameters.n_ctx || model.trainContextLength;
  const width = (model.embeddingLength / model.headCount) * model.kvHeadCount;
  if (!Number.isFinite(width)) return;
  const row = (type: number) => native.c.ggml_row_size(type, Math.ceil(width / 256) * 256);
  const bytes =
    length *
    model.layerCount *
    (row(parameters.type_k ?? ggml_type.GGML_TYPE_F16) + row(parameters.type_v ?? ggml_type.GGML_TYPE_F16));
  if (bytes > totalmem()) {
    const gib = (value: number) => `${(value / 2 ** 30).toFixed(1)} GiB`;
    throw new ContextInitError(
      `contextLength ${length} needs a KV cache of about ${gib(bytes)}, and this machine has ${gib(totalmem())}; ` +
        "choose a smaller contextLength or a quantized cacheTypeK and cacheTypeV",
    );
  }
}
