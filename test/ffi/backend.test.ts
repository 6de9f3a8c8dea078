import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { loadBackend, type MachineSignature, type NativeFunction } from "../../ffi/backend.ts";
import { requireOrSkip } from "../require.ts";
import { allBackends } from "../support/backends.ts";
import { compileLibrary, haveCompiler, needsCompiler } from "../support/compile-c.ts";

const source = `
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
int8_t echo_i8(int8_t v) { return v; }
uint8_t echo_u8(uint8_t v) { return v; }
int16_t echo_i16(int16_t v) { return v; }
uint16_t echo_u16(uint16_t v) { return v; }
int32_t echo_i32(int32_t v) { return v; }
uint32_t echo_u32(uint32_t v) { return v; }
int64_t echo_i64(int64_t v) { return v; }
uint64_t echo_u64(uint64_t v) { return v; }
size_t echo_usize(size_t v) { return v; }
float echo_f32(float v) { return v; }
double echo_f64(double v) { return v; }
bool echo_bool(bool v) { return v; }
void * echo_ptr(void * v) { return v; }
bool negate(bool v) { return !v; }
int is_null(const void * p) { return p == NULL; }
void increment(int32_t * p) { ++*p; }
double mix(int32_t a, double b, float c, int64_t d, bool e, uint8_t f, int32_t g, int32_t h, double i) {
  return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i;
}
static int32_t twice(int32_t v) { return 2 * v; }
void * address_of_twice(void) { return twice; }
int32_t call_i32(int32_t (*f)(int32_t, void *), int32_t n, void * data) {
  int32_t sum = 0;
  for (int32_t i = 0; i < n; i++) sum += f(i, data);
  return sum;
}
bool call_bool(bool (*f)(float, void *), float v) { return f(v, NULL); }
void call_void(void (*f)(int32_t, const char *, void *), const char * text) { f(-7, text, NULL); }
int32_t only_here_symbol(void) { return 42; }
`;
const withC = requireOrSkip(haveCompiler, needsCompiler);
const path = haveCompiler ? compileLibrary(source) : "";

describe.each(await allBackends())("backend %s", (_, backend) => {
  const bind = (name: string, signature: MachineSignature): NativeFunction => {
    const bound = backend.open(path).bind(name, signature);
    if (!bound) throw new Error(`${name} is not in the library`);
    return bound;
  };

  withC.each([
    ["i8", [-128, -1, 0, 127]],
    ["u8", [0, 1, 255]],
    ["i16", [-32768, -1, 32767]],
    ["u16", [0, 65535]],
    ["i32", [-(2 ** 31), -1, 0, 2 ** 31 - 1]],
    ["u32", [0, 2 ** 31, 2 ** 32 - 1]],
    ["i64", [-1, 0, 2 ** 40, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]],
    ["u64", [0, 2 ** 32, Number.MAX_SAFE_INTEGER - 1]],
    ["usize", [0, 2 ** 33, Number.MAX_SAFE_INTEGER - 1]],
    ["f32", [0, -1.5, 2 ** -20, Number.POSITIVE_INFINITY, Number.NaN]],
    ["f64", [0, Math.PI, -1e300, Number.NEGATIVE_INFINITY, Number.NaN]],
    ["ptr", [0, 4096, 2 ** 46]],
  ] as const)("%s arrives and comes back as a number", (type, values) => {
    const echo = bind(`echo_${type}`, { returns: type, args: [type] });
    for (const value of values) expect(echo(value)).toBe(value);
  });

  withC("bools are booleans in both directions", () => {
    const echo = bind("echo_bool", { returns: "bool", args: ["bool"] });
    const negate = bind("negate", { returns: "bool", args: ["bool"] });
    expect([echo(true), echo(false), negate(true), negate(false)]).toEqual([true, false, false, true]);
  });

  withC("64-bit values beyond the safe integers travel as bigint, without loss", () => {
    const unsigned = bind("echo_u64", { returns: "u64", args: ["u64"] });
    const signed = bind("echo_i64", { returns: "i64", args: ["i64"] });
    for (const value of [2n ** 64n - 1n, 2n ** 63n, 2n ** 53n + 1n]) {
      expect(unsigned(value)).toBe(value);
    }
    for (const value of [-(2n ** 63n), 2n ** 63n - 1n, -(2n ** 53n) - 1n]) {
      expect(signed(value)).toBe(value);
    }
    expect(unsigned(7n)).toBe(7);
  });

  withC("NULL is 0 as an argument, as a result, and for an empty view", () => {
    const isNull = bind("is_null", { returns: "i32", args: ["ptr"] });
    expect(isNull(0)).toBe(1);
    expect(isNull(backend.addressOf(new Uint8Array(0)))).toBe(1);
    expect(isNull(backend.addressOf(new Uint8Array(1)))).toBe(0);
    expect(bind("echo_ptr", { returns: "ptr", args: ["ptr"] })(0)).toBe(0);
  });

  withC("integers and floats mixed beyond the registers keep their order", () => {
    const mix = bind("mix", {
      returns: "f64",
      args: ["i32", "f64", "f32", "i64", "bool", "u8", "i32", "i32", "f64"],
    });
    expect(mix(1, 1.5, 0.5, 100, true, 200, -3, 9, 0.25)).toBe(1 + 3 + 1.5 + 400 + 5 + 1200 - 21 + 72 + 2.25);
  });

  withC("C writes into plain and shared memory, at the offset of the view", () => {
    const increment = bind("increment", { returns: "void", args: ["ptr"] });
    for (const buffer of [new ArrayBuffer(16), new SharedArrayBuffer(16)]) {
      const view = new Int32Array(buffer, 8, 1);
      increment(backend.addressOf(view));
      expect([...new Int32Array(buffer)]).toEqual([0, 0, 1, 0]);
      expect(backend.addressOf(view)).toBe((backend.addressOf(new Uint8Array(buffer)) + 8) as never);
    }
  });

  test("the address of shared wasm memory stays when it grows", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 100, shared: true });
    const before = backend.addressOf(new Uint8Array(memory.buffer));
    memory.grow(50);
    expect(backend.addressOf(new Uint8Array(memory.buffer))).toBe(before);
  });

  withC("a function is bound by its address", () => {
    const address = bind("address_of_twice", { returns: "ptr", args: [] })();
    const twice = backend.bindAddress(address as never, { returns: "i32", args: ["i32"] });
    expect(twice(21)).toBe(42);
  });

  withC("callbacks take and give integers, bools and floats", () => {
    const seen: unknown[] = [];
    const sum = backend.callback({ returns: "i32", args: ["i32", "ptr"] }, (index, data) => {
      seen.push([index, data]);
      return 10 * index!;
    });
    const call = bind("call_i32", { returns: "i32", args: ["ptr", "i32", "ptr"] });
    expect(call(sum.address, 3, 0x1234)).toBe(30);
    expect(seen).toEqual([
      [0, 0x1234],
      [1, 0x1234],
      [2, 0x1234],
    ]);
    sum.release();

    const half = backend.callback({ returns: "bool", args: ["f32", "ptr"] }, (value) => value === 0.5);
    const callBool = bind("call_bool", { returns: "bool", args: ["ptr", "f32"] });
    expect([callBool(half.address, 0.5), callBool(half.address, 0.25)]).toEqual([true, false]);
    half.release();
  });

  withC("a callback without a result sees a C string and NULL", () => {
    const seen: unknown[] = [];
    const callback = backend.callback({ returns: "void", args: ["i32", "ptr", "ptr"] }, (...args) => {
      seen.push(args);
      return undefined;
    });
    const text = new TextEncoder().encode("abc\0");
    const address = backend.addressOf(text);
    bind("call_void", { returns: "void", args: ["ptr", "ptr"] })(callback.address, address);
    callback.release();
    expect(seen).toEqual([[-7, address, 0]]);
  });

  withC("two hundred callbacks made and released one after another all work", () => {
    const call = bind("call_i32", { returns: "i32", args: ["ptr", "i32", "ptr"] });
    for (let round = 0; round < 200; round++) {
      const callback = backend.callback({ returns: "i32", args: ["i32", "ptr"] }, () => round);
      expect(call(callback.address, 1, 0)).toBe(round);
      callback.release();
    }
  });

  withC("a missing function is undefined, a missing file an error that names it", () => {
    expect(backend.open(path).bind("no_such_function", { returns: "void", args: [] })).toBeUndefined();
    expect(bind("only_here_symbol", { returns: "i32", args: [] })()).toBe(42);
    const missing = join(import.meta.dir, "no-such-library.so");
    expect(() => backend.open(missing)).toThrow("no-such-library");
  });

  test("a file that is no shared library is an error, not a library without functions", () => {
    expect(() => backend.open(import.meta.path)).toThrow();
  });
});

test("an unknown backend name is refused with the names there are", () => {
  expect(() => loadBackend("nodeffi" as never)).toThrow(RangeError);
  expect(() => loadBackend("nodeffi" as never)).toThrow(/CRIA_FFI.*bun, koffi.*nodeffi/);
});
