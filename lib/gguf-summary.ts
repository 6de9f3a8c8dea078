import { type GgufHeader, metadataArray, metadataNumber, metadataString } from "./gguf-header.ts";
import type { TensorInfo } from "./gguf-tensors.ts";
import { fileTypeName } from "./gguf-types.ts";

/** What a GGUF file holds, without loading it. */
export interface GgufSummary {
  /** `general.type`: "model", "adapter", …; "model" where the file does not say. */
  readonly kind: string;
  readonly architecture: string | undefined;
  readonly name: string | undefined;
  /** Elements of all tensors of this file (of all parts, where parts were read). */
  readonly parameterCount: number;
  /** Such as "F16" or "Q4_K_M", from `general.file_type`. */
  readonly fileType: string | undefined;
  readonly tensorTypes: ReadonlyMap<string, { readonly count: number; readonly byteLength: number }>;
  readonly contextLength: number | undefined;
  readonly embeddingLength: number | undefined;
  readonly layerCount: number | undefined;
  /** Tokens of the vocabulary, 0 without one. */
  readonly vocabularySize: number;
  readonly tensors: readonly TensorInfo[];
  /** Present in parts of a split model; `index` counts from 0. */
  readonly split: { readonly index: number; readonly count: number } | undefined;
  /** Bytes of tensor data. */
  readonly dataSize: number;
  readonly fileSize: number;
  readonly hasTensors: boolean;
  readonly hasVocabulary: boolean;
}

/** Sums up a header, or the headers of all parts of a split model, first part first. */
export function summarizeGguf(...headers: readonly [GgufHeader, ...GgufHeader[]]): GgufSummary {
  const [first] = headers;
  const architecture = metadataString(first, "general.architecture");
  const own = (key: string) => metadataNumber(first, `${architecture}.${key}`);
  const tensors = headers.flatMap((header) => [...header.tensors.values()]);
  const types = new Map<string, { count: number; byteLength: number }>();
  for (const { type, byteLength } of tensors) {
    const sum = types.get(type) ?? { count: 0, byteLength: 0 };
    types.set(type, { count: sum.count + 1, byteLength: sum.byteLength + byteLength });
  }
  const fileType = metadataNumber(first, "general.file_type");
  const splitCount = metadataNumber(first, "split.count") ?? 0;
  const vocabularySize = metadataArray(first, "tokenizer.ggml.tokens")?.length ?? 0;
  const total = (key: "dataSize" | "fileSize") => headers.reduce((sum, header) => sum + header[key], 0);
  return {
    kind: metadataString(first, "general.type") ?? "model",
    architecture,
    name: metadataString(first, "general.name"),
    parameterCount: tensors.reduce((sum, tensor) => sum + tensor.elementCount, 0),
    fileType: fileType === undefined ? undefined : fileTypeName(fileType),
    tensorTypes: types,
    contextLength: own("context_length"),
    embeddingLength: own("embedding_length"),
    layerCount: own("block_count"),
    vocabularySize,
    tensors,
    split: splitCount > 1 ? { index: metadataNumber(first, "split.no") ?? 0, count: splitCount } : undefined,
    dataSize: total("dataSize"),
    fileSize: total("fileSize"),
    hasTensors: tensors.length > 0,
    hasVocabulary: vocabularySize > 0,
  };
}
