import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, stepCountIs, tool } from "ai";
import OpenAI from "openai";
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

const question = "What is the weather in Oslo?";
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const described = (name: string) => ({
  type: "function" as const,
  function: { name, description: `Calls ${name}.`, parameters },
});
const chat = {
  model: "tiny",
  messages: [{ role: "user" as const, content: question }],
  tools: [described("get_weather"), described("get_time")],
  temperature: 0,
  max_tokens: 100,
};
const report = '{"temperature": 21, "sky": "sunny"}';

test("openai: a call, and an answer from its result", async () => {
  const { choices } = await client.chat.completions.create(chat);
  const { message, finish_reason } = choices[0]!;
  expect(finish_reason).toBe("tool_calls");
  const [call] = message.tool_calls!;
  expect(call).toMatchObject({
    type: "function",
    function: { name: "get_weather", arguments: '{"city": "Oslo"}' },
  });
  const answer = await client.chat.completions.create({
    ...chat,
    messages: [...chat.messages, message, { role: "tool", tool_call_id: call!.id, content: report }],
  });
  expect(answer.choices[0]!.finish_reason).toBe("stop");
  expect(answer.choices[0]!.message.content).toMatch(/Oslo|21|sunny/);
});

test("openai: a streamed call adds up", async () => {
  const stream = client.chat.completions.stream(chat);
  const seen: string[] = [];
  stream.on("tool_calls.function.arguments.delta", ({ arguments_delta }) => void seen.push(arguments_delta));
  const { choices } = await stream.finalChatCompletion();
  expect(choices[0]!.finish_reason).toBe("tool_calls");
  expect(choices[0]!.message.tool_calls?.[0]).toMatchObject({
    type: "function",
    function: { name: "get_weather", arguments: '{"city": "Oslo"}' },
  });
  expect(seen.length).toBeGreaterThan(4);
  expect(seen.join("")).toBe('{"city": "Oslo"}');
});

test("openai: runTools", async () => {
  const runner = client.chat.completions.runTools({
    ...chat,
    tools: [
      {
        type: "function",
        function: {
          name: "get_weather",
          description: "Calls get_weather.",
          parameters,
          parse: JSON.parse,
          function: ({ city }: { city: string }) => (city === "Oslo" ? report : "no such city"),
        },
      },
    ],
  });
  expect(await runner.finalContent()).toMatch(/Oslo|21|sunny/);
});

test("ai: generateText with tools", async () => {
  const provider = createOpenAICompatible({ name: "cria", baseURL: `${server.url}/v1` });
  const cities: string[] = [];
  const { text, steps } = await generateText({
    model: provider("tiny"),
    prompt: question,
    temperature: 0,
    maxOutputTokens: 100,
    stopWhen: stepCountIs(3),
    tools: {
      get_weather: tool({
        description: "Calls get_weather.",
        inputSchema: z.object({ city: z.string() }),
        execute: async ({ city }) => {
          cities.push(city);
          return { temperature: 21, sky: "sunny" };
        },
      }),
    },
  });
  expect(cities).toEqual(["Oslo"]);
  expect(steps.length).toBe(2);
  expect(text).toMatch(/Oslo|21|sunny/);
});

test("the older spelling: functions", async () => {
  const functions = [described("get_weather").function];
  const { tools: _, ...rest } = chat;
  const { choices } = await client.chat.completions.create({ ...rest, functions });
  expect(choices[0]!.finish_reason).toBe("function_call");
  expect(choices[0]!.message.function_call).toEqual({ name: "get_weather", arguments: '{"city": "Oslo"}' });
  const stream = await client.chat.completions.create({ ...rest, functions, stream: true });
  let given = "";
  for await (const { choices } of stream) given += choices[0]?.delta.function_call?.arguments ?? "";
  expect(given).toBe('{"city": "Oslo"}');
  const messages = [
    ...chat.messages,
    { role: "assistant" as const, content: null, function_call: choices[0]!.message.function_call! },
    { role: "function" as const, name: "get_weather", content: report },
  ];
  const answer = await client.chat.completions.create({ ...rest, functions, messages });
  expect(answer.choices[0]!.message.content).toMatch(/Oslo|21|sunny/);
});

test("what is wrong is named, and the next request served", async () => {
  const wrong: [body: object, param: string][] = [
    [{ tools: [described("get weather")] }, "tools[0].function.name"],
    [{ tools: [described("a"), described("a")] }, "tools[1].function.name"],
    [{ tools: [{ type: "custom", custom: { name: "a" } }] }, "tools[0].type"],
    [{ tool_choice: { type: "function", function: { name: "nobody" } } }, "tool_choice.function.name"],
    [{ tools: undefined, tool_choice: "required" }, "tool_choice"],
    [{ grammar: 'root ::= "x"' }, "grammar"],
    [
      { tools: [{ type: "function", function: { name: "a", parameters: { $ref: "#/no" } } }] },
      "tools[0].function.parameters",
    ],
  ]; // prettier-ignore
  for (const [body, param] of wrong) {
    const { status, json } = await post(`${server.url}/v1/chat/completions`, { ...chat, ...body });
    expect([status, json.error.param]).toEqual([400, param]);
  }
  const { choices } = await client.chat.completions.create({ ...chat, tool_choice: "none", max_tokens: 3 });
  expect(choices[0]!.finish_reason).toBe("length");
});
