import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateObject } from "ai";
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import type { WorkerEngine } from "../../src/engine/worker-engine.ts";
import { type Listening, listen, loadEngine, post } from "../support/server.ts";

setDefaultTimeout(30_000);

let engine: WorkerEngine;
let server: Listening;
let client: OpenAI;
beforeAll(async () => {
  engine = await loadEngine();
  server = listen(engine);
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
});
afterAll(async () => {
  await server.close();
  await engine.close();
});

const prompt = "Write JSON for Anna, age 30, from Oslo.";
const person = z.object({ name: z.string(), age: z.int(), city: z.string() });
const anna = { name: "Anna", age: 30, city: "Oslo" };
const chat = { model: "tiny", messages: [{ role: "user" as const, content: prompt }], temperature: 0 };

test("openai parses what it asked for, whole and streamed", async () => {
  const response_format = zodResponseFormat(person, "person");
  const { choices } = await client.chat.completions.parse({ ...chat, response_format });
  expect(choices[0]!.message.parsed).toEqual(anna);
  const stream = client.chat.completions.stream({ ...chat, response_format });
  const final = await stream.finalChatCompletion();
  expect(final.choices[0]!.message.parsed).toEqual(anna);
});

test("ai generates an object", async () => {
  const provider = createOpenAICompatible({
    name: "cria",
    baseURL: `${server.url}/v1`,
    supportsStructuredOutputs: true,
  });
  const { object } = await generateObject({
    model: provider("tiny"),
    schema: person,
    prompt,
    temperature: 0,
  });
  expect(object).toEqual(anna);
});

test("any JSON object, also by llama-server's way to give a schema", async () => {
  const { choices } = await client.chat.completions.create({
    ...chat,
    response_format: { type: "json_object" },
  });
  expect(JSON.parse(choices[0]!.message.content!)).toBeObject();
  const { json } = await post(`${server.url}/v1/chat/completions`, {
    ...chat,
    response_format: { type: "json_object", schema: z.toJSONSchema(person) },
  });
  expect(JSON.parse(json.choices[0].message.content)).toEqual(anna);
});

test("/completion and completions take a bare schema", async () => {
  const json_schema = { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] };
  for (const path of ["/completion", "/v1/completions"]) {
    const { json } = await post(server.url + path, {
      prompt: "Once",
      json_schema,
      temperature: 0,
      max_tokens: 50,
    });
    expect(JSON.parse(json.content ?? json.choices[0].text).ok).toBeBoolean();
  }
});

test("a bad schema is refused with a pointer, and the next request served", async () => {
  const refusals: [format: object, param: string, message: RegExp][] = [
    [
      { type: "json_schema", json_schema: { schema: { type: "strin" } } },
      "response_format.json_schema.schema",
      /#\/type/,
    ],
    [
      { type: "json_schema", json_schema: { schema: { properties: { a: { pattern: "\\bx" } } } } },
      "response_format.json_schema.schema",
      /#\/properties\/a\/pattern/,
    ],
    [{ type: "json_schema" }, "response_format.json_schema", /./],
    [{ type: "yaml" }, "response_format.type", /./],
  ]; // prettier-ignore
  for (const [response_format, param, message] of refusals) {
    const { status, json } = await post(`${server.url}/v1/chat/completions`, { ...chat, response_format });
    expect([status, json.error.param]).toEqual([400, param]);
    expect(json.error.message).toMatch(message);
  }
  const { choices } = await client.chat.completions.create({ ...chat, max_tokens: 5 });
  expect(choices[0]!.finish_reason).toBe("length");
});
