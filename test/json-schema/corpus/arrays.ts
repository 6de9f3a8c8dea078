import { entries } from "./entry.ts";

const integers = { type: "array", items: { type: "integer" } } as const;
const draft7 = { $schema: "http://json-schema.org/draft-07/schema#" } as const;
const draft2019 = { $schema: "https://json-schema.org/draft/2019-09/schema" } as const;

export const arrays = entries([
  [integers, [[], [1], [1, 2, 3]], [["x"], [1, null], {}]],
  [{ items: { type: "integer" } }, [[], [1], "x", {}], [["x"]]],
  [{ type: "array", items: true }, [[], [1, "x"]], [1]],
  [{ type: "array", items: false }, [[]], [[1]]],
  [{ type: "array", items: {} }, [[], [{}]], [{}]],
  [{ ...integers, minItems: 1 }, [[1], [1, 2]], [[]]],
  [{ ...integers, maxItems: 2 }, [[], [1], [1, 2]], [[1, 2, 3]]],
  [{ ...integers, minItems: 2, maxItems: 2 }, [[1, 2]], [[1], [1, 2, 3], []]],
  [{ ...integers, maxItems: 0 }, [[]], [[1]]],
  [
    { ...integers, minItems: 3, maxItems: 5 },
    [
      [1, 2, 3],
      [1, 2, 3, 4, 5],
    ],
    [
      [1, 2],
      [1, 2, 3, 4, 5, 6],
    ],
  ],
  [
    { ...integers, minItems: 2 },
    [
      [1, 2],
      [1, 2, 3, 4, 5, 6, 7],
    ],
    [[1], []],
  ],
  [{ ...integers, maxItems: 1500 }, [[], Array(1500).fill(7)], [Array(1501).fill(7)]],
  [
    { ...integers, minItems: 1001, maxItems: 3200 },
    [Array(1001).fill(0), Array(2000).fill(0), Array(2001).fill(0), Array(3199).fill(1), Array(3200).fill(1)],
    [Array(1000).fill(0), Array(3201).fill(0)],
  ],
  [{ minItems: 1 }, [[1], "", {}], [[]]],
  [
    { type: "array", prefixItems: [{ type: "string" }, { type: "integer" }] },
    [[], ["a"], ["a", 1], ["a", 1, null, {}]],
    [[1], ["a", "b"]],
  ],
  [
    { type: "array", prefixItems: [{ type: "string" }, { type: "integer" }], items: false },
    [[], ["a"], ["a", 1]],
    [["a", 1, 2], [1]],
  ],
  [
    { type: "array", prefixItems: [{ type: "string" }, { type: "integer" }], items: false, minItems: 2 },
    [["a", 1]],
    [["a"], [], ["a", 1, 1]],
  ],
  [
    { type: "array", prefixItems: [{ type: "string" }], items: { type: "boolean" } },
    [[], ["a"], ["a", true, false]],
    [["a", 1], [true]],
  ],
  [
    {
      type: "array",
      prefixItems: [{ type: "string" }],
      items: { type: "boolean" },
      minItems: 2,
      maxItems: 3,
    },
    [
      ["a", true],
      ["a", true, false],
    ],
    [["a"], ["a", true, true, true]],
  ],
  [{ type: "array", prefixItems: [true, true, true], maxItems: 2 }, [[], [1], [1, 2]], [[1, 2, 3]]],
  [{ type: "array", prefixItems: [{ const: 1 }, false] }, [[], [1]], [[1, 2], [2]]],
  [
    { type: "array", prefixItems: [{ const: 1 }, { const: 2 }, { const: 3 }], items: { const: 4 } },
    [[], [1], [1, 2], [1, 2, 3, 4, 4]],
    [[2], [1, 2, 3, 5]],
  ],
  [
    { ...draft7, type: "array", items: [{ type: "string" }, { type: "integer" }] },
    [[], ["a", 1], ["a", 1, null]],
    [[1], ["a", "a"]],
  ],
  [
    { ...draft7, type: "array", items: [{ type: "string" }], additionalItems: false },
    [[], ["a"]],
    [["a", 1]],
  ],
  [
    { ...draft7, type: "array", items: [{ type: "string" }], additionalItems: { type: "null" } },
    [["a", null]],
    [["a", 1]],
  ],
  [{ ...draft7, type: "array", items: { type: "string" }, additionalItems: false }, [["a", "b"]], [[1]]],
  [
    { ...draft2019, type: "array", items: [{ const: 1 }], additionalItems: { const: 2 } },
    [[1, 2, 2], []],
    [[2], [1, 1]],
  ],
  [{ type: "array", contains: { const: 1 } }, [[1], [0, 1], ["x", 1, 1]], [[], [2]]],
  [{ ...integers, contains: { minimum: 10 } }, [[10], [1, 11, 2]], [[1], [], ["x", 10]]],
  [
    { ...integers, contains: { minimum: 10 }, minContains: 2 },
    [
      [10, 11],
      [1, 10, 2, 12],
    ],
    [[10], [1, 2, 10]],
  ],
  [{ ...integers, contains: { minimum: 10 }, maxContains: 1 }, [[10], [1, 10, 2]], [[10, 11], [1]]],
  [
    { ...integers, contains: { minimum: 10 }, minContains: 0, maxContains: 1 },
    [[], [1, 2], [1, 10]],
    [[10, 11]],
  ],
  [{ ...integers, contains: { minimum: 10 }, minContains: 0 }, [[], [1]], [["x"]]],
  [
    { ...integers, contains: { const: 5 }, minContains: 1, maxContains: 2, minItems: 2, maxItems: 4 },
    [
      [5, 1],
      [5, 5, 1, 1],
      [1, 2, 3, 5],
    ],
    [[5], [1, 2], [5, 5, 5], [5, 1, 1, 1, 1]],
  ],
  [
    { type: "array", prefixItems: [{ type: "string" }], contains: { type: "null" } },
    [
      ["a", null],
      ["a", 1, null],
    ],
    [["a"], [null], ["a", 1]],
  ],
  [
    { type: "array", items: { enum: ["a", "b", "c"] }, uniqueItems: true },
    [[], ["a"], ["c", "a", "b"]],
    [
      ["a", "a"],
      ["b", "c", "b"],
    ],
  ],
  [
    { type: "array", items: { enum: ["a", "b", "c"] }, uniqueItems: true, minItems: 2, maxItems: 2 },
    [
      ["c", "a"],
      ["a", "b"],
    ],
    [["a"], ["a", "b", "c"], ["a", "a"]],
  ],
  [
    { type: "array", items: { type: "boolean" }, uniqueItems: true },
    [[true, false], [false]],
    [[true, true]],
  ],
  [{ type: "array", items: { type: "string" }, uniqueItems: true, maxItems: 1 }, [[], ["x"]], [["x", "x"]]],
  [{ ...integers, uniqueItems: false }, [[1, 1]], [["x"]]],
  [
    { type: "array", items: { type: "array", items: { type: "integer" }, minItems: 2, maxItems: 2 } },
    [
      [],
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [[[1]], [1]],
  ],
  [{ type: "array", items: { anyOf: [{ type: "integer" }, { type: "null" }] } }, [[1, null]], [["x"]]],
  [
    {
      type: "array",
      allOf: [{ items: { minimum: 2 } }, { items: { maximum: 4 } }],
      items: { type: "integer" },
    },
    [[2, 3, 4]],
    [[1], [5]],
  ],
  [
    { type: "array", allOf: [{ prefixItems: [{ type: "integer" }] }, { items: { minimum: 2 } }] },
    [
      [2, "x"],
      [3, 4],
    ],
    [["x"], [1], [2, 1]],
  ],
  [{ type: "array", prefixItems: [{ const: 1 }], unevaluatedItems: false }, [[], [1]], [[1, 2]]],
  [
    {
      type: "array",
      allOf: [{ prefixItems: [{ const: 1 }, { const: 2 }] }],
      unevaluatedItems: { type: "null" },
    },
    [[1, 2, null], [1]],
    [[1, 2, 3]],
  ],
  [{ type: "array", not: { minItems: 2 } }, [[], [1]], [[1, 2]]],
  [{ ...integers, not: { items: { minimum: 0 } } }, [[-1], [1, -1]], [[], [1]]],
  [{ ...integers, not: { contains: { const: 0 } } }, [[], [1, 2]], [[0], [1, 0]]],
  [
    { type: "array", prefixItems: [{ type: "integer" }], not: { prefixItems: [{ const: 3 }] } },
    [[4], [1, 2]],
    [[3], []],
  ],
  [{ ...integers, maxItems: 2_147_483_647 }, [[], [1, 2]], [["x"]]],
  [
    { type: "array", items: { enum: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] }, uniqueItems: true },
    [[], [9, 0, 5, 1, 8, 2, 7, 3, 6, 4]],
    [[9, 0, 5, 1, 8, 2, 7, 3, 6, 9], [10]],
  ],
  [
    {
      type: "array",
      items: { enum: Array.from({ length: 25 }, (_, i) => i) },
      uniqueItems: true,
      maxItems: 2,
    },
    [[], [24], [24, 0]],
    [
      [24, 24],
      [1, 2, 3],
    ],
  ],
  [
    { type: "array", contains: { const: 1 }, minContains: 3, minItems: 1 },
    [
      [1, 1, 1],
      [0, 1, 1, 0, 1, 0],
    ],
    [[], [1, 1], [0, 1, 0, 1]],
  ],
]);
