import { expect, test } from "bun:test";
import fc from "fast-check";
import { StopMatcher } from "../../lib/index.ts";

/** The text up to the stop string that ends first (of those, the longest), by looking at every end. */
function naive(text: string, stops: readonly string[]): { text: string; stop: string | undefined } {
  for (let end = 1; end <= text.length; end++) {
    const ending = stops
      .filter((stop) => text.slice(0, end).endsWith(stop))
      .sort((a, b) => b.length - a.length);
    if (ending[0] !== undefined) return { text: text.slice(0, end - ending[0].length), stop: ending[0] };
  }
  return { text, stop: undefined };
}

function run(parts: readonly string[], stops: readonly string[]) {
  const matcher = new StopMatcher(stops);
  let text = "";
  for (const part of parts) {
    const found = matcher.push(part);
    text += found.text;
    if (found.stop !== undefined) return { text, stop: found.stop };
  }
  return { text: text + matcher.flush(), stop: undefined };
}

// Two letters make overlaps of stop strings likely.
const word = (minLength: number, maxLength: number) =>
  fc.array(fc.constantFrom("a", "b"), { minLength, maxLength }).map((letters) => letters.join(""));

test("any pieces give what a look at the whole text gives", () => {
  fc.assert(
    fc.property(
      fc.array(word(0, 5), { maxLength: 12 }),
      fc.array(word(1, 4), { maxLength: 4 }),
      (parts, stops) => {
        expect(run(parts, stops)).toEqual(naive(parts.join(""), stops));
      },
    ),
    { numRuns: 2000 },
  );
});

test("nothing that may belong to a stop string is shown early, and all else is shown at once", () => {
  fc.assert(
    fc.property(
      fc.array(word(0, 5), { maxLength: 12 }),
      fc.array(word(1, 4), { minLength: 1, maxLength: 4 }),
      (parts, stops) => {
        const matcher = new StopMatcher(stops);
        let shown = "";
        let given = "";
        for (const part of parts) {
          given += part;
          const found = matcher.push(part);
          shown += found.text;
          if (found.stop !== undefined) return;
          const held = given.slice(shown.length);
          const longest = Math.max(
            0,
            ...stops.flatMap((stop) =>
              Array.from({ length: stop.length }, (_, length) => length).filter((length) =>
                given.endsWith(stop.slice(0, length)),
              ),
            ),
          );
          expect(held.length).toBe(longest);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test("an empty stop string is refused by its index", () => {
  expect(() => new StopMatcher(["a", ""])).toThrow(/stop\[1\]/);
});

test("after a stop nothing more comes", () => {
  const matcher = new StopMatcher(["."]);
  expect(matcher.push("one. two. ")).toEqual({ text: "one", stop: "." });
  expect(matcher.push("three.")).toEqual({ text: "", stop: undefined });
  expect(matcher.flush()).toBe("");
});
