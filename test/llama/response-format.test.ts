import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { z } from "zod";
import type { JsonSchema } from "../../src/llama/response-format.ts";
import { Llama } from "../../src/llama.ts";

let llama: Llama;
beforeAll(async () => {
  llama = await Llama.load(undefined, { contextLength: 1024, threads: 1 });
});
afterAll(() => llama.close());

const messages = [{ role: "user" as const, content: "Write JSON for Anna, age 30, from Oslo." }];
const person = {
  type: "object",
  properties: { name: { type: "string" }, age: { type: "integer", minimum: 0 }, city: { type: "string" } },
  required: ["name", "age", "city"],
  additionalProperties: false,
} satisfies JsonSchema;
const greedy = { messages, temperature: 0, max_tokens: 200 };

describe("an answer in a shape", () => {
  test("by response_format, json_schema, and the grammar of the same", async () => {
    const response_format = { type: "json_schema", json_schema: { name: "person", schema: person } } as const;
    const { choices } = await llama.createChatCompletion({ ...greedy, response_format });
    expect(JSON.parse(choices[0]!.message.content!)).toEqual({ name: "Anna", age: 30, city: "Oslo" });
    expect(choices[0]!.message.parsed).toBeUndefined();
    const other = await llama.createChatCompletion({ ...greedy, json_schema: person });
    expect(other.choices[0]!.message.content!).toBe(choices[0]!.message.content!);
  });

  test("by a zod schema, with the value back", async () => {
    const schema = z.object({
      name: z.string(),
      age: z.int().transform((years) => 12 * years),
      city: z.string(),
    });
    const { choices } = await llama.createChatCompletion({ ...greedy, response_format: schema });
    // The type is known.
    const months: number | undefined = choices[0]?.message.parsed?.age;
    expect(months).toBe(360);
    expect(JSON.parse(choices[0]!.message.content!).age).toBe(30);
  });

  test("cut off by max_tokens it is said to be, and nothing is parsed", async () => {
    const schema = z.object({ name: z.string(), age: z.int(), city: z.string() });
    const { choices } = await llama.createChatCompletion({
      ...greedy,
      response_format: schema,
      max_tokens: 5,
    });
    expect(choices[0]).toMatchObject({ finish_reason: "length", message: { parsed: null } });
  });

  test("that only zod can refuse, it is an error", async () => {
    const schema = z.object({
      name: z.string().refine((name) => name === "Bert"),
      age: z.int(),
      city: z.string(),
    });
    const answer = llama.createChatCompletion({ ...greedy, response_format: schema });
    await expect(answer).rejects.toMatchObject({ code: "ANSWER" });
  });

  test("any object", async () => {
    const { choices } = await llama.createChatCompletion({
      ...greedy,
      response_format: { type: "json_object" },
    });
    expect(JSON.parse(choices[0]!.message.content!)).toBeObject();
  });

  test("streamed it is the same, and so is plain text", async () => {
    const response_format = z.object({ name: z.string(), age: z.int(), city: z.string() });
    const whole = await llama.createChatCompletion({ ...greedy, response_format });
    const chunks = await Array.fromAsync(
      llama.createChatCompletion({ ...greedy, response_format, stream: true }),
    );
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toBe(
      whole.choices[0]!.message.content!,
    );
    const plain = await llama.createChatCompletion(greedy);
    const text = await llama.createChatCompletion({ ...greedy, response_format: { type: "text" } });
    expect(text.choices).toEqual(plain.choices);
  });

  test("with a function that changes logits, too", async () => {
    const { choices } = await llama.createChatCompletion({
      ...greedy,
      json_schema: { enum: ["yes", "no"] },
      logits_processors: (logits) => void logits.fill(0),
    });
    expect(["yes", "no"]).toContain(JSON.parse(choices[0]!.message.content!));
  });
});

test("however it is sampled, the answer is valid", async () => {
  const ajv = new Ajv2020();
  const schemas: JsonSchema[] = [
    person,
    { type: "array", items: { type: "number" }, minItems: 1, maxItems: 4 },
    { type: "object", properties: { on: { type: "boolean" }, level: { enum: [1, 2.5, "high", null] } } },
    { type: "string", pattern: "^[A-Z][a-z]{2,5}-[0-9]+$", maxLength: 20 },
    { anyOf: [{ const: { a: [] } }, { type: "integer", exclusiveMinimum: -12, maximum: 700 }] },
  ];
  for (const [index, json_schema] of schemas.entries()) {
    const valid = ajv.compile(json_schema);
    const { choices } = await llama.createChatCompletion({
      messages,
      json_schema,
      n: 6,
      temperature: 3,
      top_k: 0,
      top_p: 1,
      min_p: 0,
      seed: index,
      max_tokens: 300,
    });
    for (const { message, finish_reason } of choices) {
      if (finish_reason === "length") continue;
      expect(valid(JSON.parse(message.content!))).toBe(true);
    }
    expect(choices.some(({ finish_reason }) => finish_reason === "stop")).toBe(true);
  }
});

describe("refused before anything is computed", () => {
  const refusals: [name: string, params: object, field: string, message: RegExp][] = [
    ["two shapes", { json_schema: person, grammar: 'root ::= "a"' }, "json_schema", /not both/],
    ["an unknown type", { response_format: { type: "xml" } }, "response_format.type", /json_object/],
    [
      "no schema",
      { response_format: { type: "json_schema", json_schema: { name: "x" } } },
      "response_format.json_schema.schema",
      /missing/,
    ],
    [
      "what no grammar can tell",
      { json_schema: { type: "array", uniqueItems: true, items: { type: "string" } } },
      "json_schema",
      /#\/uniqueItems/,
    ],
    ["a reference to nothing", { json_schema: { $ref: "#/$defs/x" } }, "json_schema", /#\/\$ref/],
    ["a reference to itself", { json_schema: { $ref: "#" } }, "json_schema", /#/],
    ["what has no JSON schema", { response_format: z.bigint() }, "response_format", /zod/],
  ]; // prettier-ignore
  test.each(refusals)("%s", async (_, params, field, message) => {
    const refused = llama.createChatCompletion({ ...greedy, ...(params as object) });
    await expect(refused).rejects.toMatchObject({ field, message: expect.stringMatching(message) });
  });

  test("but for a schema that is not strict", async () => {
    const items = { type: "integer", minimum: 0, maximum: 99 };
    const schema = { type: "array", items, uniqueItems: true, maxItems: 3 };
    const response_format = { type: "json_schema", json_schema: { schema, strict: false } } as const;
    const { choices } = await llama.createChatCompletion({ ...greedy, response_format });
    expect(JSON.parse(choices[0]!.message.content!)).toBeArray();
  });
});
