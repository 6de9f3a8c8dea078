import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type GGUFTypedMetadata, GGUFValueType, gguf, serializeGgufMetadata } from "@huggingface/gguf";
import fc from "fast-check";
import { ModelLoadError } from "../../lib/errors.ts";
import { type GgufHeader, readGgufHeader } from "../../lib/gguf-header.ts";
import { GgufArray } from "../../lib/gguf-value.ts";
import { headerBytes, type WritableEntry } from "../fixtures/gguf-writer.ts";

const folder = mkdtempSync(join(tmpdir(), "gguf-header-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const integers = {
  u8: fc.integer({ min: 0, max: 255 }),
  i8: fc.integer({ min: -128, max: 127 }),
  u16: fc.integer({ min: 0, max: 65_535 }),
  i16: fc.integer({ min: -32_768, max: 32_767 }),
  u32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  i32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  u64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  i64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
};
const scalars = {
  ...integers,
  f32: fc.float({ noNaN: true }),
  f64: fc.double({ noNaN: true }),
  bool: fc.boolean(),
  string: fc.string({ unit: "grapheme", maxLength: 20 }),
};
type ScalarType = keyof typeof scalars;
const types = Object.keys(scalars) as ScalarType[];
const key = fc
  .stringMatching(/^[a-z]{1,8}(\.[a-z_]{1,8}){0,2}$/)
  .filter((text) => !/^general\.|^split\./.test(text));

const entry: fc.Arbitrary<WritableEntry> = fc.constantFrom(...types).chain((type) =>
  fc.oneof(
    fc.record({ key, type: fc.constant(type), value: scalars[type] as fc.Arbitrary<string> }),
    fc.record({
      key,
      type: fc.constant("array" as const),
      of: fc.constant(type),
      value: fc.array(scalars[type] as fc.Arbitrary<string>, { maxLength: 12 }),
    }),
  ),
);
const entries = fc.uniqueArray(entry, { selector: (item) => item.key, maxLength: 8 });
const shape = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });

/** Whole F32 tensors one after the other, and the bytes of their data. */
function f32Tensors(shapes: readonly (readonly number[])[]) {
  let end = 0;
  const tensors = shapes.map((lengths, index) => {
    const offset = Math.ceil(end / 32) * 32;
    end = offset + 4 * lengths.reduce((product, length) => product * length, 1);
    return { name: `tensor.${index}`, shape: lengths, typeId: 0, offset };
  });
  return { tensors, dataSize: end };
}

function whole(header: Uint8Array, dataSize: number): Uint8Array {
  const bytes = new Uint8Array(header.length + dataSize);
  bytes.set(header);
  return bytes;
}

function plain(header: GgufHeader): Record<string, unknown> {
  const value = (item: unknown) => (item instanceof GgufArray ? item.toArray() : item);
  return Object.fromEntries([...header.metadata].map(([name, item]) => [name, value(item.value)]));
}

/** 64-bit numbers arrive as bigint there, and as numbers here where those are exact. */
function sameNumbers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sameNumbers);
  return typeof value === "bigint" && BigInt.asIntN(54, value) === value ? Number(value) : value;
}

test("agrees with an independent reader on every type of value and on tensors", async () => {
  const path = join(folder, "model.gguf");
  const property = fc.asyncProperty(entries, fc.array(shape, { maxLength: 5 }), async (items, shapes) => {
    const { tensors, dataSize } = f32Tensors(shapes);
    const bytes = whole(headerBytes({ entries: items, tensors }), dataSize);
    writeFileSync(path, bytes);
    const ours = readGgufHeader(bytes);
    const theirs = await gguf(path, { allowLocalFile: true });
    const { version, tensor_count, kv_count, ...metadata } = theirs.metadata as unknown as Record<
      string,
      unknown
    >;
    expect(ours.version).toBe(version as number);
    expect(ours.tensors.size).toBe(Number(tensor_count));
    expect(ours.metadata.size).toBe(Number(kv_count));
    const expected = Object.entries(metadata).map(([name, value]) => [name, sameNumbers(value)]);
    expect(plain(ours)).toEqual(Object.fromEntries(expected));
    expect([...ours.tensors.values()].map((tensor) => [tensor.name, tensor.shape, tensor.offset])).toEqual(
      theirs.tensorInfos.map((tensor) => [tensor.name, tensor.shape.map(Number), Number(tensor.offset)]),
    );
    if (shapes.length > 0) expect(ours.dataOffset).toBe(Number(theirs.tensorDataOffset));
    expect(ours.expectedSize).toBe(bytes.length);
  });
  await fc.assert(property, { numRuns: 60 });
});

test("reads what an independent writer wrote", () => {
  const metadata = {
    version: { value: 3, type: GGUFValueType.UINT32 },
    tensor_count: { value: 0n, type: GGUFValueType.UINT64 },
    kv_count: { value: 4n, type: GGUFValueType.UINT64 },
    "general.architecture": { value: "llama", type: GGUFValueType.STRING },
    "llama.block_count": { value: 4, type: GGUFValueType.UINT32 },
    "llama.rope.freq_base": { value: 0.5, type: GGUFValueType.FLOAT32 },
    "tokenizer.ggml.tokens": {
      value: ["a", "ß", ""],
      type: GGUFValueType.ARRAY,
      subType: GGUFValueType.STRING,
    },
  } as unknown as GGUFTypedMetadata;
  expect(plain(readGgufHeader(serializeGgufMetadata(metadata)))).toEqual({
    "general.architecture": "llama",
    "llama.block_count": 4,
    "llama.rope.freq_base": 0.5,
    "tokenizer.ggml.tokens": ["a", "ß", ""],
  });
});

test("reads the same through small reads as at once", () => {
  const value = Array.from({ length: 20_000 }, (_, index) => `token ${index}`);
  const bytes = headerBytes({ entries: [{ key: "list", type: "array", of: "string", value }], tensors: [] });
  let calls = 0;
  const read = (offset: number, length: number) => {
    calls += 1;
    return bytes.subarray(offset, offset + Math.min(length, 1000));
  };
  const header = readGgufHeader({ name: "slow", size: bytes.length, read });
  expect(calls).toBeGreaterThan(100);
  expect(plain(header)).toEqual({ list: value });
  expect(header.metadata.get("list")?.value).toBeInstanceOf(GgufArray);
});

test("a source that ends early is an error, not a loop", () => {
  const source = { name: "shrunk", size: 100_000, read: () => new Uint8Array(0) };
  expect(() => readGgufHeader(source)).toThrow(/reading stopped/);
});

test("an array gives elements by index, and nothing outside", () => {
  const list = new GgufArray("u16", 2, Uint8Array.of(1, 0, 255, 255));
  expect([list.at(0), list.at(1), list.at(2), list.at(-1), list.at(0.5)]).toEqual([
    1,
    65_535,
    undefined,
    undefined,
    undefined,
  ]);
});

test("any damage is a ModelLoadError that names the file, or goes unnoticed", () => {
  const { tensors, dataSize } = f32Tensors([[4, 4], [8]]);
  const items: WritableEntry[] = [
    { key: "general.architecture", type: "string", value: "llama" },
    { key: "numbers", type: "array", of: "u64", value: [1, 2, 3] },
    { key: "words", type: "array", of: "string", value: ["one", "two"] },
  ];
  const good = whole(headerBytes({ entries: items, tensors }), dataSize);
  const change = fc.record({
    at: fc.nat(good.length - 1),
    to: fc.oneof(fc.nat(255), fc.constantFrom(0, 127, 128, 255)),
  });
  let refused = 0;
  const property = fc.property(
    fc.array(change, { minLength: 1, maxLength: 4 }),
    fc.nat(good.length),
    (changes, cut) => {
      const bytes = good.slice(0, cut % 3 === 0 ? cut : good.length);
      for (const { at, to } of changes) if (at < bytes.length) bytes[at] = to;
      try {
        readGgufHeader({
          name: "damaged.gguf",
          size: bytes.length,
          read: (offset, length) => bytes.slice(offset, offset + length),
        });
      } catch (error) {
        refused += 1;
        expect(error).toBeInstanceOf(ModelLoadError);
        expect((error as Error).message).toStartWith("damaged.gguf: ");
      }
    },
  );
  fc.assert(property, { numRuns: 3000 });
  expect(refused).toBeGreaterThan(1000);
});
