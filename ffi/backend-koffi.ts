import { createRequire } from "node:module";
import type { MachineSignature, NativeBackend, NativeFunction, SharedObject } from "./backend.ts";
import type { Pointer, ScalarType } from "./types.ts";

type Koffi = typeof import("koffi");

let cached: Koffi | undefined;

/** koffi is a native addon with prebuilt binaries; it is loaded on first use, never at import. */
export function koffiModule(): Koffi {
  cached ??= createRequire(import.meta.url)("koffi") as Koffi;
  return cached;
}

// Pointers travel as uintptr_t, hence as plain numbers.
export const koffiTypes: Record<ScalarType | "void", string> = {
  void: "void",
  bool: "bool",
  i8: "int8_t",
  u8: "uint8_t",
  i16: "int16_t",
  u16: "uint16_t",
  i32: "int32_t",
  u32: "uint32_t",
  i64: "int64_t",
  u64: "uint64_t",
  usize: "size_t",
  f32: "float",
  f64: "double",
  ptr: "uintptr_t",
};

function openKoffi(path: string): SharedObject {
  let library: ReturnType<Koffi["load"]>;
  try {
    library = koffiModule().load(path);
  } catch (error) {
    // koffi's words do not always say which file it was.
    throw new Error(`cannot open ${path}: ${(error as Error).message}`, { cause: error });
  }
  return {
    path,
    bind(name, { returns, args }) {
      try {
        return library.func(
          name,
          koffiTypes[returns],
          args.map((type) => koffiTypes[type]),
        ) as unknown as NativeFunction;
      } catch (error) {
        if (String(error).includes(name)) return undefined;
        throw error;
      }
    },
  };
}

let prototypes = 0;

function prototype({ returns, args }: MachineSignature) {
  const koffi = koffiModule();
  // koffi keeps prototypes by name in one table for the process, so each needs its own.
  return koffi.proto(
    `cria_${++prototypes}`,
    koffiTypes[returns],
    args.map((type) => koffiTypes[type]),
  );
}

/** The koffi backend, for Node, Deno, and calls bun:ffi cannot make: a call costs 60 ns on Node, 240 ns on Bun. */
export function createKoffiBackend(): NativeBackend {
  const koffi = koffiModule();
  return {
    name: "koffi",
    open: openKoffi,
    bindAddress(address, signature) {
      return koffi.decode(BigInt(address), prototype(signature)) as NativeFunction;
    },
    addressOf(view) {
      if (view.byteLength === 0) return 0 as Pointer;
      return Number(koffi.address(view)) as Pointer;
    },
    callback(signature, body) {
      const pointer = koffi.register(body, koffi.pointer(prototype(signature)));
      return {
        address: Number(koffi.address(pointer)) as Pointer,
        release: () => koffi.unregister(pointer),
      };
    },
    release() {}, // koffi gives everything back when its thread ends.
  };
}
