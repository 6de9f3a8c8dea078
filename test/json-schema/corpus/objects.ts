import { entries } from "./entry.ts";

const closed = { type: "object", additionalProperties: false } as const;
const letters = (names: string, schema: unknown = true) =>
  Object.fromEntries(Array.from(names, (name) => [name, schema]));

export const objects = entries([
  [{ ...closed }, [{}], [{ a: 1 }, []]],
  [{ ...closed, properties: { a: { type: "string" } } }, [{}, { a: "x" }], [{ a: 1 }, { b: "x" }]],
  [
    { ...closed, properties: { a: { type: "string" } }, required: ["a"] },
    [{ a: "x" }],
    [{}, { a: 1 }, { a: "x", b: 1 }],
  ],
  [
    { ...closed, properties: letters("abc", { type: "integer" }) },
    [{}, { a: 1 }, { b: 1 }, { c: 1 }, { a: 1, b: 2 }, { a: 1, c: 2 }, { b: 1, c: 2 }, { a: 1, b: 2, c: 3 }],
    [{ d: 1 }, { a: "x" }, { a: 1, d: 1 }],
  ],
  [
    { ...closed, properties: letters("abc"), required: ["b"] },
    [{ b: 1 }, { a: 1, b: 1 }, { b: 1, c: null }, { a: 1, b: 1, c: 1 }],
    [{}, { a: 1 }, { a: 1, c: 1 }],
  ],
  [
    { ...closed, properties: letters("abcd"), required: ["a", "d"] },
    [
      { a: 1, d: 1 },
      { a: 1, b: 1, c: 1, d: 1 },
      { a: 1, c: 1, d: 1 },
    ],
    [{ a: 1 }, { d: 1 }, { a: 1, b: 1, c: 1 }],
  ],
  [
    { ...closed, properties: letters("abcdefghijklmnopqrst", { type: "null" }) },
    [{}, { t: null }, { a: null, j: null, t: null }],
    [{ u: null }, { a: 1 }],
  ],
  [
    { type: "object", properties: { a: { type: "integer" } } },
    [{}, { a: 1 }, { a: 1, b: "x" }, { b: [] }, { aa: "x", "": 1 }],
    [{ a: "x" }],
  ],
  [{ type: "object", required: ["x"] }, [{ x: 1 }, { x: null, y: 2 }], [{}, { y: 1 }]],
  [{ required: ["x"] }, [{ x: 1 }, 5, "a", []], [{}, { y: 1 }]],
  [{ properties: { a: { type: "string" } } }, [{ a: "x" }, 1, [], null], [{ a: 1 }]],
  [
    { type: "object", additionalProperties: { type: "integer" } },
    [{}, { a: 1, b: 2 }],
    [{ a: "x" }, { a: 1, b: null }],
  ],
  [
    { type: "object", properties: { name: { type: "string" } }, additionalProperties: { type: "number" } },
    [{ name: "x" }, { name: "x", n: 1.5 }, { nam: 1, names: 2, n: 3 }],
    [{ name: 1 }, { other: "x" }],
  ],
  [
    {
      type: "object",
      properties: { a: true, ab: true, abc: true, "": true },
      additionalProperties: { type: "null" },
    },
    [
      { a: 1, ab: 1, abc: 1, "": 1 },
      { abcd: null, b: null, A: null, é: null },
    ],
    [{ abcd: 1 }, { b: 1 }],
  ],
  [
    { type: "object", additionalProperties: true, properties: { a: { const: 1 } } },
    [{ a: 1, z: {} }],
    [{ a: 2 }],
  ],
  [{ type: "object", properties: { a: false } }, [{}, { b: 1 }], [{ a: 1 }]],
  [{ ...closed, properties: { a: false, b: true } }, [{}, { b: 1 }], [{ a: 1 }, { a: 1, b: 1 }]],
  [
    { ...closed, properties: { a: { type: "integer", minimum: 5, maximum: 3 }, b: true } },
    [{}, { b: 1 }],
    [{ a: 4 }],
  ],
  [
    { ...closed, properties: { 'quo"te': true, "back\\slash": true, "new\nline": true, é日: true } },
    [{ 'quo"te': 1, "back\\slash": 2, "new\nline": 3, é日: 4 }],
    [{ quote: 1 }],
  ],
  [
    {
      type: "object",
      properties: { constructor: { type: "string" }, toString: true },
      additionalProperties: false,
    },
    [{ constructor: "x", toString: 1 }, {}],
    [{ constructor: 1 }, { hasOwnProperty: 1 }],
  ],
  [{ type: "object", required: ["constructor", "valueOf"] }, [{ constructor: 1, valueOf: 2 }], [{}]],
  [
    { type: "object", patternProperties: { "^s_": { type: "string" } }, additionalProperties: false },
    [{}, { s_a: "x", s_: "y" }],
    [{ s_a: 1 }, { a: "x" }],
  ],
  [
    { type: "object", patternProperties: { "^s_": { type: "string" } } },
    [{ s_a: "x" }, { other: 1, s: 2 }],
    [{ s_a: 1 }],
  ],
  [
    {
      type: "object",
      patternProperties: { "^s_": { type: "string" }, "^n_": { type: "number" } },
      additionalProperties: { type: "null" },
    },
    [
      { s_a: "x", n_b: 1, z: null },
      { z: null, s_: "" },
    ],
    [{ s_a: 1 }, { n_a: "x" }, { z: 1 }],
  ],
  [
    {
      type: "object",
      patternProperties: { "^a": { type: "integer" }, z$: { minimum: 10 } },
      additionalProperties: false,
    },
    [{ a: 1 }, { z: "x" }, { az: 10 }, { a: 1, bz: 11 }],
    [{ az: 5 }, { z: 5 }, { a: "x" }, { m: 1 }],
  ],
  [
    {
      type: "object",
      properties: { id: { type: "integer" } },
      patternProperties: { "^i": { minimum: 3 } },
      additionalProperties: false,
    },
    [{ id: 3 }, { ix: 4 }, { id: 5, ix: "s" }],
    [{ id: 2 }, { id: "x" }, { ix: 1 }, { z: 1 }],
  ],
  [
    { type: "object", patternProperties: { "^\\d+$": { type: "boolean" } }, additionalProperties: false },
    [{ 1: true, 22: false }],
    [{ a: true }, { 1: 0 }],
  ],
  [{ type: "object", patternProperties: { "^x": false } }, [{ a: 1 }], [{ x: 1 }, { xy: null }]],
  [{ type: "object", propertyNames: { pattern: "^[a-z]+$" } }, [{}, { abc: 1 }], [{ A: 1 }, { a1: 1 }]],
  [
    { type: "object", propertyNames: { maxLength: 3 }, properties: { abcd: true, ab: { const: 1 } } },
    [{ ab: 1, xyz: 2 }],
    [{ abcd: 1 }, { ab: 2 }],
  ],
  [
    { type: "object", propertyNames: { enum: ["x", "y"] }, additionalProperties: { type: "integer" } },
    [{}, { x: 1, y: 2 }, { y: 1 }],
    [{ z: 1 }, { x: "a" }],
  ],
  [
    { type: "object", propertyNames: { anyOf: [{ const: "k" }, { minLength: 4 }] } },
    [{ k: 1, long: 2 }],
    [{ ab: 1 }],
  ],
  [{ type: "object", propertyNames: false }, [{}], [{ a: 1 }]],
  [{ type: "object", propertyNames: { format: "date" } }, [{ "2024-01-31": 1 }], [{ x: 1 }]],
  [{ type: "object", minProperties: 1 }, [{ a: 1 }, { a: 1, b: 2 }], [{}]],
  [{ type: "object", maxProperties: 2 }, [{}, { a: 1 }, { a: 1, b: 2 }], [{ a: 1, b: 2, c: 3 }]],
  [{ type: "object", maxProperties: 0 }, [{}], [{ a: 1 }]],
  [{ type: "object", minProperties: 1, maxProperties: 1 }, [{ a: 1 }], [{}, { a: 1, b: 2 }]],
  [
    { ...closed, properties: letters("abcd"), minProperties: 2 },
    [
      { a: 1, b: 2 },
      { a: 1, d: 2 },
      { b: 1, c: 2, d: 3 },
    ],
    [{}, { a: 1 }, { d: 1 }],
  ],
  [
    { ...closed, properties: letters("abcd"), maxProperties: 2 },
    [{}, { d: 1 }, { b: 1, c: 2 }],
    [{ a: 1, b: 2, c: 3 }],
  ],
  [
    { ...closed, properties: letters("abcd"), minProperties: 2, maxProperties: 3 },
    [
      { a: 1, d: 2 },
      { b: 1, c: 2, d: 3 },
    ],
    [{ a: 1 }, { a: 1, b: 1, c: 1, d: 1 }],
  ],
  [
    { ...closed, properties: letters("abcd"), required: ["c"], minProperties: 2, maxProperties: 3 },
    [
      { a: 1, c: 2 },
      { c: 1, d: 2 },
      { a: 1, b: 1, c: 1 },
    ],
    [{ c: 1 }, { a: 1, b: 1 }, { a: 1, b: 1, c: 1, d: 1 }],
  ],
  [
    { type: "object", properties: letters("ab"), required: ["a"], minProperties: 2 },
    [
      { a: 1, b: 2 },
      { a: 1, z: 2 },
    ],
    [{ a: 1 }],
  ],
  [
    { type: "object", properties: letters("ab"), maxProperties: 2 },
    [
      { a: 1, z: 1 },
      { x: 1, y: 2 },
      { a: 1, b: 1 },
    ],
    [{ a: 1, b: 1, c: 1 }],
  ],
  [{ minProperties: 1 }, [{ a: 1 }, 3, []], [{}]],
  [
    { ...closed, properties: letters("abc"), dependentRequired: { a: ["b"] } },
    [{}, { b: 1 }, { a: 1, b: 1 }, { c: 1 }],
    [{ a: 1 }, { a: 1, c: 1 }],
  ],
  [
    { ...closed, properties: letters("abc"), dependentRequired: { a: ["b", "c"], b: ["c"] } },
    [{}, { c: 1 }, { b: 1, c: 1 }, { a: 1, b: 1, c: 1 }],
    [{ a: 1 }, { b: 1 }, { a: 1, b: 1 }],
  ],
  [{ dependentRequired: { a: ["b"] } }, [{}, { a: 1, b: 2 }, 5, "x"], [{ a: 1 }]],
  [
    {
      ...closed,
      properties: letters("ab", { type: "integer" }),
      dependentSchemas: { a: { properties: { b: { minimum: 5 } }, required: ["b"] } },
    },
    [{ b: 1 }, { a: 1, b: 5 }],
    [{ a: 1 }, { a: 1, b: 4 }],
  ],
  [
    { ...closed, properties: letters("ab"), dependencies: { a: ["b"] } },
    [{}, { b: 1 }, { a: 1, b: 2 }],
    [{ a: 1 }],
  ],
  [
    { ...closed, properties: letters("ab"), dependencies: { a: { properties: { b: { const: 1 } } } } },
    [{ a: 1 }, { a: 1, b: 1 }, { b: 2 }],
    [{ a: 1, b: 2 }],
  ],
  [{ type: "object", properties: letters("a"), unevaluatedProperties: false }, [{}, { a: 1 }], [{ b: 1 }]],
  [
    {
      type: "object",
      allOf: [{ properties: letters("a") }, { properties: letters("b") }],
      unevaluatedProperties: false,
    },
    [{}, { a: 1, b: 1 }],
    [{ c: 1 }],
  ],
  [
    {
      type: "object",
      properties: letters("k"),
      anyOf: [
        { properties: { a: true }, required: ["a"] },
        { properties: { b: true }, required: ["b"] },
      ],
      unevaluatedProperties: false,
    },
    [{ k: 1, a: 1 }, { b: 1 }],
    [{ k: 1 }, { a: 1, z: 1 }],
  ],
  [
    { type: "object", properties: letters("a"), unevaluatedProperties: { type: "integer" } },
    [{ a: "x", b: 1 }],
    [{ b: "x" }],
  ],
  [
    {
      ...closed,
      properties: {
        o: {
          ...closed,
          properties: { p: { type: "array", items: { ...closed, properties: { q: { type: "null" } } } } },
        },
      },
    },
    [{ o: { p: [{}, { q: null }] } }],
    [{ o: { p: [{ q: 1 }] } }],
  ],
  [{ type: "object", not: { required: ["a"] } }, [{}, { b: 1 }], [{ a: 1 }]],
  [
    {
      ...closed,
      properties: { a: { type: "integer" } },
      not: { properties: { a: { const: 3 } }, required: ["a"] },
    },
    [{}, { a: 4 }],
    [{ a: 3 }],
  ],
  [{ type: "object", not: { required: ["a", "b"] } }, [{}, { a: 1 }, { b: 1 }], [{ a: 1, b: 1 }]],
  [
    {
      type: "object",
      properties: letters("a"),
      not: { not: { properties: letters("b") } },
      unevaluatedProperties: false,
    },
    [{}, { a: 1 }],
    [{ b: 1 }, { a: 1, b: 1 }],
  ],
  [{ type: "object", not: { maxProperties: 0 } }, [{ a: 1 }], [{}]],
  [
    {
      type: "object",
      properties: { a: { description: "any" }, b: {} },
      required: ["b"],
      additionalProperties: {},
    },
    [{ b: 1 }, { a: null, b: [], c: {} }],
    [{ a: 1 }],
  ],
]);
