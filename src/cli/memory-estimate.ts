import { type GgufHeader, metadataArray, metadataNumber } from "../../lib/gguf-header.ts";
import type { GgufSummary } from "../../lib/gguf-summary.ts";
import { tensorTypes } from "../../lib/gguf-types.ts";
import { type CacheType, cacheTypes } from "../context-options.ts";

export interface MemoryEstimate {
  contextLength: number;
  weightsBytes: number;
  kvCacheBytes: number;
}

/** libllama rounds the length of a context up to a multiple of this. */
const contextStep = 256;

/** What a layer that attends to earlier tokens has, by the names of llama.cpp's architectures. */
const attentionTensor = /^(?:dec\.)?blk\.(\d+)\.attn_(?:k|qkv|kv|kv_a_mqa)\.weight$/;

/**
 * Bytes of weights and of the KV cache, from the header alone. What computing needs comes on top, and the small state of
 * recurrent layers.
 */
export function estimateMemory(
  header: GgufHeader,
  summary: GgufSummary,
  options: { ctxSize?: number; cacheTypeK: CacheType; cacheTypeV: CacheType },
): MemoryEstimate {
  const own = (key: string) => metadataNumber(header, `${summary.architecture}.${key}`);
  const trained = summary.contextLength ?? 0;
  const wanted = options.ctxSize ?? (Math.min(4096, trained) || 4096);
  const contextLength = Math.ceil((wanted || trained) / contextStep) * contextStep;

  const heads = own("attention.head_count") ?? 0;
  const width = heads > 0 ? (summary.embeddingLength ?? 0) / heads : 0;
  const keyLength = own("attention.key_length") ?? width;
  // Latent attention (MLA) computes the values from what it keeps of the keys.
  const latent = own("attention.key_length_mla") !== undefined;
  const valueLength = latent ? 0 : (own("attention.value_length") ?? width);
  const elementBytes =
    keyLength * bytesOfElement(options.cacheTypeK) + valueLength * bytesOfElement(options.cacheTypeV);
  const kvHeads = keyValueHeads(header, summary, heads);
  return {
    contextLength,
    weightsBytes: summary.dataSize,
    kvCacheBytes: Math.round(contextLength * kvHeads * elementBytes),
  };
}

/** Heads of keys and values over all layers. Encoders keep no cache. */
function keyValueHeads(header: GgufHeader, summary: GgufSummary, heads: number): number {
  const key = `${summary.architecture}.attention`;
  if (header.metadata.get(`${key}.causal`)?.value === false) return 0;
  const same = metadataNumber(header, `${key}.head_count_kv`) ?? heads;
  const perLayer = metadataArray(header, `${key}.head_count_kv`);
  const layers = new Set(summary.tensors.map(({ name }) => attentionTensor.exec(name)?.[1]));
  layers.delete(undefined);
  return [...layers].reduce((sum, layer) => {
    const own = Number(layer) < (perLayer?.length ?? 0) ? perLayer?.at(Number(layer)) : same;
    return sum + Number(own ?? 0);
  }, 0);
}

function bytesOfElement(type: CacheType): number {
  const { blockBytes, blockSize } = tensorTypes.get(cacheTypes[type]) as {
    blockBytes: number;
    blockSize: number;
  };
  return blockBytes / blockSize;
}
