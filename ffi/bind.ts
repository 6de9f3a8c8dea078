import { AbiMismatchError } from "../lib/errors.ts";
import { type CallingConvention, type CFunctionCall, lower, raise } from "./abi.ts";
import type { NativeBackend, SharedObject } from "./backend.ts";
import { bindStructResult } from "./koffi-struct.ts";
import { libcOf } from "./libc.ts";
import { NativeMemory } from "./memory.ts";
import type { CStruct, StructName } from "./struct.ts";
import { symbols } from "./symbols.generated.ts";
import type { CType, Pointer, SymbolLibrary, SymbolSignature } from "./types.ts";

export type SymbolName = keyof typeof symbols & string;

type StructOf<T> = T extends `struct ${infer S extends StructName}` ? CStruct<S> : never;
type Argument<T extends CType> = T extends "ptr"
  ? Pointer
  : T extends "bool"
    ? boolean
    : T extends "i64" | "u64" | "usize"
      ? number | bigint
      : T extends `struct ${string}`
        ? StructOf<T>
        : number;
type Arguments<T extends readonly CType[]> = { -readonly [I in keyof T]: Argument<T[I] & CType> };
type Result<T extends CType> = T extends "void"
  ? undefined
  : T extends "ptr"
    ? Pointer
    : T extends "bool"
      ? boolean
      : number;
type CallOf<S extends SymbolSignature> = S["returns"] extends `struct ${string}`
  ? (result: StructOf<S["returns"]>, ...args: Arguments<S["args"]>) => void
  : (...args: Arguments<S["args"]>) => Result<S["returns"]>;

/** Every C function by its C name. A struct result is written into a {@link CStruct} given as the first argument. */
export type NativeSymbols = { readonly [N in SymbolName]: CallOf<(typeof symbols)[N]> };

export type SymbolSources = { [L in SymbolLibrary]?: SharedObject | undefined };

/** Names under which a backend's registry hands out functions that its shared object need not export. */
const procedureNames: Partial<Record<SymbolName, string>> = {
  ggml_numa_init: "ggml_backend_cpu_numa_init",
  ggml_is_numa: "ggml_backend_cpu_is_numa",
};
const registryNames: Partial<Record<SymbolLibrary, string>> = { "ggml-cpu": "CPU", "ggml-rpc": "RPC" };

/** An object whose functions are looked up and bound when first read: binding all takes time, few are used. */
export function bindSymbols(
  backend: NativeBackend,
  sources: SymbolSources,
  convention: CallingConvention,
): NativeSymbols {
  const target = {} as Record<string, unknown>;
  for (const [name, signature] of Object.entries(symbols) as [SymbolName, SymbolSignature][]) {
    Object.defineProperty(target, name, {
      configurable: true,
      enumerable: true,
      get() {
        const value = bindOne(
          backend,
          sources,
          convention,
          name,
          signature,
          target as unknown as NativeSymbols,
        );
        Object.defineProperty(target, name, { value, enumerable: true });
        return value;
      },
    });
  }
  return target as unknown as NativeSymbols;
}

function bindOne(
  backend: NativeBackend,
  sources: SymbolSources,
  convention: CallingConvention,
  name: SymbolName,
  signature: SymbolSignature,
  c: NativeSymbols,
): CFunctionCall {
  const lowered = lower(signature, convention);
  sources[signature.library] ??= backendObject(backend, signature.library, c);
  const source = sources[signature.library];
  let bound: CFunctionCall | undefined;
  if (lowered.resultPlan === "by-struct-type") {
    bound = source && bindStructResult(source.path, name, signature);
  } else {
    const machine = source ? source.bind(name, lowered) : undefined;
    const address = machine
      ? 0
      : procedureAddress(backend, signature.library, procedureNames[name] ?? name, c);
    const found = machine ?? (address ? backend.bindAddress(address, lowered) : undefined);
    bound = found && raise(found, lowered);
  }
  if (!bound) {
    const owner = source?.path ?? `the ${signature.library} backend of this libllama`;
    throw new AbiMismatchError(`${owner} has no function ${name}; cria needs llama.cpp v0.5.0`);
  }
  return bound;
}

/**
 * The shared object of a backend that was loaded at run time: which `libggml-cpu-*` fits this machine is known only to
 * ggml, so the path is asked of an address inside it.
 */
function backendObject(
  backend: NativeBackend,
  library: SymbolLibrary,
  c: NativeSymbols,
): SharedObject | undefined {
  if (library !== "ggml-cpu") return undefined;
  const address = procedureAddress(backend, library, "ggml_backend_set_n_threads", c);
  const path = libcOf(backend).objectPath(address);
  return path ? backend.open(path) : undefined;
}

/** Address of a function that a backend registers by name; 0 where none does. */
function procedureAddress(
  backend: NativeBackend,
  library: SymbolLibrary,
  name: string,
  c: NativeSymbols,
): Pointer {
  const registry = registryNames[library];
  if (!registry) return 0 as Pointer;
  const memory = new NativeMemory(backend, libcOf(backend));
  const registryName = memory.string(registry, "registry name");
  const registration = c.ggml_backend_reg_by_name(registryName.address);
  if (!registration) return 0 as Pointer;
  const procedureName = memory.string(name, "procedure name");
  return c.ggml_backend_reg_get_proc_address(registration, procedureName.address);
}
