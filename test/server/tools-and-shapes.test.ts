import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, isStepCount, Output, tool } from "ai";
import OpenAI from "openai";
import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
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

const weather = "What is the weather in Oslo?";
const anna = "Write JSON for Anna, age 30, from Oslo.";
const person = z.object({ name: z.string(), age: z.int(), city: z.string() });
const parsed = { name: "Anna", age: 30, city: "Oslo" };
const usual = { model: "tiny", temperature: 0, max_tokens: 100 };
const messages = (content: string) => [{ role: "user" as const, content }];
const getWeather = {
  type: "function" as const,
  function: {
    name: "get_weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

describe("openai: tools beside response_format", () => {
  const params = {
    ...usual,
    tools: [zodFunction({ name: "get_weather", parameters: z.object({ city: z.string() }) })],
    response_format: zodResponseFormat(person, "person"),
  };

  test("parse", async () => {
    const called = await client.chat.completions.parse({ ...params, messages: messages(weather) });
    expect(called.choices[0]).toMatchObject({ finish_reason: "tool_calls", message: { content: null } });
    const call = called.choices[0]!.message.tool_calls![0]!;
    expect(call.function.parsed_arguments).toEqual({ city: "Oslo" });
    // What its helpers have added to the message comes back with the history.
    const next = await client.chat.completions.parse({
      ...params,
      messages: [
        ...messages(weather),
        called.choices[0]!.message,
        { role: "tool", tool_call_id: call.id, content: "sunny" },
      ],
    });
    expect(next.usage!.prompt_tokens).toBeGreaterThan(called.usage!.prompt_tokens);
    const said = await client.chat.completions.parse({ ...params, messages: messages(anna) });
    expect(said.choices[0]!.message.parsed).toEqual(parsed);
  });

  test("streamed, with log-probabilities and usage", async () => {
    for (const question of [weather, anna]) {
      const stream = client.chat.completions.stream({
        ...params,
        messages: messages(question),
        logprobs: true,
        stream_options: { include_usage: true },
      });
      const { choices, usage } = await stream.finalChatCompletion();
      const { message, logprobs } = choices[0]!;
      if (question === anna) expect(message.parsed).toEqual(parsed);
      else expect(message.tool_calls![0]!.function.parsed_arguments).toEqual({ city: "Oslo" });
      // The token that ends the answer is counted, and has no text.
      expect(usage!.completion_tokens - logprobs!.content!.length).toBe(1);
    }
  });

  test("several answers, each whole", async () => {
    const { choices } = await client.chat.completions.create({
      ...params,
      messages: messages(weather),
      n: 4,
      temperature: 1.5,
      seed: 1,
    });
    expect(choices.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    const ids = choices.flatMap(({ message }) => message.tool_calls?.map(({ id }) => id) ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { message, finish_reason } of choices) {
      if (finish_reason === "tool_calls") {
        for (const call of message.tool_calls!)
          if (call.type === "function") expect(JSON.parse(call.function.arguments).city).toBeString();
      } else if (finish_reason === "stop") person.parse(JSON.parse(message.content!));
    }
  });
});

test("ai: output of a shape, with tools on the way", async () => {
  const provider = createOpenAICompatible({
    name: "cria",
    baseURL: `${server.url}/v1`,
    supportsStructuredOutputs: true,
  });
  const ask = (prompt: string) =>
    generateText({
      model: provider("tiny"),
      prompt,
      temperature: 0,
      maxOutputTokens: 100,
      stopWhen: isStepCount(2),
      output: Output.object({ schema: person }),
      tools: {
        get_weather: tool({
          inputSchema: z.object({ city: z.string() }),
          execute: async ({ city }) => `It is sunny in ${city}.`,
        }),
      },
    });
  const { steps } = await ask(weather);
  expect(steps[0]!.toolResults[0]!.output).toBe("It is sunny in Oslo.");
  expect((await ask(anna)).output).toEqual(parsed);
});

describe("messages as clients send them back", () => {
  const call = (id: string, text: unknown, more: object = {}) => ({
    id,
    type: "function",
    index: 0,
    function: { name: "get_weather", arguments: text, ...more },
  });
  const nothing = { refusal: null, audio: null, annotations: null, function_call: null, name: null };
  const histories: [what: string, history: object[]][] = [
    ["null for what is not there", [{ role: "assistant", content: "Hi.", ...nothing, tool_calls: null }]],
    ["an empty list of calls", [{ role: "assistant", content: "Hi.", tool_calls: [], annotations: [] }]],
    ["what helpers parse", [{ role: "assistant", content: "{}", parsed: {} }]],
    [
      "content beside calls, results in another order, content in parts",
      [
        {
          role: "assistant",
          content: "Let me look.",
          tool_calls: [call("a", ""), call("b", "{}", { parsed_arguments: {} })],
        },
        { role: "tool", tool_call_id: "b", content: [{ type: "text", text: "rain" }], name: null },
        { role: "tool", tool_call_id: "a", content: "sun" },
      ],
    ],
    [
      "arguments as an object, and some that were cut off",
      [
        {
          role: "assistant",
          content: null,
          tool_calls: [call("a", { city: "Oslo" }), call("b", '{"city": "Os')],
        },
        { role: "tool", tool_call_id: "a", content: "sun" },
        { role: "tool", tool_call_id: "b", content: "error" },
      ],
    ],
    [
      "a developer, and marks for a cache",
      [
        {
          role: "developer",
          content: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } }],
        },
      ],
    ],
  ]; // prettier-ignore
  test.each(histories)("%s", async (_, history) => {
    const { status, json } = await post(`${server.url}/v1/chat/completions`, {
      ...usual,
      tools: [
        getWeather,
        { type: "function", function: { name: "now", description: null, parameters: null, strict: null } },
      ],
      messages: [...messages("Hi."), ...history, ...messages("And now?")],
      max_tokens: 3,
    });
    expect([status, json.error]).toEqual([200, undefined]);
  });
});

describe("what a server is started with", () => {
  const chat = (listening: Listening, body: object) =>
    post(`${listening.url}/v1/chat/completions`, { ...usual, messages: messages(anna), ...body });

  test("a shape holds for requests that name none", async () => {
    const json_schema = { enum: ["yes", "no"] };
    await using shaped = listen(engine, { defaults: { json_schema } });
    const contentOf = async (body: object) => (await chat(shaped, body)).json.choices[0].message.content;
    expect(["yes", "no"]).toContain(JSON.parse(await contentOf({})));
    expect(await contentOf({ grammar: 'root ::= "maybe"' })).toBe("maybe");
    expect(await contentOf({ response_format: { type: "text" } })).toContain("Anna");
    expect(JSON.parse(await contentOf({ response_format: { type: "json_object" } }))).toBeObject();
    const { json } = await post(`${shaped.url}/completion`, { prompt: "Is it?", n_predict: 20 });
    expect(["yes", "no"]).toContain(JSON.parse(json.content));
    const called = await chat(shaped, {
      messages: messages(weather),
      tools: [getWeather],
      tool_choice: "required",
    });
    expect(called.json.choices[0].finish_reason).toBe("tool_calls");
  });

  test("a grammar gives way to tools", async () => {
    await using bound = listen(engine, { defaults: { grammar: 'root ::= "yes"' } });
    expect((await chat(bound, {})).json.choices[0].message.content).toBe("yes");
    const { json } = await chat(bound, { messages: messages(weather), tools: [getWeather] });
    expect(json.choices[0].message.tool_calls[0].function.arguments).toBe('{"city": "Oslo"}');
  });

  test("how to think", async () => {
    const template =
      "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}" +
      "{% if add_generation_prompt %}<|im_start|>assistant\n" +
      "{% if enable_thinking is defined and enable_thinking is false %}{{ word }}{% else %}<think>\n{% endif %}{% endif %}";
    await using thinks = listen(engine, {
      chatTemplate: template,
      chatDefaults: {
        reasoning_budget_tokens: 3,
        reasoning_budget_message: "!",
        reasoning_format: "deepseek",
      },
    });
    const thoughtOf = async (body: object) =>
      (await chat(thinks, body)).json.choices[0].message.reasoning_content;
    expect(await thoughtOf({})).toEndWith("!");
    expect(await thoughtOf({ reasoning_budget_tokens: -1 })).toEndWith("!");
    expect(await thoughtOf({ reasoning_budget_tokens: 2, reasoning_budget_message: "?" })).toEndWith("?");
    expect(await thoughtOf({ reasoning_format: "none" })).toBeUndefined();
    expect(await thoughtOf({ reasoning_effort: "none" })).toBeUndefined();
    await using silent = listen(engine, {
      chatTemplate: template,
      chatDefaults: { chat_template_kwargs: { enable_thinking: false, word: "one" } },
    });
    const prompt = async (chat_template_kwargs: object) =>
      (await post(`${silent.url}/apply-template`, { messages: messages("Hi."), chat_template_kwargs })).json
        .prompt;
    expect(await prompt({})).toEndWith("assistant\none");
    expect(await prompt({ word: "two" })).toEndWith("assistant\ntwo");
    expect(await prompt({ enable_thinking: true })).toEndWith("<think>\n");
  });
});
