import { closeSync, copyFileSync, openSync, readFileSync, writeSync } from "node:fs";
import { readGgufHeader } from "../../lib/gguf-header.ts";
import { writeGguf } from "../fixtures/gguf-writer.ts";

/** Writes a LoRA adapter for the tiny chat model whose values of the first layer are all `value`. */
export function writeBrokenAdapter(path: string, value: number): void {
  writeGguf(
    path,
    [
      { key: "general.architecture", type: "string", value: "llama" },
      { key: "general.type", type: "string", value: "adapter" },
      { key: "adapter.type", type: "string", value: "lora" },
      { key: "adapter.lora.alpha", type: "f32", value: 4 },
    ],
    [
      { name: "blk.0.attn_v.weight.lora_a", shape: [256, 4], type: "F32", fill: { constant: value } },
      { name: "blk.0.attn_v.weight.lora_b", shape: [4, 128], type: "F32", fill: { constant: 1 } },
    ],
    1,
  );
}

/**
 * Copies a model of half-precision embeddings and breaks the embedding of one token: whoever reads it computes NaN.
 * Where the output matrix is the embedding's, that token's logit is NaN for everyone.
 */
export function writeBrokenToken(path: string, { from, token }: { from: string; token: number }): void {
  copyFileSync(from, path);
  const header = readGgufHeader(new Uint8Array(readFileSync(from)));
  const embedding = header.tensors.get("token_embd.weight")!;
  const width = Number(embedding.shape[0]);
  const row = new Uint16Array(width).fill(0x7e00);
  const file = openSync(path, "r+");
  try {
    writeSync(file, row, 0, row.byteLength, header.dataOffset + embedding.offset + 2 * width * token);
  } finally {
    closeSync(file);
  }
}
