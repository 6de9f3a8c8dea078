import { CFunction, dlopen, type FFITypeOrString, JSCallback, ptr } from "bun:ffi";
import type { MachineSignature, NativeBackend, NativeFunction, SharedObject } from "./backend.ts";
import type { Pointer, ScalarType } from "./types.ts";

// Pointers travel as u64: bun:ffi's own `ptr` turns NULL into null and accepts typed arrays silently.
// The `_fast` results are numbers wherever a number is exact.
const argumentTypes = {
  bool: "bool",
  i8: "i8",
  u8: "u8",
  i16: "i16",
  u16: "u16",
  i32: "i32",
  u32: "u32",
  i64: "i64",
  u64: "u64",
  usize: "u64",
  f32: "f32",
  f64: "f64",
  ptr: "u64",
} as const satisfies Record<ScalarType, FFITypeOrString>;
const returnTypes = {
  ...argumentTypes,
  i64: "i64_fast",
  u64: "u64_fast",
  usize: "u64_fast",
  ptr: "u64_fast",
  void: "void",
} as const;

function toBun(signature: MachineSignature) {
  return {
    args: signature.args.map((type) => argumentTypes[type]),
    returns: returnTypes[signature.returns] as FFITypeOrString,
  };
}

/** What was opened and not closed: Bun compiles code for each function, and frees it on `close()` alone. */
const opened: { close(): void }[] = [];

function bindOne(path: string, name: string, signature: MachineSignature): NativeFunction | undefined {
  try {
    const library = dlopen(path, { [name]: toBun(signature) });
    opened.push(library);
    return library.symbols[name] as unknown as NativeFunction;
  } catch (error) {
    // bun:ffi reports a missing file and a missing symbol with one error type; only the latter names the symbol.
    if (String(error).includes(`"${name}"`)) return undefined;
    throw error;
  }
}

function openBun(path: string): SharedObject {
  // dlopen() wants at least one symbol; asking for one that exists nowhere tells whether the file opens.
  bindOne(path, "cria_probe", { returns: "void", args: [] });
  return { path, bind: (name, signature) => bindOne(path, name, signature) };
}

/** The bun:ffi backend: a call costs about 20 ns. */
export function createBunBackend(): NativeBackend {
  return {
    name: "bun",
    open: openBun,
    bindAddress(address, signature) {
      const callable = CFunction({ ...toBun(signature), ptr: address as never });
      opened.push(callable);
      return callable as unknown as NativeFunction;
    },
    addressOf(view) {
      // ptr() refuses an empty view; C never reads through one.
      return (view.byteLength === 0 ? 0 : ptr(view as unknown as Uint8Array)) as Pointer;
    },
    callback(signature, body) {
      // bun:ffi hands a NULL pointer over as null.
      const withoutNull = (...args: (number | null)[]) => body(...args.map((value) => value ?? 0));
      const callback = new JSCallback(withoutNull as (...args: unknown[]) => unknown, {
        // As an argument of JavaScript, u64 would arrive as a bigint and `ptr` arrives as a number.
        args: signature.args.map((type) => (type === "ptr" ? "ptr" : argumentTypes[type])),
        returns: argumentTypes[signature.returns as ScalarType] ?? "void",
      });
      return { address: callback.ptr as unknown as Pointer, release: () => callback.close() };
    },
    release() {
      for (const library of opened.splice(0)) library.close();
    },
  };
}
