import { expect, test } from "bun:test";
import fc from "fast-check";
import { Utf8Stream } from "../../lib/index.ts";

const whole = (bytes: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

/** Cuts bytes at the given places. */
function pieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

function streamed(parts: readonly Uint8Array[]): string {
  const stream = new Utf8Stream();
  return parts.map((part) => stream.push(part)).join("") + stream.flush();
}

test("any bytes in any pieces give the text of the whole", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.array(fc.nat(), { maxLength: 20 }), (bytes, cuts) => {
      expect(streamed(pieces(bytes, cuts))).toBe(whole(bytes));
    }),
    { numRuns: 1000 },
  );
});

test("text in any pieces comes back, and no piece shows half a character", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.array(fc.nat(), { maxLength: 20 }), (text, cuts) => {
      const bytes = new TextEncoder().encode(text);
      const stream = new Utf8Stream();
      const shown = pieces(bytes, cuts).map((part) => stream.push(part));
      expect(shown.every((part) => part.isWellFormed())).toBe(true);
      expect(shown.join("") + stream.flush()).toBe(text.toWellFormed());
    }),
  );
});

test("a character cut off at the end becomes U+FFFD", () => {
  const stream = new Utf8Stream();
  expect(stream.push(new TextEncoder().encode("a€").subarray(0, 3))).toBe("a");
  expect(stream.flush()).toBe("\uFFFD");
});
