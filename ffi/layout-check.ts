import { AbiMismatchError } from "../lib/errors.ts";
import type { NativeBackend } from "./backend.ts";
import type { NativeSymbols } from "./bind.ts";
import type { NativeMemory } from "./memory.ts";
import { CStruct, type FieldName, type StructName } from "./struct.ts";

/** The llama.cpp release whose layouts are in the generated tables. */
export const pinnedVersion = "0.5.0";

/** Defaults that the pinned release fills in, spread over each struct so that a shifted layout shows. */
const known: { [S in StructName]?: Partial<Record<FieldName<S>, number>> } = {
  llama_model_params: {
    devices: 0,
    n_gpu_layers: -1,
    split_mode: 1,
    load_mode: -1,
    lazy_mode: 1,
    main_gpu: 0,
    kv_overrides: 0,
    vocab_only: 0,
    use_extra_bufts: 1,
    load_mtp: 0,
  },
  llama_context_params: {
    n_ctx: 512,
    n_batch: 2048,
    n_ubatch: 512,
    n_seq_max: 1,
    n_outputs_max_per_seq: 1,
    n_threads: 4,
    n_threads_batch: 4,
    pooling_type: -1,
    flash_attn_type: -1,
    yarn_ext_factor: -1,
    type_k: 1,
    type_v: 1,
    abort_callback: 0,
    embeddings: 0,
    offload_kqv: 1,
    no_perf: 1,
    op_offload: 1,
    swa_full: 1,
    kv_unified: 0,
    samplers: 0,
    ctx_other: 0,
  },
};

const sentinel = 0xa5;

function checkStruct(
  name: "llama_model_params" | "llama_context_params",
  fill: (target: CStruct<never>) => void,
  backend: NativeBackend,
): string | undefined {
  // Twice the room: a library whose struct is larger writes into the tail instead of over foreign memory.
  const target = new CStruct(backend, name, { count: 2 });
  target.bytes.fill(sentinel);
  fill(target as unknown as CStruct<never>);
  if (target.bytes.subarray(target.layout.size).some((byte) => byte !== sentinel)) {
    return `${name} is larger than the ${target.layout.size} bytes known`;
  }
  for (const [field, expected] of Object.entries(known[name] ?? {})) {
    const actual = target.get(field as never);
    if (actual !== expected) return `${name}.${field} defaults to ${actual}, expected ${expected}`;
  }
  return undefined;
}

/**
 * Refuses a library whose version, struct sizes or default values are not those of the pinned release.
 * @returns the version string. @throws AbiMismatchError
 */
export function checkLayout(
  c: NativeSymbols,
  backend: NativeBackend,
  memory: NativeMemory,
  path: string,
): string {
  const refuse = (reason: string): never => {
    throw new AbiMismatchError(
      `${path} is not the libllama that cria knows: ${reason}. Use llama.cpp v${pinnedVersion}, as in the npm ` +
        "packages @node-llama-cpp/*, and unset CRIA_LIBRARY_PATH to let cria find it.",
    );
  };
  let version: string | undefined;
  try {
    version = memory.readString(c.llama_version());
  } catch {
    refuse("it has no llama_version()");
  }
  if (!version || !(version === pinnedVersion || version.startsWith(`${pinnedVersion}-`))) {
    refuse(`version ${version}`);
  }
  const problem =
    checkStruct("llama_model_params", (target) => c.llama_model_default_params(target), backend) ??
    checkStruct("llama_context_params", (target) => c.llama_context_default_params(target), backend);
  if (problem) refuse(problem);
  return version as string;
}
