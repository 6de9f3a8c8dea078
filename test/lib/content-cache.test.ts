import { expect, test } from "bun:test";
import fc from "fast-check";
import { ContentCache } from "../../lib/content-cache.ts";

test("makes each text once, until others have pushed it out", () => {
  const cache = new ContentCache<string>(10);
  const made: string[] = [];
  const get = (text: string) =>
    cache.get(text, () => {
      made.push(text);
      return text.toUpperCase();
    });
  expect([get("aaaa"), get("bbbb"), get("aaaa"), get("cccc"), get("aaaa"), get("bbbb")]).toEqual([
    "AAAA",
    "BBBB",
    "AAAA",
    "CCCC",
    "AAAA",
    "BBBB",
  ]);
  expect(made).toEqual(["aaaa", "bbbb", "cccc", "bbbb"]);
  get("longer than all");
  get("longer than all");
  expect(made.slice(4)).toEqual(["longer than all", "longer than all"]);
  expect(() =>
    cache.get("x", () => {
      throw new Error("bad");
    }),
  ).toThrow("bad");
});

test("gives what would be made, whatever was asked for before", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 6 })), (texts) => {
      const cache = new ContentCache<{ text: string }>(12);
      for (const text of texts) expect(cache.get(text, () => ({ text }))).toEqual({ text });
    }),
  );
});
