import type { NativeBackend, SharedObject } from "./backend.ts";
import type { Pointer } from "./types.ts";

/** The few functions of the C library that cria uses, with addresses of those that serve as callbacks. */
export interface Libc {
  /** `void * memcpy(void * dst, const void * src, size_t n)` */
  memcpy(destination: Pointer, source: Pointer, byteLength: number): number;
  /** `int memcmp(const void * a, const void * b, size_t n)` */
  memcmp(a: Pointer, b: Pointer, byteLength: number): number;
  /** `size_t strlen(const char * s)` */
  strlen(text: Pointer): number;
  /** `int malloc_trim(size_t pad)`: gives pages of freed memory back to the system; does nothing where there is none. */
  trim(): void;
  addressOf(view: ArrayBufferView): Pointer;
  /** Path of the shared object that holds an address (`dladdr`); undefined where the system cannot tell. */
  objectPath(address: Pointer): string | undefined;
  /** Address of `strlen`: true for a non-empty C string, which makes it an abort callback over a shared byte. */
  readonly strlenAddress: Pointer;
  /** Address of `abs`: does nothing with its arguments, which makes it a silent log callback. */
  readonly absAddress: Pointer;
}

const candidates: Record<string, readonly string[]> = {
  darwin: ["libSystem.B.dylib"],
  win32: ["ucrtbase.dll", "msvcrt.dll"],
  linux: ["libc.so.6", "libc.so", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"],
};

function openFirst(backend: NativeBackend, names: readonly string[]): SharedObject {
  let failure: unknown;
  for (const name of names) {
    try {
      return backend.open(name);
    } catch (error) {
      failure = error;
    }
  }
  throw new Error(`cannot open the C library (tried ${names.join(", ")})`, { cause: failure });
}

function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`the C library has no ${name}`);
  return value;
}

/** Looks up where a function of the C library lives, by `dlsym` or `GetProcAddress`. */
function symbolFinder(backend: NativeBackend, libc: SharedObject): (name: string) => Pointer {
  const windows = process.platform === "win32";
  const owner = windows ? backend.open("kernel32.dll") : libc;
  const find = required(
    owner.bind(windows ? "GetProcAddress" : "dlsym", { returns: "ptr", args: ["ptr", "ptr"] }),
    "dlsym",
  );
  let handle = 0;
  if (windows) {
    const open = required(
      owner.bind("GetModuleHandleA", { returns: "ptr", args: ["ptr"] }),
      "GetModuleHandleA",
    );
    const name = new TextEncoder().encode(`${libc.path}\0`);
    handle = open(backend.addressOf(name)) as number;
  } else if (process.platform === "darwin") {
    handle = -2; // RTLD_DEFAULT
  }
  return (name) => {
    const bytes = new Uint8Array(new ArrayBuffer(name.length + 1));
    new TextEncoder().encodeInto(name, bytes);
    return find(BigInt.asUintN(64, BigInt(handle)), backend.addressOf(bytes)) as Pointer;
  };
}

/** `int dladdr(const void * addr, Dl_info * info)`, whose first field is the path. */
function objectPathFinder(backend: NativeBackend, libc: SharedObject, strlen: (text: number) => number) {
  const dladdr = libc.bind("dladdr", { returns: "i32", args: ["ptr", "ptr"] });
  const memcpy = required(libc.bind("memcpy", { returns: "ptr", args: ["ptr", "ptr", "usize"] }), "memcpy");
  return (address: Pointer): string | undefined => {
    const info = new BigUint64Array(new ArrayBuffer(32));
    if (!dladdr || !address || dladdr(address, backend.addressOf(info)) === 0) return undefined;
    const name = Number(info[0]);
    const bytes = new Uint8Array(new ArrayBuffer(strlen(name)));
    memcpy(backend.addressOf(bytes), name, bytes.length);
    return new TextDecoder().decode(bytes);
  };
}

const loaded = new WeakMap<NativeBackend, Libc>();

export function libcOf(backend: NativeBackend): Libc {
  const known = loaded.get(backend);
  if (known) return known;
  const library = openFirst(backend, candidates[process.platform] ?? candidates.linux!);
  const bind = (name: string, returns: "ptr" | "i32" | "usize", args: readonly ("ptr" | "usize")[]) =>
    required(library.bind(name, { returns, args }), name) as unknown as (...args: number[]) => number;
  const find = symbolFinder(backend, library);
  const strlen = bind("strlen", "usize", ["ptr"]);
  // glibc's own.
  const trim = library.bind("malloc_trim", { returns: "i32", args: ["usize"] });
  const libc: Libc = {
    memcpy: bind("memcpy", "ptr", ["ptr", "ptr", "usize"]),
    memcmp: bind("memcmp", "i32", ["ptr", "ptr", "usize"]),
    strlen,
    trim: () => void trim?.(0),
    objectPath: objectPathFinder(backend, library, strlen),
    addressOf: (view) => backend.addressOf(view),
    strlenAddress: find("strlen"),
    absAddress: find("abs"),
  };
  loaded.set(backend, libc);
  return libc;
}
