import { expect, test } from "bun:test";
import fc from "fast-check";
import { type TextBounds, textRules } from "../../src/tools/gbnf.ts";
import { matches } from "./matches.ts";

/** What {@link textRules} says, said slowly. */
function isWithin(text: string, { until, without = [] }: TextBounds): boolean {
  for (let length = 1; length <= text.length; length++) {
    const beginning = text.slice(0, length);
    if (until !== undefined && beginning.endsWith(until)) return length === text.length;
    if (without.some((marker) => beginning.endsWith(marker))) return false;
  }
  return until === undefined;
}

const unit = fc.constantFrom("a", "b", "<", "]", "\n", "é");
const marker = fc.string({ unit, minLength: 1, maxLength: 4 });
const bounds: fc.Arbitrary<TextBounds> = fc.oneof(
  fc.record({ until: marker, without: fc.array(marker, { maxLength: 3 }) }),
  fc.record({ without: fc.array(marker, { minLength: 1, maxLength: 4 }) }),
);

test("the rules let through what the bounds do", () => {
  fc.assert(
    fc.property(bounds, fc.array(fc.oneof(unit, marker), { maxLength: 8 }), (given, parts) => {
      const ends = given.until === undefined ? [""] : ["", given.until];
      for (const end of ends) {
        const text = parts.join("") + end;
        expect([text, matches(textRules("text", given), "text", text)]).toEqual([
          text,
          isWithin(text, given),
        ]);
      }
    }),
    { numRuns: 400 },
  );
});

test("many long markers make rules in proportion to their length", () => {
  const without = Array.from({ length: 200 }, (_, index) => `[get_the_number_${index}_of_something(`);
  const source = textRules("text", { without });
  expect(source.length).toBeLessThan(120 * without.join("").length);
  expect(matches(source, "text", "see [get_the_number_7_of_something else")).toBe(true);
  expect(matches(source, "text", "see [get_the_number_7_of_something(")).toBe(false);
});
