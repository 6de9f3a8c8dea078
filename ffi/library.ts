import { AbiMismatchError, LibraryLoadError } from "../lib/errors.ts";
import { hostConvention } from "./abi.ts";
import { type BackendName, loadBackend, type NativeBackend } from "./backend.ts";
import { bindSymbols, type NativeSymbols, type SymbolName, type SymbolSources } from "./bind.ts";
import { checkLayout } from "./layout-check.ts";
import { type Libc, libcOf } from "./libc.ts";
import { type LibraryAttempt, type LibrarySet, type LocateOptions, locateLibraries } from "./locate.ts";
import { NativeMemory } from "./memory.ts";
import { CStruct, type StructName } from "./struct.ts";

export interface LibraryOptions extends LocateOptions {
  /** Which foreign function interface to use; CRIA_FFI sets the default. */
  backend?: BackendName | undefined;
}

/** libllama, opened and checked: every C function, structs, and memory. One per backend and path, never closed. */
export interface Native {
  readonly backend: NativeBackend;
  readonly libc: Libc;
  readonly memory: NativeMemory;
  /** The C functions, each bound when first used. */
  readonly c: NativeSymbols;
  readonly library: LibrarySet;
  /** `llama_version()`, such as "0.5.0-dev". */
  readonly version: string;
  /** Places tried before this library was taken. */
  readonly attempts: readonly LibraryAttempt[];
  /** Whether the opened libraries have a function; the optional ones are ggml-cpu's and RPC's. */
  has(name: SymbolName): boolean;
  struct<S extends StructName>(name: S, options?: { count?: number }): CStruct<S>;
}

const remedy =
  "Install the platform package (npm install --include=optional cria), or point CRIA_LIBRARY_PATH at a folder that " +
  "holds libllama, libggml and libggml-base of llama.cpp v0.5.0. `cria doctor` shows what was found.";

function describe(attempts: readonly LibraryAttempt[]): string {
  return attempts.map(({ place, reason }) => `  - ${place}: ${reason}`).join("\n");
}

const open = new Map<string, Promise<Native>>();

/**
 * Finds, opens and checks libllama; later calls with the same options give the same object.
 * @throws LibraryLoadError listing every place tried, AbiMismatchError where a library is not the pinned release.
 */
export function loadLibrary(options: LibraryOptions = {}): Promise<Native> {
  const backendName = options.backend ?? (process.env.CRIA_FFI as BackendName | undefined);
  const key = JSON.stringify([
    backendName,
    options.libraryPath ?? process.env.CRIA_LIBRARY_PATH,
    options.gpu ?? process.env.CRIA_GPU,
  ]);
  let native = open.get(key);
  if (!native) {
    native = openFirst(options, backendName);
    open.set(key, native);
    // A failed attempt is forgotten, so that the caller may mend what was wrong and try again.
    native.catch(() => open.delete(key));
  }
  return native;
}

async function openFirst(options: LibraryOptions, backendName: BackendName | undefined): Promise<Native> {
  const { found, attempts } = locateLibraries(options);
  const backend = await loadBackend(backendName);
  const failures: unknown[] = [];
  for (const library of found) {
    try {
      return openSet(backend, library, attempts);
    } catch (error) {
      attempts.push({ place: `${library.llama} (${library.origin})`, reason: (error as Error).message });
      failures.push(error);
      if (error instanceof AbiMismatchError && found.length === 1) throw error;
    }
  }
  throw new LibraryLoadError(
    `libllama was not found or could not be opened. Tried:\n${describe(attempts)}\n${remedy}`,
    {
      cause: failures[0],
    },
  );
}

function openSet(backend: NativeBackend, library: LibrarySet, attempts: LibraryAttempt[]): Native {
  const libc = libcOf(backend);
  const memory = new NativeMemory(backend, libc);
  const sources: SymbolSources = {
    "ggml-base": backend.open(library.ggmlBase),
    ggml: backend.open(library.ggml),
  };
  const convention = hostConvention();
  const c = bindSymbols(backend, sources, convention);
  c.ggml_log_set(libc.absAddress, 0);
  // Backends register globally: loading them twice (a second backend, a Worker) would list each device twice.
  if (c.ggml_backend_reg_count() === 0) {
    const folder = memory.string(library.directory, "library folder");
    c.ggml_backend_load_all_from_path(folder.address);
  }
  sources.llama = backend.open(library.llama);
  const version = checkLayout(c, backend, memory, library.llama);
  c.llama_log_set(libc.absAddress, 0);
  c.llama_backend_init();
  return {
    backend,
    libc,
    memory,
    c,
    library,
    version,
    attempts,
    has: (name) => {
      try {
        return typeof c[name] === "function";
      } catch {
        return false;
      }
    },
    struct: (name, structOptions) => new CStruct(backend, name, structOptions),
  };
}
