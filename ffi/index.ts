export { type BackendName, isBun, loadBackend, type NativeBackend, releaseBackends } from "./backend.ts";
export type { NativeSymbols, SymbolName } from "./bind.ts";
export * from "./enums.generated.ts";
export { pinnedVersion } from "./layout-check.ts";
export { type LibraryOptions, loadLibrary, type Native } from "./library.ts";
export { type GpuChoice, type GpuKind, gpuChoices, type LibraryAttempt, type LibrarySet } from "./locate.ts";
export { NativeMemory, type NativeString } from "./memory.ts";
export { CStruct, checkInteger, type StructName } from "./struct.ts";
export type { Pointer } from "./types.ts";
