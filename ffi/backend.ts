import type { Pointer, ScalarType } from "./types.ts";

/** Signature in machine types only: what remains of a C signature once {@link lower} dealt with structs. */
export interface MachineSignature {
  readonly returns: ScalarType | "void";
  readonly args: readonly ScalarType[];
}

export type MachineValue = number | bigint | boolean;

/** 64-bit results come back as `number` where exact, else as `bigint`; a NULL pointer is 0. */
// biome-ignore lint/suspicious/noConfusingVoidType: a C function may return nothing.
export type NativeFunction = (...args: MachineValue[]) => MachineValue | void;

/** An open shared library. It stays open for the life of the process: ggml registers itself globally. */
export interface SharedObject {
  readonly path: string;
  /** Binds an exported function, or gives `undefined` where the library has none of that name. */
  bind(name: string, signature: MachineSignature): NativeFunction | undefined;
}

/** A JavaScript function callable from C on the thread that made it, and on no other. */
export interface NativeCallback {
  readonly address: Pointer;
  release(): void;
}

/** What cria needs of a foreign function interface; bun:ffi and koffi implement it. */
export interface NativeBackend {
  readonly name: BackendName;
  /** @throws Error of the backend where the library cannot be opened. */
  open(path: string): SharedObject;
  /** Binds the function at an address, such as one from `ggml_backend_reg_get_proc_address`. */
  bindAddress(address: Pointer, signature: MachineSignature): NativeFunction;
  /** Address of the first byte of a view; the caller keeps the view alive while C uses it. */
  addressOf(view: ArrayBufferView): Pointer;
  callback(
    signature: MachineSignature,
    body: (...args: number[]) => MachineValue | undefined,
  ): NativeCallback;
  /** Frees what calls are made through, as the last thing a thread does; nothing that was bound may be called after. */
  release(): void;
}

export type BackendName = "bun" | "koffi";
const backendNames: readonly BackendName[] = ["bun", "koffi"];

export const isBun = typeof (globalThis as { Bun?: unknown }).Bun !== "undefined";

const loaded = new Map<BackendName, Promise<NativeBackend>>();

/**
 * Loads a foreign function interface: bun:ffi on Bun, koffi elsewhere, unless named.
 * `bun:ffi` is imported on demand, since the name does not resolve on other runtimes.
 *
 * @throws RangeError for a name there is not, or that does not run here.
 */
export function loadBackend(name: BackendName = isBun ? "bun" : "koffi"): Promise<NativeBackend> {
  if (!backendNames.includes(name)) {
    throw new RangeError(`backend (CRIA_FFI) must be one of ${backendNames.join(", ")}, got "${name}"`);
  }
  if (name === "bun" && !isBun) {
    throw new RangeError('the "bun" backend needs Bun; use backend "koffi" here (CRIA_FFI=koffi)');
  }
  let backend = loaded.get(name);
  if (!backend) {
    backend =
      name === "bun"
        ? import("./backend-bun.ts").then((module) => module.createBunBackend())
        : import("./backend-koffi.ts").then((module) => module.createKoffiBackend());
    loaded.set(name, backend);
  }
  return backend;
}

/**
 * Frees what this thread calls C through. A thread that ends does not give it back by itself.
 * The libraries stay open where another thread has them open.
 */
export async function releaseBackends(): Promise<void> {
  for (const backend of loaded.values()) (await backend).release();
  loaded.clear();
}
