import { expect, test } from "bun:test";
import { RequestError } from "../../lib/errors.ts";
import { JsonSchemaError, schemaLimits, schemaToGrammar } from "../../src/json-schema/index.ts";
import { textMatcher } from "./matching.ts";

type Refusal = readonly [schema: unknown, pointer: string, message: RegExp];

const string = (keywords: object) => ({ type: "string", ...keywords });
const list = (length: number, make: (index: number) => unknown) =>
  Array.from({ length }, (_, index) => make(index));
const nested = (depth: number) => {
  let schema: unknown = { type: "null" };
  for (let level = 0; level < depth; level++) schema = { type: "array", items: schema };
  return schema;
};

/** Wrong in any mode. */
const wrong: readonly Refusal[] = [
  [5, "", /an object or a boolean, got number/],
  [null, "", /got null/],
  [[], "", /got an array/],
  [{ type: "text" }, "/type", /"text"; types are null, boolean/],
  [{ type: 5 }, "/type", /has 5/],
  [string({ minLength: -1 }), "/minLength", /at least 0, got -1/],
  [string({ maxLength: 1.5 }), "/maxLength", /got 1.5/],
  [string({ minLength: "3" }), "/minLength", /got "3"/],
  [{ minimum: "1" }, "/minimum", /must be a number, got string/],
  [{ exclusiveMinimum: true }, "/exclusiveMinimum", /must be a number, got boolean/],
  [{ type: "number", multipleOf: 0 }, "/multipleOf", /above 0/],
  [{ minimum: Number.NaN }, "/minimum", /NaN is no JSON value/],
  [{ default: () => 1 }, "/default", /no JSON value/],
  [{ properties: [] }, "/properties", /must be an object, got an array/],
  [{ properties: { a: 5 } }, "/properties/a", /a schema is an object or a boolean, got number/],
  [{ properties: { "a/b~": { items: { type: "x" } } } }, "/properties/a~1b~0/items/type", /types are/],
  [{ required: "a" }, "/required", /must be a list/],
  [{ required: [1] }, "/required", /list of strings/],
  [{ enum: {} }, "/enum", /must be a list/],
  [{ anyOf: [] }, "/anyOf", /must not be empty/],
  [{ allOf: {} }, "/allOf", /must be a list/],
  [{ uniqueItems: 1 }, "/uniqueItems", /true or false/],
  [{ dependentRequired: { a: "b" } }, "/dependentRequired/a", /must list names/],
  [{ $schema: "http://json-schema.org/draft-04/schema#" }, "/$schema", /use draft-07, 2019-09 or 2020-12/],
  [{ $schema: "https://json-schema.org/draft/2020-12/schema", items: [{}] }, "/items", /use prefixItems/],
  [string({ pattern: 5 }), "/pattern", /must be a string/],
  [string({ pattern: "(a" }), "/pattern", /character 3.*"\(" without/],
  [string({ pattern: "a)" }), "/pattern", /"\)" without/],
  [string({ pattern: "[a" }), "/pattern", /"\[" without/],
  [string({ pattern: "a{3,1}" }), "/pattern", /wrong way round/],
  [string({ pattern: "[z-a]" }), "/pattern", /wrong way round/],
  [string({ pattern: "*a" }), "/pattern", /nothing to repeat/],
  [string({ pattern: "\\q" }), "/pattern", /unknown escape/],
  [string({ pattern: "\\Aa\\z" }), "/pattern", /unknown escape \\A; a text begins at \^/],
  [string({ pattern: "(?i)a" }), "/pattern", /an unknown kind of group; there are/],
  [string({ pattern: "(?=a)*" }), "/pattern", /a look-ahead cannot be repeated/],
  [string({ pattern: "\\p{Nope}" }), "/pattern", /Unicode property/],
  [string({ pattern: "^*" }), "/pattern", /an anchor cannot be repeated/],
  [{ patternProperties: { "(": true } }, "/patternProperties", /"\(" without/],
  [{ $ref: "#/$defs/x" }, "/$ref", /finds nothing at "\$defs"/],
  [{ $ref: "#/%zz" }, "/$ref", /%-escape/],
  [{ $ref: "https://example.test/x.json" }, "/$ref", /leads out of the schema, and nothing is fetched/],
  [{ $ref: "other.json#/a" }, "/$ref", /leads out/],
  [{ $ref: "#nope" }, "/$ref", /an anchor that no schema has/],
  [{ $defs: { a: 3 }, $ref: "#/$defs/a" }, "/$ref", /no schema/],
  [{ $ref: "#" }, "", /refers to itself/],
  [
    { $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } }, $ref: "#/$defs/a" },
    "/$defs/a",
    /refers to itself/,
  ],
  [{ type: "object", allOf: [{ $ref: "#" }] }, "", /refers to itself/],
  [{ anyOf: [{ $ref: "#" }, { type: "null" }] }, "", /refers to itself/],
  [{ oneOf: [{ $ref: "#" }, { type: "null" }] }, "/oneOf/0", /refers to itself/],
  [{ not: { $ref: "#" } }, "", /refers to itself/],
  [{ properties: { a: { $ref: "#/properties/a" } } }, "/properties/a", /refers to itself/],
  [{ if: { $ref: "#" }, ...JSON.parse('{"then":{"type":"null"}}') }, "", /refers to itself/],
];

/** What no value satisfies. */
const impossible: readonly Refusal[] = [
  [false, "", /no value/],
  [{ type: "integer", minimum: 5, maximum: 3 }, "/minimum", /no number/],
  [{ type: "integer", exclusiveMinimum: 3, exclusiveMaximum: 4 }, "/exclusiveMinimum", /no number/],
  [{ type: "integer", multipleOf: 10, minimum: 1, maximum: 9 }, "/minimum", /no number/],
  [string({ enum: [1, 2] }), "/enum", /leaves no value/],
  [{ enum: [] }, "/enum", /leaves no value/],
  [{ const: 1, not: { const: 1 } }, "/const", /leaves no value/],
  [{ const: 3, enum: [1, 2] }, "/const", /leaves no value/],
  [{ type: "array", contains: true, minContains: 2, maxContains: 1 }, "/maxContains", /below minContains/],
  [string({ minLength: 3, maxLength: 2 }), "/maxLength", /no string/],
  [string({ pattern: "^a$", minLength: 2 }), "/pattern", /no string/],
  [string({ format: "ipv4", pattern: "^a" }), "/pattern", /no string/],
  [{ allOf: [{ type: "string" }, { type: "null" }] }, "/allOf/1/type", /no type/],
  [{ type: "object", properties: { a: false }, required: ["a"] }, "/required", /"a" can have no value/],
  [
    { type: "object", properties: {}, additionalProperties: false, required: ["b"] },
    "/required",
    /"b" can have no value/,
  ],
  [
    { type: "object", additionalProperties: false, minProperties: 1 },
    "/minProperties",
    /number of properties/,
  ],
  [{ type: "object", required: ["a", "b"], maxProperties: 1 }, "/maxProperties", /number of properties/],
  [{ type: "array", minItems: 3, maxItems: 1 }, "/minItems", /so many items/],
  [{ type: "array", prefixItems: [true], items: false, minItems: 2 }, "/minItems", /so many items/],
  [{ type: "object", properties: { a: { $ref: "#" } }, required: ["a"] }, "", /without an end/],
  [
    {
      type: "object",
      properties: { a: { type: "array", items: { enum: [] }, minItems: 1 } },
      required: ["a"],
    },
    "/properties/a/items/enum",
    /leaves no value/,
  ],
];

/** Refused where the mode is strict; ignored and reported where it is lenient. */
const inexpressible: readonly Refusal[] = [
  [
    string({ pattern: "^(?:(?!--)[a-z-])*$" }),
    "/pattern",
    /look-ahead that is repeated so often at character 18/,
  ],
  [string({ pattern: "(?:a(?=b)|b){33}" }), "/pattern", /look-ahead that is repeated/],
  [string({ pattern: "a(?!^b)" }), "/pattern", /look-ahead with \^ inside at character 2/],
  [string({ pattern: "^(?:a{0,1000000}){0,1000000}$" }), "/pattern", /count above 1000000 in all/],
  [string({ pattern: "(?<=a)b" }), "/pattern", /look-behind/],
  [string({ pattern: "(?<!a)b" }), "/pattern", /look-behind/],
  [string({ pattern: "(a)\\1" }), "/pattern", /back-reference/],
  [string({ pattern: "(?<x>a)\\k<x>" }), "/pattern", /back-reference/],
  [string({ pattern: "\\bfoo\\b" }), "/pattern", /word boundary, \\b/],
  [string({ pattern: "a\\B" }), "/pattern", /word boundary, \\B/],
  [string({ pattern: "a".repeat(schemaLimits.patternLength + 1) }), "/pattern", /characters/],
  [string({ format: "uri-template" }), "/format", /"uri-template" is not known/],
  [string({ format: "cuid" }), "/format", /"cuid" is not known/],
  [{ type: "number", multipleOf: 0.01 }, "/multipleOf", /no integer/],
  [{ type: "integer", multipleOf: 4999 }, "/multipleOf", /no integer of at most 64/],
  [{ type: "array", items: { type: "string" }, uniqueItems: true }, "/uniqueItems", /1024 subsets/],
  [{ type: "array", items: { enum: list(11, Number) }, uniqueItems: true }, "/uniqueItems", /1024 subsets/],
  [
    { type: "array", not: { anyOf: [{ items: { type: "null" } }, { uniqueItems: true }] } },
    "/not/anyOf/1/uniqueItems",
    /opposite of uniqueItems/,
  ],
  [
    { type: "array", allOf: [{ contains: { const: 1 } }, { contains: { const: 2 } }] },
    "/allOf/1/contains",
    /more than once/,
  ],
  [
    { type: "array", contains: { uniqueItems: true }, maxContains: 1 },
    "/maxContains",
    /opposite of uniqueItems/,
  ],
  [{ type: "object", minProperties: 2 }, "/minProperties", /names are free/],
  [
    { type: "object", not: { additionalProperties: { type: "string" } } },
    "/not",
    /opposite of additionalProperties/,
  ],
  [{ not: { const: { a: 1 } } }, "/not", /an object in const or enum/],
  [{ not: { enum: [[1]] } }, "/not", /an array in const or enum/],
  [{ if: { propertyNames: { maxLength: 3 } }, else: { type: "null" } }, "/if", /opposite of propertyNames/],
  [
    { type: "array", unevaluatedItems: false, contains: { const: 1 } },
    "/unevaluatedItems",
    /beside contains/,
  ],
  [
    { $id: "http://a.test/", $defs: { x: { $id: "d", $dynamicAnchor: "t" } }, $dynamicRef: "#t" },
    "/$dynamicRef",
    /several \$id/,
  ],
];

/** Too large in any mode. */
const excessive: readonly Refusal[] = [
  [string({ description: "x".repeat(schemaLimits.textLength + 1) }), "", /characters/],
  [{ enum: list(schemaLimits.values + 1, Number) }, "", /more than 50000 values/],
  [string({ pattern: "^(a|b)*a(a|b){14}$", maxLength: 99 }), "/pattern", /4000 states/],
  [string({ pattern: "^[a-z]*b", maxLength: 100_000 }), "/pattern", /4000 states/],
  // What could be read in thousands of ways at once is not written as it is.
  [string({ pattern: "^(?:\\w{1,70}\\s?){1,100}$" }), "", /more work/],
  [string({ pattern: "^(?:a{2,100}){1,1000}$" }), "", /more work/],
  [string({ pattern: "^(?:a|aa)*$", maxLength: 9000 }), "/pattern", /4000 states/],
  [string({ minLength: 1e9 }), "/minLength", /above 1000000/],
  [{ type: "array", minItems: 1e9 }, "/minItems", /above 1000000/],
  [
    { allOf: list(12, (index) => ({ anyOf: [{ minLength: index }, { maxLength: 99 - index }] })) },
    "/allOf/0/anyOf/0",
    /1000 ways/,
  ],
  [
    {
      type: "object",
      properties: Object.fromEntries(list(200, (index) => [`p${index}`, true]) as [string, true][]),
      additionalProperties: false,
      minProperties: 100,
    },
    "/minProperties",
    /4000 rules/,
  ],
  [{ type: "array", contains: { const: 1 }, minContains: 100, maxItems: 100 }, "/contains", /4000 rules/],
  [{ enum: list(2000, (index) => "a".repeat(index as number)) }, "", /too large a grammar|more work/],
  [{ const: "x".repeat(1_050_000) }, "", /too large a grammar/],
];

function refusal(schema: unknown, mode: "strict" | "lenient"): JsonSchemaError | undefined {
  try {
    schemaToGrammar(schema, { mode });
    return undefined;
  } catch (error) {
    if (error instanceof JsonSchemaError) return error;
    throw error;
  }
}

const named = (rows: readonly Refusal[]) =>
  rows.map((row) => [String(JSON.stringify(row[0])).slice(0, 90), ...row] as const);

test.each(named([...wrong, ...impossible]))("%s is refused in any mode", (_, schema, pointer, message) => {
  for (const mode of ["strict", "lenient"] as const) {
    const error = refusal(schema, mode);
    expect({ pointer: error?.pointer, message: error?.message }).toEqual({
      pointer,
      message: expect.stringMatching(message),
    });
    expect(error).toBeInstanceOf(RequestError);
    expect(error?.code).toBe("REQUEST");
    expect(error?.field).toBe("schema");
  }
});

test.each(named(inexpressible))("%s is refused, or ignored and reported", (_, schema, pointer, message) => {
  const error = refusal(schema, "strict");
  expect({ pointer: error?.pointer, message: error?.message }).toEqual({
    pointer,
    message: expect.stringMatching(message),
  });
  expect(error?.message).toContain("lenient");
  const { reports } = schemaToGrammar(schema, { mode: "lenient" });
  expect(reports).toContainEqual({
    pointer,
    keyword: pointer.slice(pointer.lastIndexOf("/") + 1),
    message: expect.stringMatching(message),
  });
});

test.each(named(excessive))(
  "%s is too large",
  (_, schema, pointer, message) => {
    const error = refusal(schema, "lenient");
    expect({ pointer: error?.pointer, message: error?.message }).toEqual({
      pointer: pointer === "/allOf/0/anyOf/0" ? expect.any(String) : pointer,
      message: expect.stringMatching(message),
    });
  },
  30_000,
);

test("what was made for an opposite is told of by the place that it was made for", () => {
  const schema = { type: "object", if: { const: { a: 1 } }, else: { required: ["b"] } };
  expect(refusal(schema, "strict")?.pointer).toBe("/if");
  const mixed = {
    type: ["array", "string"],
    oneOf: [{ const: [1] }, { type: ["string", "array"], minLength: 2 }],
  };
  expect(refusal(mixed, "strict")?.pointer).toBe("/oneOf/1");
});

test("long chains and names are refused or taken without a deep stack", () => {
  const chain = (link: (target: object) => object) => ({
    $ref: "#/$defs/d0",
    $defs: Object.fromEntries(
      list(1100, (index) => [`d${index}`, link({ $ref: `#/$defs/d${(index as number) + 1}` })]) as [
        string,
        object,
      ][],
    ),
  });
  for (const link of [
    (target: object) => ({ allOf: [target] }),
    (target: object) => ({ anyOf: [target] }),
    (target: object) => ({ not: target }),
    (target: object) => ({ type: "object", properties: { a: target }, not: { required: ["a"], ...target } }),
    (target: object) => ({
      oneOf: [{ properties: { a: target }, required: ["a"] }, { properties: { a: target } }],
    }),
  ]) {
    // The last one refers to nothing.
    expect(refusal(chain(link), "lenient")?.message).toMatch(/1000 references|finds nothing|more work/);
  }
  const long = "n".repeat(200_000);
  expect(refusal({ type: "object", properties: { [long]: true } }, "strict")?.message).toMatch(
    /states|work|large/,
  );
  expect(refusal({ type: "string", not: { const: long } }, "strict")?.message).toMatch(/states|work|large/);
  expect(
    refusal({ type: "object", properties: { [long]: true }, additionalProperties: false }, "strict"),
  ).toBeUndefined();
  const members = Object.fromEntries(list(3900, (index) => [`p${index}`, true]) as [string, boolean][]);
  expect(refusal({ type: "object", properties: members, maxProperties: 0 }, "strict")).toBeUndefined();
}, 30_000);

test("what is nested too deeply, or goes round in memory, is refused without a deep stack", () => {
  const circular: { items?: unknown } = {};
  circular.items = circular;
  for (const schema of [nested(300), nested(100_000), circular]) {
    expect(refusal(schema, "strict")?.message).toMatch(/nested more than 256 deep/);
  }
  expect(refusal(nested(120), "strict")).toBeUndefined();
});

test("oneOf whose overlap cannot be excluded is treated as anyOf, and said so", () => {
  const schema = {
    oneOf: [
      { type: "array", uniqueItems: true, maxItems: 1 },
      { type: "array", multipleOf: 3 },
    ],
  };
  expect(schemaToGrammar(schema).reports).toEqual([
    { pointer: "/oneOf", keyword: "oneOf", message: expect.stringMatching(/treated as anyOf/) },
  ]);
});

test("what cannot be is left out where there is a choice", () => {
  const source = (schema: unknown) => schemaToGrammar(schema, { whitespace: "none" }).source;
  expect(source({ anyOf: [{ enum: [] }, { const: 1 }] })).toBe('root ::= "1"\n');
  expect(source({ type: "object", properties: { a: { enum: [] } }, additionalProperties: false })).toBe(
    'root ::= "{}"\n',
  );
  expect(
    source({
      type: "array",
      items: { $ref: "#/$defs/endless" },
      $defs: { endless: { type: "array", items: { $ref: "#/$defs/endless" }, minItems: 1 } },
    }),
  ).toBe('root ::= "[]"\n');
});

test("what is ignored under not refuses nothing", () => {
  const schema = string({ not: { pattern: "(a)\\1" }, maxLength: 3 });
  const { source, reports } = schemaToGrammar(schema, { mode: "lenient" });
  expect(reports).toMatchObject([{ keyword: "pattern" }]);
  expect(['"b"', '"aa"', '"long"'].map(textMatcher(source))).toEqual([true, true, false]);
});

test("long texts and rows exhaust no stack", () => {
  const long = "ab".repeat(4990);
  const literal = textMatcher(schemaToGrammar(string({ pattern: `^${long}$` })).source);
  expect([`"${long}"`, `"${long}a"`].map(literal)).toEqual([true, false]);
  expect(refusal(string({ pattern: `^${"a?b?".repeat(2400)}$` }), "strict")?.message).toMatch(/more work/);
  expect(refusal(string({ pattern: `^(?:${long})c$` }), "strict")).toBeUndefined();
  const text = "x".repeat(70_000);
  expect(refusal(string({ not: { const: text } }), "strict")?.message).toMatch(/4000 states/);
  expect(refusal({ type: "object", propertyNames: { enum: [text, "y"] } }, "strict")).toBeUndefined();
}, 60_000);

test("members that are undefined are none, and lists of schemas may be empty", () => {
  const source = (schema: unknown) => schemaToGrammar(schema, { whitespace: "none" }).source;
  const schema = { description: undefined, type: "string", const: undefined, enum: ["a", { b: undefined }] };
  expect(source(schema)).toBe('root ::= "\\"a\\""\n');
  expect(source({ enum: [{ b: undefined, c: 1 }] })).toBe('root ::= "{\\"c\\":1}"\n');
  expect(source({ enum: [null], allOf: [] })).toBe('root ::= "null"\n');
  expect(source({ type: "array", prefixItems: [], items: false })).toBe('root ::= "[]"\n');
  expect(refusal({ enum: [undefined] }, "strict")?.pointer).toBe("/enum/0");
});

test("wrong options", () => {
  expect(() => schemaToGrammar({}, { mode: "sloppy" as never })).toThrow(TypeError);
  expect(() => schemaToGrammar({}, { whitespace: "tabs" as never })).toThrow(/none/);
});

test("names that every object inherits", () => {
  const properties = JSON.parse('{"__proto__":{"type":"integer"},"constructor":{"type":"string"}}');
  const schema = { type: "object", properties, required: ["__proto__"], additionalProperties: false };
  const matches = textMatcher(schemaToGrammar(schema).source);
  expect(matches('{"__proto__":1,"constructor":"x"}')).toBe(true);
  expect(matches('{"constructor":"x"}')).toBe(false);
  expect(matches('{"__proto__":"x"}')).toBe(false);
  expect(refusal({ type: "constructor" }, "strict")?.pointer).toBe("/type");
  expect(refusal(string({ format: "constructor" }), "strict")?.pointer).toBe("/format");
  expect(refusal(string({ pattern: "\\p{__proto__}" }), "strict")?.pointer).toBe("/pattern");
});
