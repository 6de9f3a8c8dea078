import { expect, test } from "bun:test";
import { schemaToGrammar } from "../../src/json-schema/index.ts";
import { corpus } from "./corpus/index.ts";
import { judge } from "./judge.ts";
import { GrammarSampler, randomNumbers, textMatcher } from "./matching.ts";

const all = Object.values(corpus).flat();

/** What is made of a schema for several tests. */
const made = new Map<unknown, ReturnType<typeof make>>();

function make(schema: unknown) {
  const { source, reports } = schemaToGrammar(schema);
  return { source, reports, isValid: judge(schema), matches: textMatcher(source) };
}

function madeOf(schema: unknown) {
  const known = made.get(schema) ?? make(schema);
  made.set(schema, known);
  return known;
}

test("the corpus has 300 schemas", () => {
  expect(new Set(all.map(({ schema }) => JSON.stringify(schema))).size).toBeGreaterThanOrEqual(300);
});

for (const [feature, entries] of Object.entries(corpus)) {
  const rows = entries.map((entry) => [JSON.stringify(entry.schema).slice(0, 120), entry] as const);

  test.each(rows)(`${feature}: %s`, (_, { schema, valid, invalid }) => {
    const { isValid, matches, reports } = madeOf(schema);
    const label = (values: readonly unknown[], verdict: (value: unknown) => boolean) =>
      values.map((value) => [JSON.stringify(value), verdict(value)]);
    expect(label(valid, isValid)).toEqual(label(valid, () => true));
    expect(label(invalid, isValid)).toEqual(label(invalid, () => false));
    expect(reports).toEqual([]);
    expect(label(valid, (value) => matches(JSON.stringify(value)))).toEqual(label(valid, () => true));
    expect(label(invalid, (value) => matches(JSON.stringify(value)))).toEqual(label(invalid, () => false));
  });
}

let samples = 0;

test.each(Object.entries(corpus))(
  "%s: whatever a grammar makes at random, ajv accepts",
  (_, entries) => {
    for (const { schema } of entries) {
      const { source, isValid, matches } = madeOf(schema);
      const sampler = new GrammarSampler(source);
      for (let count = 0; count < 7; count++) {
        const text = sampler.sample(randomNumbers(samples++));
        const verdicts = { schema, text, valid: isValid(JSON.parse(text)), matches: matches(text) };
        expect(verdicts).toEqual({ schema, text, valid: true, matches: true });
      }
    }
  },
  60_000,
);

test("at least 2000 texts were made", () => {
  expect(samples).toBeGreaterThanOrEqual(2000);
});
