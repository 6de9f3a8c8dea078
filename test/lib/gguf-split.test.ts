import { expect, test } from "bun:test";
import { parseGgufShardFilename } from "@huggingface/gguf";
import fc from "fast-check";
import { splitPartNames } from "../../lib/gguf-split.ts";

test("any part leads to all parts, which an independent reader takes apart again", () => {
  const property = fc.property(
    fc.integer({ min: 1, max: 300 }),
    fc.nat(),
    fc.stringMatching(/^[a-z./-]{1,20}$/),
    (total, pick, prefix) => {
      const digits = (number: number) => String(number).padStart(5, "0");
      const part = (pick % total) + 1;
      const names = splitPartNames(`${prefix}-${digits(part)}-of-${digits(total)}.gguf`);
      expect(names.length).toBe(total);
      const expected = names.map((_, index) => ({ prefix, shard: digits(index + 1), total: digits(total) }));
      expect(names.map(parseGgufShardFilename)).toEqual(expected);
    },
  );
  fc.assert(property);
});

test("a file of its own is its only part", () => {
  for (const name of [
    "model.gguf",
    "model-00001-of-00003.bin",
    "model-1-of-3.gguf",
    "m-00004-of-00003.gguf",
    "m-00000-of-00003.gguf",
    "m-00001-of-99999.gguf",
  ]) {
    expect(splitPartNames(name)).toEqual([name]);
  }
});
