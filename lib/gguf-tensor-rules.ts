import type { TensorInfo } from "./gguf-tensors.ts";

/** Types ggml uses between operations or for indices; kernels that meet one in a weight end the process. */
const neverWeights = new Set(["Q8_1", "Q8_K", "I8", "I16", "I32", "I64", "F64"]);
/** Tables from token to expert, and from a draft model's tokens to its target's: they do hold indices. */
const indexTable = /ffn_gate_tid2eid|^d2t(\.|$)/;
/** Operands of elementwise kernels, which on the CPU read nothing but F32; converters write them so. */
const alwaysF32 =
  /(\.bias|norm(_\w+)?\.weight)$|(^|\.)(ssm_a|ssm_d|ssm_conv1d\.weight|shortconv\.conv\.weight|token_types\.weight)$/;

/** Says why a tensor's type would end the process when the model runs; `undefined` where it would not. */
export function tensorTypeProblem({ name, type }: TensorInfo): string | undefined {
  if (neverWeights.has(type) && !indexTable.test(name)) {
    return `the tensor ${name} has the type ${type}, which no weight may have`;
  }
  if (type !== "F32" && alwaysF32.test(name))
    return `the tensor ${name} has the type ${type}, and must be F32`;
  return undefined;
}
