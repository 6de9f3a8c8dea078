import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { CStruct, checkInteger, type StructName, scalarSize } from "../../ffi/struct.ts";
import { structs } from "../../ffi/structs.generated.ts";
import type { FieldLayout, StructLayout } from "../../ffi/types.ts";
import { allBackends } from "../support/backends.ts";

const ranges = {
  i8: [-(2 ** 7), 2 ** 7 - 1],
  u8: [0, 2 ** 8 - 1],
  i16: [-(2 ** 15), 2 ** 15 - 1],
  u16: [0, 2 ** 16 - 1],
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
  i64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  u64: [0, Number.MAX_SAFE_INTEGER],
  usize: [0, Number.MAX_SAFE_INTEGER],
  ptr: [0, Number.MAX_SAFE_INTEGER],
} as const;

describe("checkInteger", () => {
  test.each(Object.entries(ranges))("%s takes exactly its range", (type, [least, most]) => {
    expect(checkInteger(least, type, "x")).toBe(least);
    expect(checkInteger(most, type, "x")).toBe(most);
    if (most < Number.MAX_SAFE_INTEGER) expect(() => checkInteger(most + 1, type, "x")).toThrow(RangeError);
    expect(() => checkInteger(2 ** 53, type, "x")).toThrow(RangeError);
    if (least === 0 || least > Number.MIN_SAFE_INTEGER)
      expect(() => checkInteger(least - 1, type, "field")).toThrow(/^field must be between/);
  });

  test.each([1.5, Number.NaN, Number.POSITIVE_INFINITY, "7", null, undefined, true, 7n])(
    "%p is no integer",
    (value) => {
      expect(() => checkInteger(value as number, "i32", "field")).toThrow(TypeError);
      expect(() => checkInteger(value as number, "i32", "field")).toThrow(/^field must be an integer/);
    },
  );
});

type Named = readonly [struct: StructName, field: string, layout: FieldLayout];
const scalarFields: Named[] = (Object.entries(structs) as [StructName, StructLayout][]).flatMap(
  ([name, { fields }]) =>
    Object.entries(fields)
      .filter(([, { count, type }]) => !count && !type.startsWith("struct "))
      .map(([field, layout]) => [name, field, layout] as const),
);

/** Values of a field's type, and how C keeps them. */
function fittingValue(type: string): fc.Arbitrary<number> {
  if (type === "f32") return fc.float({ noNaN: true });
  if (type === "f64") return fc.double({ noNaN: true });
  if (type === "bool") return fc.constantFrom(0, 1);
  const [min, max] = ranges[type as keyof typeof ranges];
  return fc.integer({ min, max });
}

describe.each(await allBackends())("CStruct on %s", (_, backend) => {
  test("every scalar field of every struct gives back what was set and leaves its neighbours alone", () => {
    const choice = fc
      .constantFrom(...scalarFields)
      .chain((chosen) => fc.tuple(fc.constant(chosen), fittingValue(chosen[2].type), fc.nat({ max: 2 })));
    fc.assert(
      fc.property(choice, ([[name, field, layout], value, at]) => {
        const struct = new CStruct(backend, name, { count: 3 });
        struct.bytes.fill(0xa5);
        const naive = struct.bytes.slice();
        struct.set(field as never, value, at);
        expect(struct.get(field as never, at)).toBe(value);
        const start = at * struct.layout.size + layout.offset;
        const end = start + scalarSize(layout.type);
        expect(struct.bytes.subarray(0, start)).toEqual(naive.subarray(0, start));
        expect(struct.bytes.subarray(end)).toEqual(naive.subarray(end));
      }),
      { numRuns: 500 },
    );
  });

  test("a value that does not fit is refused with the field's name, and nothing is written", () => {
    const bad: [StructName, string, unknown, typeof TypeError | typeof RangeError][] = [
      ["llama_context_params", "n_ctx", -1, RangeError],
      ["llama_context_params", "n_ctx", 2 ** 32, RangeError],
      ["llama_context_params", "n_ctx", 1.5, TypeError],
      ["llama_context_params", "n_ctx", Number.NaN, TypeError],
      ["llama_context_params", "n_threads", 2 ** 31, RangeError],
      ["llama_context_params", "n_threads", -(2 ** 31) - 1, RangeError],
      ["llama_context_params", "n_ctx", -1n, RangeError],
      ["llama_context_params", "n_ctx", 2n ** 32n, RangeError],
      ["llama_context_params", "rope_freq_base", Number.NaN, TypeError],
      ["llama_context_params", "rope_freq_base", "1", TypeError],
      ["llama_batch", "token", -1, RangeError],
      ["llama_batch", "token", 2 ** 53, RangeError],
      ["llama_batch", "token", 2n ** 64n, RangeError],
      ["llama_context_params", "embeddings", "yes", TypeError],
      ["llama_context_params", "embeddings", Number.NaN, TypeError],
      ["llama_context_params", "embeddings", 2, TypeError],
    ];
    for (const [name, field, value, error] of bad) {
      const struct = new CStruct(backend, name);
      const what = `${name}.${field} = ${String(value)}`;
      expect(() => struct.set(field as never, value as number), what).toThrow(error);
      expect(() => struct.set(field as never, value as number), what).toThrow(`${name}.${field}`);
      expect(
        struct.bytes.every((byte) => byte === 0),
        what,
      ).toBe(true);
    }
  });

  test("64-bit fields take bigints of all 64 bits", () => {
    const struct = new CStruct(backend, "llama_batch");
    struct.set("token", 2n ** 64n - 1n);
    expect(struct.word(1)).toBe(2n ** 64n - 1n);
    const list = new CStruct(backend, "llama_model_kv_override");
    list.set("val_i64", -5n);
    expect(list.get("val_i64")).toBe(-5);
  });

  test("a word is a number where that is exact, else a bigint", () => {
    const struct = new CStruct(backend, "llama_batch");
    const cells = new BigUint64Array(struct.bytes.buffer);
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 64n - 1n), (value) => {
        cells[2] = value;
        expect(BigInt(struct.word(2))).toBe(value);
        expect(typeof struct.word(2)).toBe(value < 2n ** 53n ? "number" : "bigint");
      }),
    );
  });

  test("fields that do not exist, and structs beyond the array, are refused", () => {
    const struct = new CStruct(backend, "llama_logit_bias", { count: 2 });
    expect(() => struct.set("nothing" as never, 1)).toThrow("llama_logit_bias has no field nothing");
    expect(() => struct.get("nothing" as never)).toThrow(TypeError);
    for (const at of [2, -1, 0.5, Number.NaN]) {
      expect(() => struct.set("token", 1, at)).toThrow(RangeError);
      expect(() => struct.get("token", at)).toThrow(RangeError);
      expect(() => struct.array("token", at)).toThrow(RangeError);
    }
  });

  test("an array field is a window on the struct's bytes", () => {
    const struct = new CStruct(backend, "llama_model_kv_override", { count: 2 });
    const key = struct.array("key", 1);
    expect(key.length).toBe(128);
    key[0] = 0x41;
    expect(struct.bytes[structs.llama_model_kv_override.size + 4]).toBe(0x41);
    expect(struct.address).toBe(backend.addressOf(struct.bytes) as never);
  });

  test("a new struct is zero, in whole words", () => {
    for (const name of Object.keys(structs) as StructName[]) {
      const struct = new CStruct(backend, name, { count: 3 });
      expect(struct.bytes.length % 8).toBe(0);
      expect(struct.bytes.length).toBeGreaterThanOrEqual(3 * struct.layout.size);
      expect(struct.wordCount).toBe(Math.ceil(struct.layout.size / 8));
      expect(struct.bytes.every((byte) => byte === 0)).toBe(true);
    }
  });
});
