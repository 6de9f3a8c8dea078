// biome-ignore-all lint/suspicious/noThenProperty: then is a keyword of JSON schema.
import { entries } from "./entry.ts";

const kind = (
  name: string,
  properties: Record<string, unknown>,
  required: string[] = Object.keys(properties),
) => ({
  type: "object",
  properties: { kind: { const: name }, ...properties },
  required: ["kind", ...required],
  additionalProperties: false,
});

/** More conditions on one property than could be combined with one another. */
const kinds = Array.from({ length: 12 }, (_, index) => `k${index}`);

export const combinations = entries([
  [{ anyOf: [{ type: "string" }, { type: "integer" }] }, ["a", 1], [1.5, null]],
  [
    {
      anyOf: [
        { type: "string", maxLength: 2 },
        { type: "string", pattern: "^long" },
      ],
    },
    ["ab", "longer"],
    ["abc"],
  ],
  [{ anyOf: [true, { type: "string" }] }, [1, "a", null], []],
  [{ anyOf: [false, { type: "string" }] }, ["a"], [1]],
  [{ anyOf: [{ type: "string", minLength: 3, maxLength: 2 }, { type: "null" }] }, [null], ["a", "abc"]],
  [{ type: "string", anyOf: [{ minLength: 5 }, { pattern: "^x" }] }, ["abcde", "x"], ["abc", 5]],
  [
    { type: "integer", anyOf: [{ maximum: 0 }, { minimum: 10 }], allOf: [{ minimum: -5 }, { maximum: 15 }] },
    [-5, 0, 10, 15],
    [5, -6, 16],
  ],
  [{ anyOf: [{ const: 1 }, { const: "a" }, { enum: [2, 3] }] }, [1, "a", 2, 3], [4, "b"]],
  [{ anyOf: [{ anyOf: [{ type: "null" }, { const: 1 }] }, { const: 2 }] }, [null, 1, 2], [3]],
  [{ allOf: [{ type: "integer" }, { minimum: 3 }, { maximum: 5 }] }, [3, 5], [2, 6, "a"]],
  [{ allOf: [{ type: ["string", "integer"] }, { type: ["integer", "null"] }] }, [1], ["a", null]],
  [{ allOf: [true, {}, { type: "string" }] }, ["a"], [1]],
  [{ allOf: [{ enum: [1, 2, 3] }, { enum: [2, 3, 4] }] }, [2, 3], [1, 4]],
  [
    {
      allOf: [
        { type: "object", properties: { a: { type: "integer" } }, required: ["a"] },
        { properties: { b: { type: "string" } }, required: ["b"] },
      ],
    },
    [
      { a: 1, b: "x" },
      { a: 1, b: "x", c: null },
    ],
    [{ a: 1 }, { b: "x" }, { a: 1, b: 2 }],
  ],
  [
    {
      allOf: [{ properties: { a: { minimum: 2 } } }, { properties: { a: { maximum: 4 } } }],
      type: "object",
      properties: { a: { type: "integer" } },
    },
    [{ a: 3 }, {}],
    [{ a: 1 }, { a: 5 }, { a: "x" }],
  ],
  [
    {
      allOf: [
        { type: "object", properties: { a: true }, additionalProperties: false },
        { properties: { a: { type: "string" }, b: true } },
      ],
    },
    [{}, { a: "x" }],
    [{ b: 1 }, { a: 1 }],
  ],
  [
    {
      allOf: [
        { type: "object", additionalProperties: { minimum: 2 } },
        { additionalProperties: { type: "integer" } },
      ],
    },
    [{ a: 2 }],
    [{ a: 1 }, { a: "x" }],
  ],
  [
    {
      allOf: [
        { anyOf: [{ type: "string" }, { type: "integer" }] },
        { anyOf: [{ type: "integer" }, { type: "null" }] },
      ],
    },
    [1],
    ["a", null],
  ],
  [{ oneOf: [{ type: "string" }, { type: "integer" }] }, ["a", 1], [null, 1.5]],
  [
    { oneOf: [kind("circle", { r: { type: "number" } }), kind("square", { side: { type: "number" } })] },
    [
      { kind: "circle", r: 1.5 },
      { kind: "square", side: 2 },
    ],
    [{ kind: "circle", side: 2 }, { kind: "other" }, {}],
  ],
  [
    {
      oneOf: [
        { type: "integer", minimum: 0 },
        { type: "integer", maximum: 10 },
      ],
    },
    [-1, 11, 100],
    [0, 5, 10],
  ],
  [{ oneOf: [{ type: "number" }, { type: "integer" }] }, [1.5, -0.25], [1, 2]],
  [{ oneOf: [{ const: "a" }, { const: "b" }] }, ["a", "b"], ["c"]],
  [
    {
      oneOf: [
        { type: "string", maxLength: 3 },
        { type: "string", pattern: "^x" },
      ],
    },
    ["ab", "xlong"],
    ["x", "xyz", "long"],
  ],
  [
    {
      type: "object",
      properties: { a: { type: "integer" }, b: { type: "integer" } },
      additionalProperties: false,
      oneOf: [{ required: ["a"] }, { required: ["b"] }],
    },
    [{ a: 1 }, { b: 2 }],
    [{}, { a: 1, b: 2 }],
  ],
  [
    {
      type: "object",
      properties: { a: { type: "integer" }, b: { type: "integer" } },
      additionalProperties: false,
      anyOf: [{ required: ["a"] }, { required: ["b"] }],
    },
    [{ a: 1 }, { b: 2 }, { a: 1, b: 2 }],
    [{}],
  ],
  [
    {
      oneOf: [
        { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
        { type: "array" },
        { type: "null" },
      ],
    },
    [{ a: "x" }, [], null],
    [{ a: 1 }, "x"],
  ],
  [
    {
      oneOf: [
        { type: "string", enum: ["a", "b"] },
        { type: "string", enum: ["b", "c"] },
      ],
    },
    ["a", "c"],
    ["b"],
  ],
  [{ not: { type: "string" } }, [1, null, [], {}, true, 0.5], ["a", ""]],
  [{ not: { type: ["string", "number", "object"] } }, [null, [], true], ["a", 1, 1.5, {}]],
  [{ not: { type: "integer" } }, [0.5, "a", null], [1, 0]],
  [{ not: { anyOf: [{ type: "string" }, { type: "null" }] } }, [1, [], {}], ["a", null]],
  [
    { type: ["string", "integer"], not: { allOf: [{ type: "string" }, { minLength: 2 }] } },
    ["", "a", 5],
    ["ab"],
  ],
  [{ type: "integer", not: { not: { minimum: 3 } } }, [3, 4], [2]],
  [{ type: ["boolean", "null"], not: { const: true } }, [false, null], [true]],
  [{ type: ["string", "null"], not: { enum: [null, "x"] } }, ["", "y"], ["x", null]],
  [{ type: "string", not: { format: "ipv4" }, maxLength: 9 }, ["a", "1.2.3"], ["1.2.3.4"]],
  [
    { type: "integer", if: { minimum: 10 }, then: { multipleOf: 5 }, else: { maximum: 3 } },
    [10, 15, 3, 0],
    [11, 5, 9],
  ],
  [{ type: "string", if: { pattern: "^a" }, then: { minLength: 3 } }, ["abc", "b", ""], ["a", "ab"]],
  [{ type: "string", if: { maxLength: 2 }, else: { pattern: "^long" } }, ["ab", "longer"], ["abc"]],
  [
    {
      type: "object",
      properties: { country: { enum: ["US", "CA"] }, zip: { type: "string" } },
      required: ["country", "zip"],
      additionalProperties: false,
      if: { properties: { country: { const: "US" } } },
      then: { properties: { zip: { pattern: "^\\d{5}$" } } },
      else: { properties: { zip: { pattern: "^[A-Z]\\d[A-Z]$" } } },
    },
    [
      { country: "US", zip: "12345" },
      { country: "CA", zip: "A1B" },
    ],
    [
      { country: "US", zip: "A1B" },
      { country: "CA", zip: "12345" },
      { country: "FR", zip: "12345" },
    ],
  ],
  [{ if: true, then: { type: "string" }, else: { type: "null" } }, ["a"], [null, 1]],
  [{ if: { type: "string" }, then: { minLength: 1 }, else: { type: "integer" } }, ["a", 1], ["", null]],
  [{ then: { type: "string" } }, [1, "a"], []],
  [
    {
      type: "object",
      properties: { a: { type: "boolean" }, b: { type: "integer" } },
      additionalProperties: false,
      if: { properties: { a: { const: true } }, required: ["a"] },
      then: { required: ["b"] },
    },
    [{}, { a: false }, { a: true, b: 1 }, { b: 1 }],
    [{ a: true }],
  ],
  [
    { anyOf: [kind("x", { a: { type: "integer" } }), kind("y", { b: { type: "string" } }, [])] },
    [{ kind: "x", a: 1 }, { kind: "y" }, { kind: "y", b: "s" }],
    [{ kind: "x" }, { kind: "y", a: 1 }],
  ],
  [
    {
      type: "object",
      properties: { t: { enum: ["n", "s"] }, v: true },
      required: ["t", "v"],
      additionalProperties: false,
      anyOf: [
        { properties: { t: { const: "n" }, v: { type: "number" } } },
        { properties: { t: { const: "s" }, v: { type: "string" } } },
      ],
    },
    [
      { t: "n", v: 1 },
      { t: "s", v: "x" },
    ],
    [
      { t: "n", v: "x" },
      { t: "s", v: 1 },
    ],
  ],
  [{ type: "integer", not: { const: 3, enum: [1, 2] } }, [1, 3], ["x"]],
  [{ enum: [1, 2, 3], const: 2 }, [2], [1, 3]],
  [
    {
      type: "object",
      properties: { kind: { enum: kinds }, size: { type: "integer" } },
      required: ["kind", "size"],
      additionalProperties: false,
      allOf: kinds.map((name, index) => ({
        if: { properties: { kind: { const: name } } },
        then: { properties: { size: { minimum: index, maximum: index + 1 } } },
      })),
    },
    [
      { kind: "k0", size: 0 },
      { kind: "k11", size: 12 },
    ],
    [{ kind: "k3", size: 2 }, { kind: "k12", size: 12 }, { size: 1 }],
  ],
  [
    {
      type: "object",
      properties: { kind: { type: "string" }, size: { type: "integer" } },
      additionalProperties: false,
      allOf: kinds.map((name, index) => ({
        if: { properties: { kind: { const: name } }, required: ["kind"] },
        then: { properties: { size: { minimum: index, maximum: index + 1 } } },
      })),
    },
    [{ kind: "k0", size: 0 }, { kind: "other", size: 99 }, { size: 99 }, {}],
    [{ kind: "k3", size: 2 }],
  ],
  [
    {
      type: "object",
      properties: { a: { type: "integer" } },
      additionalProperties: false,
      anyOf: [
        { required: ["a"], not: { required: ["a"] } },
        { required: ["a"], properties: { a: { const: 1 } } },
      ],
    },
    [{ a: 1 }],
    [{}, { a: 2 }],
  ],
  [{ type: "integer", not: { oneOf: [{ minimum: 3 }, { maximum: 8 }] } }, [3, 8], [2, 9]],
  [
    { type: ["string", "integer", "null"], not: { oneOf: [{ type: "string" }, { type: "null" }] } },
    [1],
    ["a", null],
  ],
  [
    {
      type: "object",
      if: { properties: { a: { const: 1 } }, additionalProperties: {} },
      else: { maxProperties: 1 },
    },
    [{ a: 1, b: 2 }, { a: 2 }],
    [{ a: 2, b: 2 }],
  ],
  [
    { type: "object", not: { dependentSchemas: { a: { required: ["b"] } } } },
    [{ a: 1 }, { a: 1, c: 2 }],
    [{}, { a: 1, b: 2 }],
  ],
  [
    { type: "object", not: { dependencies: { a: ["b"], c: { required: ["d"] } } } },
    [{ a: 1 }, { c: 1 }],
    [{}],
  ],
  [
    {
      type: "number",
      oneOf: [
        { minimum: 0, format: "float" },
        { maximum: 9, format: "double" },
      ],
    },
    [-1, 10],
    [5],
  ],
  [{ not: { $ref: "#/$defs/a" }, $defs: { a: { $ref: "#/$defs/b" }, b: { type: "null" } } }, [1], [null]],
]);
