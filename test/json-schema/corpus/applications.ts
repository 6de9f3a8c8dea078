import { entries } from "./entry.ts";

/** Schemas as they are met in use: tools, forms, extraction. */
export const applications = entries([
  [
    {
      type: "object",
      properties: {
        city: { type: "string", description: "City" },
        unit: { type: "string", enum: ["celsius", "fahrenheit"] },
      },
      required: ["city"],
      additionalProperties: false,
    },
    [{ city: "Oslo" }, { city: "Oslo", unit: "celsius" }],
    [{ unit: "celsius" }, { city: "Oslo", unit: "kelvin" }],
  ],
  [
    {
      type: "object",
      properties: {
        name: { type: "string", minLength: 1, maxLength: 100 },
        age: { type: "integer", minimum: 0, maximum: 150 },
        email: { type: "string", format: "email" },
        tags: { type: "array", items: { type: "string" }, maxItems: 5 },
      },
      required: ["name", "age"],
    },
    [
      { name: "Ann", age: 30 },
      { name: "Bo", age: 0, email: "b@x.io", tags: ["a", "b"] },
    ],
    [
      { name: "", age: 3 },
      { name: "x", age: 151 },
      { name: "x", age: 3, email: "no" },
    ],
  ],
  [
    {
      type: "object",
      properties: {
        steps: {
          type: "array",
          items: {
            type: "object",
            properties: { explanation: { type: "string" }, output: { type: "string" } },
            required: ["explanation", "output"],
            additionalProperties: false,
          },
        },
        final_answer: { type: "string" },
      },
      required: ["steps", "final_answer"],
      additionalProperties: false,
    },
    [
      { steps: [], final_answer: "8" },
      { steps: [{ explanation: "e", output: "o" }], final_answer: "x" },
    ],
    [{ steps: [{ explanation: "e" }], final_answer: "x" }, { final_answer: "x" }],
  ],
  [
    {
      type: "object",
      properties: {
        type: { enum: ["div", "button", "field"] },
        label: { type: "string" },
        children: { type: "array", items: { $ref: "#" } },
        attributes: {
          type: "array",
          items: {
            type: "object",
            properties: { name: { type: "string" }, value: { type: "string" } },
            required: ["name", "value"],
            additionalProperties: false,
          },
        },
      },
      required: ["type", "label", "children", "attributes"],
      additionalProperties: false,
    },
    [
      {
        type: "div",
        label: "",
        children: [{ type: "button", label: "OK", children: [], attributes: [] }],
        attributes: [{ name: "id", value: "x" }],
      },
    ],
    [{ type: "div", label: "", children: [{}], attributes: [] }],
  ],
  [
    {
      type: "object",
      properties: {
        id: { type: "string", format: "uuid" },
        at: { type: "string", format: "date-time" },
        amount: { type: "number", minimum: 0 },
        currency: { type: "string", pattern: "^[A-Z]{3}$" },
      },
      required: ["id", "at", "amount", "currency"],
      additionalProperties: false,
    },
    [
      {
        id: "123e4567-e89b-12d3-a456-426614174000",
        at: "2024-05-05T10:00:00Z",
        amount: 12.5,
        currency: "EUR",
      },
    ],
    [
      { id: "x", at: "2024-05-05T10:00:00Z", amount: 12.5, currency: "EUR" },
      { id: "123e4567-e89b-12d3-a456-426614174000", at: "2024-05-05T10:00:00Z", amount: -1, currency: "EUR" },
    ],
  ],
  [
    {
      type: "array",
      items: {
        oneOf: [
          {
            type: "object",
            properties: { action: { const: "move" }, x: { type: "integer" }, y: { type: "integer" } },
            required: ["action", "x", "y"],
            additionalProperties: false,
          },
          {
            type: "object",
            properties: { action: { const: "say" }, text: { type: "string" } },
            required: ["action", "text"],
            additionalProperties: false,
          },
        ],
      },
      minItems: 1,
    },
    [
      [
        { action: "move", x: 1, y: -2 },
        { action: "say", text: "hi" },
      ],
    ],
    [[], [{ action: "move", text: "x" }], [{ action: "fly" }]],
  ],
  [
    {
      type: "object",
      properties: {
        sentiment: { type: "string", enum: ["positive", "neutral", "negative"] },
        confidence: { type: "number", minimum: 0, maximum: 1 },
      },
      required: ["sentiment", "confidence"],
      additionalProperties: false,
    },
    [
      { sentiment: "neutral", confidence: 0.5 },
      { sentiment: "positive", confidence: 1 },
    ],
    [
      { sentiment: "good", confidence: 1 },
      { sentiment: "neutral", confidence: 1.01 },
    ],
  ],
  [
    {
      type: "object",
      additionalProperties: { type: "array", items: { type: "number" }, minItems: 2, maxItems: 3 },
    },
    [{ p: [1, 2], q: [0.5, 1, 2] }],
    [{ p: [1] }],
  ],
  [
    {
      type: "object",
      properties: {
        openapi: { type: "string", pattern: "^3\\.\\d+\\.\\d+$" },
        paths: {
          type: "object",
          patternProperties: { "^/": { type: "object" } },
          additionalProperties: false,
        },
      },
      required: ["openapi", "paths"],
    },
    [{ openapi: "3.1.0", paths: { "/a": {} } }],
    [
      { openapi: "2.0", paths: {} },
      { openapi: "3.1.0", paths: { a: {} } },
    ],
  ],
  [
    {
      type: "object",
      properties: {
        first: { type: "string" },
        last: { type: "string" },
        phone: { anyOf: [{ type: "string", pattern: "^\\+?[0-9 ]{5,15}$" }, { type: "null" }] },
        address: {
          type: "object",
          properties: { street: { type: "string" }, zip: { type: "string", pattern: "^\\d{5}(-\\d{4})?$" } },
          required: ["zip"],
        },
      },
      required: ["first", "last", "phone"],
      additionalProperties: false,
    },
    [
      { first: "A", last: "B", phone: null },
      { first: "A", last: "B", phone: "+49 123", address: { zip: "12345-6789", more: 1 } },
    ],
    [
      { first: "A", last: "B", phone: "x" },
      { first: "A", last: "B", phone: null, address: { zip: "1" } },
    ],
  ],
  [
    {
      type: "object",
      properties: {
        query: { type: "string" },
        limit: { type: "integer", minimum: 1, maximum: 100, default: 10 },
        sort: { enum: ["asc", "desc", null] },
      },
      required: ["query", "limit", "sort"],
      additionalProperties: false,
    },
    [{ query: "", limit: 100, sort: null }],
    [{ query: "", limit: 0, sort: "asc" }],
  ],
  [
    {
      type: "object",
      properties: {
        board: {
          type: "array",
          items: { type: "array", items: { enum: ["X", "O", " "] }, minItems: 3, maxItems: 3 },
          minItems: 3,
          maxItems: 3,
        },
      },
      required: ["board"],
      additionalProperties: false,
    },
    [
      {
        board: [
          ["X", "O", " "],
          [" ", " ", " "],
          ["O", "O", "X"],
        ],
      },
    ],
    [{ board: [["X"]] }],
  ],
  [
    {
      type: "object",
      properties: {
        type: { const: "FeatureCollection" },
        features: {
          type: "array",
          items: {
            type: "object",
            properties: {
              geometry: {
                type: "object",
                properties: {
                  type: { const: "Point" },
                  coordinates: {
                    type: "array",
                    prefixItems: [
                      { type: "number", minimum: -180, maximum: 180 },
                      { type: "number", minimum: -90, maximum: 90 },
                    ],
                    items: false,
                    minItems: 2,
                  },
                },
                required: ["type", "coordinates"],
              },
            },
            required: ["geometry"],
          },
        },
      },
      required: ["type", "features"],
    },
    [{ type: "FeatureCollection", features: [{ geometry: { type: "Point", coordinates: [10.75, 59.9] } }] }],
    [{ type: "FeatureCollection", features: [{ geometry: { type: "Point", coordinates: [190, 0] } }] }],
  ],
  [
    {
      type: "object",
      properties: {
        days: {
          type: "array",
          items: { enum: ["mo", "tu", "we", "th", "fr"] },
          uniqueItems: true,
          minItems: 1,
        },
      },
      required: ["days"],
      additionalProperties: false,
    },
    [{ days: ["fr", "mo"] }],
    [{ days: ["mo", "mo"] }, { days: [] }],
  ],
  [
    {
      type: "object",
      properties: {
        cron: { type: "string", pattern: "^(\\*|[0-5]?\\d) (\\*|1?\\d|2[0-3]) \\* \\* (\\*|[0-6])$" },
      },
      required: ["cron"],
    },
    [{ cron: "* 3 * * 6" }, { cron: "59 23 * * *" }],
    [{ cron: "60 1 * * *" }],
  ],
  [
    {
      type: "object",
      properties: {
        rgb: {
          type: "array",
          items: { type: "integer", minimum: 0, maximum: 255 },
          minItems: 3,
          maxItems: 3,
        },
        alpha: { type: "number", exclusiveMinimum: 0, maximum: 1 },
      },
      required: ["rgb"],
      additionalProperties: false,
    },
    [{ rgb: [0, 128, 255], alpha: 0.25 }],
    [{ rgb: [0, 0, 256] }, { rgb: [0, 0, 0], alpha: 0 }],
  ],
  [
    {
      type: "object",
      properties: {
        host: {
          anyOf: [
            { type: "string", format: "ipv4" },
            { type: "string", format: "ipv6" },
            { type: "string", pattern: "^[a-z][a-z0-9-]{0,30}$" },
          ],
        },
        port: { type: "integer", minimum: 1, maximum: 65535 },
      },
      required: ["host"],
      additionalProperties: false,
    },
    [{ host: "10.0.0.1", port: 80 }, { host: "::1" }, { host: "localhost" }],
    [{ host: "A b" }, { host: "a", port: 65536 }],
  ],
]);
