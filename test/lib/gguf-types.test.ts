import { expect, test } from "bun:test";
import { GGMLFileQuantizationType, GGMLQuantizationType } from "@huggingface/gguf";
import { fileTypeName, tensorTypes } from "../../lib/gguf-types.ts";

test("tensor types have the numbers the field gives them", () => {
  const known = [...tensorTypes].filter(([id]) => GGMLQuantizationType[id] !== undefined);
  expect(known.length).toBeGreaterThan(30);
  expect(known.map(([id, { name }]) => [id, name])).toEqual(
    known.map(([id]) => [id, GGMLQuantizationType[id]!]),
  );
});

test("a block is smaller than the numbers it stands for", () => {
  const exact = new Set(["F32", "I32", "I64", "F64"]);
  for (const { name, blockSize, blockBytes } of tensorTypes.values()) {
    if (exact.has(name)) continue;
    expect(blockBytes).toBeLessThan(4 * blockSize);
  }
});

test("file types have the names the field gives them", () => {
  const numbers = [0, 1, 2, 3, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 24, 25, 30, 32];
  expect(numbers.map(fileTypeName)).toEqual(numbers.map((number) => GGMLFileQuantizationType[number]!));
  expect(fileTypeName(999)).toBe("type 999");
});
