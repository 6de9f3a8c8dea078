import { type BackendName, isBun, loadBackend, type NativeBackend } from "../../ffi/backend.ts";

/** Backends that run on this runtime, whichever CRIA_FFI names. */
export const backendNames: readonly BackendName[] = isBun ? ["bun", "koffi"] : ["koffi"];

/** Each backend that runs here, for `describe.each`. */
export async function allBackends(): Promise<[BackendName, NativeBackend][]> {
  return Promise.all(backendNames.map(async (name) => [name, await loadBackend(name)] as const)) as Promise<
    [BackendName, NativeBackend][]
  >;
}
