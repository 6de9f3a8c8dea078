import { entries } from "./entry.ts";

const draft7 = { $schema: "http://json-schema.org/draft-07/schema#" } as const;
const tree = {
  $defs: {
    node: {
      type: "object",
      properties: {
        value: { type: "integer" },
        children: { type: "array", items: { $ref: "#/$defs/node" } },
      },
      required: ["value"],
      additionalProperties: false,
    },
  },
} as const;

export const references = entries([
  [{ $defs: { a: { type: "string" } }, $ref: "#/$defs/a" }, ["x"], [1]],
  [{ $defs: { a: { type: "string" } }, type: "array", items: { $ref: "#/$defs/a" } }, [[], ["x"]], [[1]]],
  [
    {
      definitions: { a: { type: "string" } },
      properties: { p: { $ref: "#/definitions/a" } },
      type: "object",
    },
    [{ p: "x" }],
    [{ p: 1 }],
  ],
  [
    { ...tree, $ref: "#/$defs/node" },
    [{ value: 1 }, { value: 1, children: [{ value: 2, children: [] }] }],
    [{}, { value: 1, children: [{}] }, { value: 1, children: [1] }],
  ],
  [
    { ...tree, type: "array", items: { $ref: "#/$defs/node" }, maxItems: 2 },
    [[], [{ value: 1 }, { value: 2 }]],
    [[{ value: "x" }]],
  ],
  [
    { type: "object", properties: { next: { $ref: "#" } }, additionalProperties: false },
    [{}, { next: {} }, { next: { next: {} } }],
    [{ next: 1 }, { x: 1 }],
  ],
  [
    {
      type: "object",
      properties: { next: { anyOf: [{ $ref: "#" }, { type: "null" }] } },
      required: ["next"],
      additionalProperties: false,
    },
    [{ next: null }, { next: { next: null } }],
    [{}, { next: {} }],
  ],
  [{ type: ["array", "integer"], items: { $ref: "#" } }, [1, [], [1, [2, []]]], ["x", [["x"]]]],
  [{ $defs: { a: { $ref: "#/$defs/b" }, b: { type: "null" } }, $ref: "#/$defs/a" }, [null], [1]],
  [{ $defs: { pos: { type: "integer", minimum: 1 } }, $ref: "#/$defs/pos", maximum: 5 }, [1, 5], [0, 6]],
  [
    { $defs: { pos: { type: "integer", minimum: 1 } }, allOf: [{ $ref: "#/$defs/pos" }, { maximum: 5 }] },
    [1, 5],
    [0, 6],
  ],
  [
    {
      ...draft7,
      definitions: { s: { type: "string" } },
      properties: { a: { $ref: "#/definitions/s", minLength: 3 } },
      type: "object",
    },
    [{ a: "x" }],
    [{ a: 1 }],
  ],
  [
    { $defs: { s: { $anchor: "str", type: "string" } }, items: { $ref: "#str" }, type: "array" },
    [["x"]],
    [[1]],
  ],
  [
    {
      ...draft7,
      definitions: { s: { $id: "#str", type: "string" } },
      items: { $ref: "#str" },
      type: "array",
    },
    [["x"]],
    [[1]],
  ],
  [
    {
      $id: "https://example.test/root",
      $defs: {
        s: { $id: "sub", $defs: { t: { type: "null" } }, type: "array", items: { $ref: "#/$defs/t" } },
      },
      $ref: "sub",
    },
    [[], [null]],
    [[1], null],
  ],
  [
    {
      $id: "https://example.test/root.json",
      $defs: { n: { $id: "/n.json", type: "integer" } },
      type: "array",
      items: { $ref: "n.json" },
    },
    [[1]],
    [["x"]],
  ],
  [
    {
      $id: "https://example.test/x",
      type: "object",
      properties: { a: { $ref: "https://example.test/x#/$defs/q" } },
      $defs: { q: { const: 1 } },
    },
    [{ a: 1 }],
    [{ a: 2 }],
  ],
  [
    {
      $defs: { "a/b": { type: "integer" }, "c~d": { type: "null" }, "e f": { const: 1 } },
      type: "array",
      prefixItems: [{ $ref: "#/$defs/a~1b" }, { $ref: "#/$defs/c~0d" }, { $ref: "#/$defs/e%20f" }],
      items: false,
    },
    [[1, null, 1]],
    [[null], [1, 1]],
  ],
  [{ components: { schemas: { X: { type: "string" } } }, $ref: "#/components/schemas/X" }, ["a"], [1]],
  [
    {
      type: "object",
      properties: { a: { type: "integer" }, b: { $ref: "#/properties/a" } },
      additionalProperties: false,
    },
    [{ a: 1, b: 2 }],
    [{ b: "x" }],
  ],
  [
    {
      $defs: {
        even: { type: "object", properties: { n: { $ref: "#/$defs/odd" } }, additionalProperties: false },
        odd: {
          type: "object",
          properties: { n: { $ref: "#/$defs/even" } },
          required: ["n"],
          additionalProperties: false,
        },
      },
      $ref: "#/$defs/even",
    },
    [{}, { n: { n: {} } }],
    [{ n: {} }],
  ],
  [
    {
      $defs: { base: { type: "object", properties: { id: { type: "integer" } }, required: ["id"] } },
      allOf: [{ $ref: "#/$defs/base" }],
      properties: { name: { type: "string" } },
      required: ["name"],
      unevaluatedProperties: false,
    },
    [{ name: "x", id: 1 }],
    [{ name: "x" }, { name: "x", id: 1, z: 1 }],
  ],
  [
    {
      $defs: {
        expr: {
          anyOf: [
            { type: "integer" },
            {
              type: "object",
              properties: {
                op: { enum: ["+", "*"] },
                l: { $ref: "#/$defs/expr" },
                r: { $ref: "#/$defs/expr" },
              },
              required: ["op", "l", "r"],
              additionalProperties: false,
            },
          ],
        },
      },
      $ref: "#/$defs/expr",
    },
    [1, { op: "+", l: 1, r: { op: "*", l: 2, r: 3 } }],
    [
      { op: "-", l: 1, r: 2 },
      { op: "+", l: 1 },
    ],
  ],
  [
    {
      $defs: {
        json: {
          anyOf: [
            { type: ["null", "boolean", "number", "string"] },
            { type: "array", items: { $ref: "#/$defs/json" } },
            { type: "object", additionalProperties: { $ref: "#/$defs/json" } },
          ],
        },
      },
      type: "object",
      properties: { data: { $ref: "#/$defs/json" } },
      required: ["data"],
    },
    [{ data: { a: [1, null, { b: "x" }] } }],
    [{}],
  ],
  [
    {
      $defs: {
        list: {
          type: "object",
          properties: {
            v: { type: "integer" },
            next: { oneOf: [{ type: "null" }, { $ref: "#/$defs/list" }] },
          },
          required: ["v", "next"],
          additionalProperties: false,
        },
      },
      $ref: "#/$defs/list",
    },
    [
      { v: 1, next: null },
      { v: 1, next: { v: 2, next: null } },
    ],
    [{ v: 1 }],
  ],
  [
    {
      $defs: {
        small: { type: "object", properties: { v: { maximum: 9 }, next: { $ref: "#/$defs/small" } } },
        chain: {
          type: "object",
          properties: { v: { type: "integer" }, next: { $ref: "#/$defs/chain" } },
          required: ["v"],
          additionalProperties: false,
        },
      },
      allOf: [{ $ref: "#/$defs/chain" }, { $ref: "#/$defs/small" }],
    },
    [{ v: 1, next: { v: 9 } }],
    [{ v: 10 }, { v: 1, next: { v: 10 } }],
  ],
  [
    {
      $defs: { x: true, y: false },
      type: "object",
      properties: { a: { $ref: "#/$defs/x" }, b: { $ref: "#/$defs/y" } },
    },
    [{ a: 1 }, {}],
    [{ b: 1 }],
  ],
  [
    { $dynamicAnchor: "t", type: ["array", "integer"], items: { $dynamicRef: "#t" } },
    [[1], 3, [[]]],
    [["x"], "x"],
  ],
  [
    {
      $schema: "https://json-schema.org/draft/2019-09/schema",
      type: "object",
      properties: { n: { $recursiveRef: "#" } },
      additionalProperties: false,
    },
    [{}, { n: {} }],
    [{ n: 1 }],
  ],
  [
    {
      $id: "https://example.test/tree",
      $dynamicAnchor: "node",
      type: "object",
      properties: {
        value: { type: "integer" },
        children: { type: "array", items: { $dynamicRef: "#node" } },
      },
      additionalProperties: false,
    },
    [{}, { value: 1, children: [{ value: 2 }] }],
    [{ children: [{ x: 1 }] }],
  ],
  [
    {
      $defs: {
        base: { properties: { id: { type: "integer" } } },
        named: { allOf: [{ $ref: "#/$defs/base" }], properties: { name: { type: "string" } } },
      },
      type: "object",
      allOf: [{ $ref: "#/$defs/base" }, { allOf: [{ $ref: "#/$defs/named" }], unevaluatedProperties: false }],
    },
    [{ id: 1 }, { id: 1, name: "x" }],
    [{ id: "x" }, { z: 1 }],
  ],
]);
