import { expect, test } from "bun:test";
import fc from "fast-check";
import { JsonSchemaError, schemaToGrammar } from "../../src/json-schema/index.ts";
import { judge } from "./judge.ts";
import { GrammarSampler, randomNumbers, textMatcher } from "./matching.ts";

/** Regular expressions over few characters, so that texts match often. */
const expression = fc.letrec<{ pattern: string }>((tie) => {
  const atom = fc.constantFrom(
    "a",
    "b",
    "c",
    ".",
    "[ab]",
    "[^a]",
    "[^b-z]",
    "\\d",
    "\\w",
    "\\s",
    "\\W",
    '"',
    "\\\\",
    "\\n",
    "é",
    "😀",
    "^",
    "$",
    "\\u{1F600}",
    "[\\d_-]",
    "(?=a)",
    "(?!b)",
    "(?=.*[bc]$)",
    "(?!.?$)",
  );
  const group = tie("pattern").map((inside) => `(?:${inside})`);
  const repeated = fc
    .tuple(
      fc.oneof(fc.constantFrom("a", "b", ".", "[ab]", "\\d", "😀"), group),
      fc.constantFrom("*", "+", "?", "{2}", "{1,2}", "{0,3}", "{2,}", "*?"),
    )
    .map((parts) => parts.join(""));
  const sequence = fc
    .array(fc.oneof(atom, atom, repeated, group), { maxLength: 4 })
    .map((parts) => parts.join(""));
  return {
    pattern: fc.oneof(
      { depthSize: "small" },
      sequence,
      fc.tuple(sequence, tie("pattern")).map((parts) => parts.join("|")),
    ),
  };
}).pattern;

const text = fc
  .array(fc.constantFrom("a", "b", "c", "1", "_", " ", "\n", '"', "\\", "é", "😀", "\u0000"), {
    maxLength: 6,
  })
  .map((parts) => parts.join(""));

test("patterns match what RegExp matches", () => {
  let matching = 0;
  fc.assert(
    fc.property(
      expression,
      fc.array(text, { minLength: 12, maxLength: 12 }),
      fc.nat(),
      (pattern, texts, seed) => {
        const regularExpression = new RegExp(pattern, "u");
        let source: string;
        try {
          source = schemaToGrammar({ type: "string", pattern }).source;
        } catch (error) {
          if (!(error instanceof JsonSchemaError)) throw error;
          // Look-aheads multiply what has to be followed at once.
          if (/look-ahead that is repeated|states|more work/.test(error.message)) return;
          // Anchors may stand where no text can match.
          if (!/no string/.test(error.message)) throw error;
          for (const one of texts) expect([one, regularExpression.test(one)]).toEqual([one, false]);
          return;
        }
        const matches = textMatcher(source);
        for (const one of texts) {
          if (regularExpression.test(one)) matching++;
          expect([one, matches(JSON.stringify(one))]).toEqual([one, regularExpression.test(one)]);
        }
        const [sampler, random] = [new GrammarSampler(source), randomNumbers(seed)];
        for (let count = 0; count < 4; count++) {
          // Short, since RegExp takes time that grows exponentially, and then gives up.
          const sample = JSON.parse(sampler.sample(random, 6));
          if (Array.from(sample).length > 12) continue;
          expect([sample, regularExpression.test(sample)]).toEqual([sample, true]);
        }
      },
    ),
    { numRuns: 400 },
  );
  expect(matching).toBeGreaterThan(300);
}, 60_000);

test("patterns, lengths and their opposites combine", () => {
  const bounds = fc.tuple(fc.nat(3), fc.nat(5));
  fc.assert(
    fc.property(
      expression,
      expression,
      bounds,
      fc.array(text, { minLength: 12, maxLength: 12 }),
      (one, other, [min, more], texts) => {
        const schema = {
          type: "string",
          allOf: [{ pattern: one }, { minLength: min, maxLength: min + more }, { not: { pattern: other } }],
        };
        const isValid = judge(schema);
        let matches: (text: string) => boolean;
        try {
          matches = textMatcher(schemaToGrammar(schema).source);
        } catch (error) {
          if (!(error instanceof JsonSchemaError)) throw error;
          if (/look-ahead|states|more work/.test(error.message)) return;
          if (!/no string/.test(error.message)) throw error;
          matches = () => false;
        }
        for (const value of texts)
          expect([value, matches(JSON.stringify(value))]).toEqual([value, isValid(value)]);
      },
    ),
    { numRuns: 200 },
  );
}, 60_000);

test("a character has one spelling: that of JSON.stringify", () => {
  const matches = textMatcher(schemaToGrammar({ type: "string", minLength: 1, maxLength: 1 }).source);
  for (let point = 0; point < 0x10ffff; point += point < 0x3000 ? 1 : 997) {
    if (point >= 0xd800 && point < 0xe000) continue;
    const character = String.fromCodePoint(point);
    expect([point, matches(JSON.stringify(character))]).toEqual([point, true]);
  }
  for (const spelling of [
    '"\\/"',
    '"\\u0041"',
    '"\\u000A"',
    '"\\u001F"',
    '"\n"',
    '"\\ud83d\\ude00"',
    '"\\ud800"',
    '"ab"',
    '""',
  ]) {
    expect([spelling, matches(spelling)]).toEqual([spelling, false]);
  }
});
