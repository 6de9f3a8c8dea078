import { expect, test } from "bun:test";
import fc from "fast-check";
import { firstDuplicate } from "../../lib/gguf-duplicates.ts";
import { GgufArray } from "../../lib/gguf-value.ts";
import { ByteWriter } from "../fixtures/gguf-writer.ts";

function array(strings: readonly string[]): GgufArray {
  const writer = new ByteWriter();
  for (const text of strings) writer.string(text);
  return new GgufArray("string", strings.length, writer.finish());
}

/** What libllama sees: C strings, and a name for each empty one. */
function naive(strings: readonly string[]): number | undefined {
  const seen = new Set<string>();
  for (const [index, text] of strings.entries()) {
    const cut = text.split("\0")[0]!;
    const name = cut === "" ? `[EMPTY_${index}]` : cut;
    if (seen.has(name)) return index;
    seen.add(name);
  }
  return undefined;
}

test("finds what a set of strings finds", () => {
  const text = fc.oneof(
    fc.string({ unit: fc.constantFrom("a", "b", "\0", "ß"), maxLength: 3 }),
    fc.constantFrom("[EMPTY_0]", "[EMPTY_3]"),
  );
  let found = 0;
  const property = fc.property(fc.array(text, { maxLength: 12 }), (strings) => {
    const duplicate = firstDuplicate(array(strings));
    expect(duplicate?.second).toBe(naive(strings));
    if (duplicate !== undefined) found += 1;
  });
  fc.assert(property, { numRuns: 1000 });
  expect(found).toBeGreaterThan(100);
});

test("a large vocabulary without duplicates has none", () => {
  expect(
    firstDuplicate(array(Array.from({ length: 50_000 }, (_, index) => `token${index}`))),
  ).toBeUndefined();
});
