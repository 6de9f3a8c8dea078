import type { Native } from "../../ffi/index.ts";
import { compileLibraries } from "./compile-c.ts";

/** How a fake differs from the real libllama; left out, it answers the load check just as the real one does. */
export interface FakeLlama {
  /** `null`: the library has no `llama_version` at all. */
  readonly version?: string | null;
  /** Fields of `llama_context_params` whose default is another. */
  readonly contextDefaults?: Readonly<Record<string, number>>;
  readonly modelDefaults?: Readonly<Record<string, number>>;
  /** Words that the structs are longer (or shorter). */
  readonly extraModelWords?: number;
  readonly extraContextWords?: number;
}

function defaultWords(
  native: Native,
  name: "llama_model_params" | "llama_context_params",
  changes: Readonly<Record<string, number>>,
): BigUint64Array {
  const struct = native.struct(name);
  if (name === "llama_model_params") native.c.llama_model_default_params(struct as never);
  else native.c.llama_context_default_params(struct as never);
  for (const [field, value] of Object.entries(changes)) struct.set(field as never, value);
  return new BigUint64Array(struct.bytes.slice().buffer as ArrayBuffer);
}

function giver(name: string, words: BigUint64Array, extra: number): string {
  const length = words.length + extra;
  const values = Array.from({ length }, (_, index) => `${words[index] ?? 0}ull`);
  return `
typedef struct { unsigned long long w[${length}]; } ${name}_t;
${name}_t ${name}(void) { ++calls; ${name}_t s = {{ ${values.join(", ")} }}; return s; }`;
}

/**
 * A folder with a libllama, libggml and libggml-base that do nothing but answer the load check. `calls_beyond` in libllama
 * counts the calls of functions that come after the check.
 */
export function fakeLibraries(native: Native, fake: FakeLlama = {}): string {
  const { version = "0.5.0" } = fake;
  const llama = `
static int calls, beyond;
int calls_beyond(void) { return beyond; }
int calls_before(void) { return calls; }
${version === null ? "" : `const char * llama_version(void) { ++calls; return ${JSON.stringify(version)}; }`}
${giver(
  "llama_model_default_params",
  defaultWords(native, "llama_model_params", fake.modelDefaults ?? {}),
  fake.extraModelWords ?? 0,
)}
${giver(
  "llama_context_default_params",
  defaultWords(native, "llama_context_params", fake.contextDefaults ?? {}),
  fake.extraContextWords ?? 0,
)}
void llama_backend_init(void) { ++beyond; }
void llama_log_set(void * callback, void * data) { (void)callback; (void)data; ++beyond; }
`;
  // One registered backend: the loader then has nothing to load.
  const ggml = `
unsigned long ggml_backend_reg_count(void) { return 1; }
void ggml_backend_load_all_from_path(const char * path) { (void)path; }
`;
  const base = "void ggml_log_set(void * callback, void * data) { (void)callback; (void)data; }\n";
  return compileLibraries({ libllama: llama, libggml: ggml, "libggml-base": base });
}
