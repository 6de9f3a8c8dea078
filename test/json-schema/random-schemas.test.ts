// biome-ignore-all lint/suspicious/noThenProperty: then is a keyword of JSON schema.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { JsonSchemaError, schemaToGrammar } from "../../src/json-schema/index.ts";
import { judge } from "./judge.ts";
import { GrammarSampler, randomNumbers, textMatcher } from "./matching.ts";

const names = ["a", "b", "c"] as const;
const small = fc.integer({ min: -12, max: 130 });
const decimal = fc.integer({ min: -400, max: 400 }).map((value) => value / 16);
const patterns = ["^a", "b$", "^[ab]*$", "a.c", "^.{2}$", "[0-9]", "^(x|yy)+$", '"', "\\\\", "^\\w+$"];
const word = fc.constantFrom("", "a", "ab", "abc", "b1", "x", "yy", 'q"', "\\", "é", "😀", "a\nc");
const scalar = fc.oneof(small, decimal, word, fc.boolean(), fc.constant(null));
const types = ["null", "boolean", "integer", "number", "string", "array", "object"];

const optional = <T>(keyword: string, value: fc.Arbitrary<T>) =>
  fc.option(value, { nil: undefined, freq: 2 }).map((one) => (one === undefined ? {} : { [keyword]: one }));
const merged = (...parts: fc.Arbitrary<object>[]) =>
  fc.tuple(...parts).map((all) => Object.assign({}, ...all) as object);

/** ajv takes [] where `contains` stands beside `prefixItems`; it should not, and the two are not compared there. */
function withoutDoubtfulContains(schema: object): object {
  const { contains: _, ...rest } = schema as { contains?: unknown };
  return "prefixItems" in schema ? rest : schema;
}

/** Schemas with most of the keywords, of which some cannot be satisfied, or not be expressed. */
const schemas = fc.letrec<{ schema: unknown }>((tie) => {
  const schema = tie("schema");
  const string = merged(
    fc.constant({ type: "string" }),
    optional("minLength", fc.nat(3)),
    optional("maxLength", fc.nat(5)),
    optional("pattern", fc.constantFrom(...patterns)),
  );
  const number = merged(
    fc.constantFrom({ type: "number" }, { type: "integer" }),
    optional("minimum", fc.oneof(small, decimal)),
    optional("maximum", fc.oneof(small, decimal)),
    optional("exclusiveMinimum", fc.oneof(small, decimal)),
    optional("multipleOf", fc.constantFrom(1, 2, 3, 5)),
  );
  const array = merged(
    fc.constant({ type: "array" }),
    optional("items", schema),
    optional("prefixItems", fc.array(schema, { minLength: 1, maxLength: 2 })),
    optional("contains", fc.constantFrom({ type: "integer" }, { const: "a" }, { type: "null" })),
    optional("minItems", fc.nat(2)),
    optional("maxItems", fc.nat(3)),
  ).map(withoutDoubtfulContains);
  const object = merged(
    fc.constant({ type: "object" }),
    optional(
      "properties",
      fc
        .uniqueArray(fc.tuple(fc.constantFrom(...names), schema), { selector: ([name]) => name })
        .map((pairs) => Object.fromEntries(pairs)),
    ),
    optional("required", fc.subarray([...names], { maxLength: 2 })),
    optional("additionalProperties", fc.oneof(fc.boolean(), schema)),
    optional(
      "patternProperties",
      fc.tuple(fc.constantFrom("^[ax]", "b"), schema).map(([key, value]) => ({ [key]: value })),
    ),
    optional("maxProperties", fc.nat(3)),
    optional("minProperties", fc.nat(2)),
    optional("dependentRequired", fc.constantFrom({ a: ["b"] }, { c: ["a"] })),
  );
  const listed = fc.oneof(
    scalar.map((value) => ({ const: value })),
    fc.array(scalar, { minLength: 1, maxLength: 4 }).map((values) => ({ enum: values })),
  );
  const typed = fc.subarray(types, { minLength: 1, maxLength: 3 }).map((type) => ({ type }));
  const pair = fc.tuple(schema, schema);
  const combined = fc.oneof(
    pair.map((anyOf) => ({ anyOf })),
    pair.map((allOf) => ({ allOf })),
    pair.map((oneOf) => ({ oneOf })),
    fc.tuple(typed, schema).map(([type, not]) => ({ ...type, not })),
    fc.tuple(schema, schema, schema).map(([condition, yes, no]) =>
      Object.fromEntries([
        ["if", condition],
        ["then", yes],
        ["else", no],
      ]),
    ),
  );
  return {
    schema: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      listed,
      typed,
      string,
      number,
      fc.constant(true),
      array,
      object,
      combined,
    ),
  };
}).schema;

/** A value with the members of its objects in every order, as far as there are not too many. */
function orders(value: unknown): unknown[] {
  if (Array.isArray(value)) {
    return value.reduce<unknown[][]>(
      (before, item) =>
        before
          .flatMap((items) =>
            orders(item)
              .slice(0, 6)
              .map((one) => [...items, one]),
          )
          .slice(0, 200),
      [[]],
    );
  }
  if (typeof value !== "object" || value === null) return [value];
  const arrangements = Object.entries(value).reduce<[string, unknown][][]>(
    (before, entry) =>
      before
        .flatMap((entries) => entries.concat([entry]).map((_, at) => entries.toSpliced(at, 0, entry)))
        .slice(0, 120),
    [[]],
  );
  return arrangements
    .flatMap((entries) =>
      entries.reduce<[string, unknown][][]>(
        (before, [name, item]) =>
          before.flatMap((done) =>
            orders(item)
              .slice(0, 6)
              .map((one): [string, unknown][] => [...done, [name, one]]),
          ),
        [[]],
      ),
    )
    .slice(0, 400)
    .map((entries) => Object.fromEntries(entries));
}

interface Compiled {
  readonly source: string;
  readonly reports: readonly unknown[];
}

function compiled(schema: unknown): Compiled | undefined {
  try {
    return schemaToGrammar(schema);
  } catch (error) {
    if (error instanceof JsonSchemaError) return undefined;
    throw error;
  }
}

test("a grammar admits what ajv accepts, and nothing else", () => {
  let decided = 0;
  let accepted = 0;
  fc.assert(
    fc.property(schemas, schemas, fc.nat(), (one, other, seed) => {
      const [mine, theirs] = [compiled(one), compiled(other)];
      if (!mine || mine.reports.length > 0) return;
      const [isValid, matches, random] = [judge(one), textMatcher(mine.source), randomNumbers(seed)];
      const sampler = new GrammarSampler(mine.source);
      const own = Array.from({ length: 6 }, () => sampler.sample(random, 20));
      for (const text of own) {
        expect({ text, valid: isValid(JSON.parse(text)) }).toEqual({ text, valid: true });
        expect({ text, matches: matches(text) }).toEqual({ text, matches: true });
      }
      // Values of another schema, and parts of both, are decided alike by ajv and by the grammar.
      const foreign = theirs ? new GrammarSampler(theirs.source) : sampler;
      const values = [...Array.from({ length: 6 }, () => foreign.sample(random, 15)), ...own].flatMap(
        (text) => {
          const value = JSON.parse(text);
          const parts = typeof value === "object" && value !== null ? Object.values(value) : [];
          const shorter = Array.isArray(value) ? [value.slice(1)] : [];
          return [value, ...parts.slice(0, 3), ...shorter];
        },
      );
      for (const value of values) {
        const text = JSON.stringify(value);
        if (text.length > 200 || /e|\.\d{16}/.test(text)) continue;
        const valid = isValid(value);
        const admitted = orders(value).some((order) => matches(JSON.stringify(order)));
        decided++;
        if (valid) accepted++;
        expect({ text, admitted }).toEqual({ text, admitted: valid });
      }
    }),
    { numRuns: 400, seed: 5 },
  );
  expect(decided).toBeGreaterThan(2000);
  expect(accepted).toBeGreaterThan(500);
}, 60_000);
