import { ModelLoadError } from "../lib/errors.ts";
import { type GgufHeader, metadataString } from "../lib/gguf-header.ts";
import type { TensorInfo } from "../lib/gguf-tensors.ts";

type Tensors = ReadonlyMap<string, TensorInfo>;
type Refuse = (problem: string) => never;

const embedding = "token_embd.weight";

/**
 * Refuses a LoRA adapter that would end the process, when libllama reads it or when a context uses it.
 *
 * libllama asserts the types of the metadata, and compares two dimensions of each pair with the model's tensor; ggml
 * asserts the others, in the middle of a decode. What else does not fit libllama reports by itself.
 *
 * @throws ModelLoadError
 */
export function checkAdapter(header: GgufHeader, model: Tensors): void {
  const refuse: Refuse = (problem) => {
    throw new ModelLoadError(`${header.name}: ${problem}; convert the adapter again, for this model`);
  };
  const type = metadataString(header, "general.type");
  if (type !== "adapter") {
    throw new ModelLoadError(
      `${header.name} is no adapter (its general.type is ${type ?? "missing"}); name a LoRA adapter in GGUF`,
    );
  }
  for (const key of ["general.architecture", "adapter.type"]) {
    const entry = header.metadata.get(key);
    if (entry && entry.type !== "string") refuse(`${key} must be a string, got ${entry.type}`);
  }
  const alpha = header.metadata.get("adapter.lora.alpha");
  if (alpha && (alpha.type !== "f32" || !Number.isFinite(alpha.value)))
    refuse(`adapter.lora.alpha must be a finite f32, got ${String(alpha.value)} of type ${alpha.type}`);
  for (const [name, tensor] of header.tensors) {
    const base = name.replace(/\.lora_[ab]$/, "");
    const target = base === name ? undefined : model.get(base);
    if (target) checkShape(tensor, target, refuse);
  }
  // Without an output matrix libllama multiplies by the embedding, and meets this pair with its sides swapped.
  if (header.tensors.has(`${embedding}.lora_a`) && !model.has("output.weight"))
    refuse(`it changes ${embedding}, which this model also uses as its output matrix`);
}

function checkShape(tensor: TensorInfo, target: TensorInfo, refuse: Refuse): void {
  for (const dimension of [2, 3]) {
    const [have, want] = [tensor.shape[dimension] ?? 1, target.shape[dimension] ?? 1];
    if (have !== want)
      refuse(`the tensor ${tensor.name} has the shape [${tensor.shape}], the model's [${target.shape}]`);
  }
}
