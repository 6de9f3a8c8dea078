import { expect, test } from "bun:test";
import { schemaToGrammar } from "../../src/json-schema/index.ts";
import { textMatcher } from "./matching.ts";

const person = {
  type: "object",
  properties: { name: { type: "string" }, tags: { type: "array", items: { enum: ["x", "y"] } } },
  required: ["name"],
  additionalProperties: false,
};

test("white space", () => {
  const value = { name: "A", tags: ["x", "y"] };
  const [dense, pretty] = [JSON.stringify(value), JSON.stringify(value, null, 2)];
  const spaced = '{"name": "A", "tags": ["x", "y"]}';
  const verdicts = (["none", "space", "lines"] as const).map((whitespace) => {
    const matches = textMatcher(schemaToGrammar(person, { whitespace }).source);
    return [dense, spaced, pretty, dense.replace(",", ",  "), `${dense} `, '{"name" :"A"}'].map(matches);
  });
  expect(verdicts).toEqual([
    [true, false, false, false, false, false],
    [true, true, false, false, false, false],
    [true, true, true, false, false, false],
  ]);
  const lines = textMatcher(schemaToGrammar({}, { whitespace: "lines" }).source);
  for (const one of [[], {}, [[], {}], { a: [1, { b: null }] }]) {
    expect(lines(JSON.stringify(one, null, 4))).toBe(true);
    expect(lines(JSON.stringify(one))).toBe(true);
  }
  expect(lines(`[\n${" ".repeat(33)}1]`)).toBe(false);
});

test("members come in the order of the schema, those it does not name behind them", () => {
  const matches = textMatcher(
    schemaToGrammar({ type: "object", properties: { b: true, a: true }, required: ["c"] }).source,
  );
  expect(matches('{"b":1,"a":2,"c":3,"d":4}')).toBe(true);
  expect(matches('{"b":1,"c":3}')).toBe(true);
  expect(matches('{"a":2,"b":1,"c":3}')).toBe(false);
  expect(matches('{"d":4,"c":3}')).toBe(false);
  expect(matches('{"b":1,"b":1,"c":3}')).toBe(false);
});

test("members that no schema mentions can be refused by option", () => {
  const schema = {
    type: "object",
    properties: { a: { type: "object" }, b: { type: "object", properties: { c: true } } },
  };
  const matches = textMatcher(schemaToGrammar(schema, { additionalProperties: "refused" }).source);
  expect(matches('{"a":{"free":1},"b":{"c":1}}')).toBe(true);
  expect(matches('{"x":1}')).toBe(false);
  expect(matches('{"b":{"x":1}}')).toBe(false);
  const asked = { ...schema, additionalProperties: { type: "null" } };
  expect(textMatcher(schemaToGrammar(asked, { additionalProperties: "refused" }).source)('{"x":null}')).toBe(
    true,
  );
});

test("what is written twice is one rule", () => {
  const point = {
    type: "object",
    properties: { x: { type: "number" }, y: { type: "number" } },
    required: ["x", "y"],
    additionalProperties: false,
  };
  const once = schemaToGrammar({ type: "array", items: point }).source;
  const often = schemaToGrammar({
    type: "array",
    prefixItems: [point, { ...point }, structuredClone(point)],
    items: point,
  }).source;
  expect(often.length).toBeLessThan(once.length * 1.5);
});

test("optional members, counts and lists grow linearly", () => {
  const properties = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, { type: "string" }]));
  const size = (schema: unknown) => schemaToGrammar(schema).source.length;
  const closed = (count: number) => ({
    type: "object",
    properties: properties(count),
    additionalProperties: false,
  });
  expect(size(closed(200))).toBeLessThan(size(closed(100)) * 2.3);
  expect(size({ ...closed(40), minProperties: 3 })).toBeLessThan(size(closed(40)) * 8);
  expect(size({ type: "string", maxLength: 2000 })).toBeLessThan(600);
  expect(size({ type: "string", pattern: "^[a-z]{1,900}$" })).toBeLessThan(100);
  expect(size({ type: "string", pattern: "^[a-z]+$", maxLength: 900 })).toBeLessThan(100);
  expect(size({ type: "array", maxItems: 1500, items: { type: "boolean" } })).toBeLessThan(300);
  expect(size({ type: "integer", minimum: 0, maximum: (10n ** 60n) as unknown as number })).toBeLessThan(100);
});

test("large lists are taken, and their beginnings shared", () => {
  const words = Array.from({ length: 10_000 }, (_, index) => `word-${(index * 7919) % 100_003}`);
  const { source } = schemaToGrammar({ enum: words });
  const matches = textMatcher(source);
  expect(source.length).toBeLessThan(120_000);
  expect(words.slice(0, 50).every((word) => matches(JSON.stringify(word)))).toBe(true);
  expect(matches('"word-"')).toBe(false);
}, 30_000);
