import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { z } from "zod";
import type { ChatFunctionTool } from "../../src/chat/index.ts";
import { addDelta } from "../../src/llama/answer-pieces.ts";
import type { ToolRunEvent } from "../../src/llama/run-tools.ts";
import type { ChatCompletionChoice } from "../../src/llama/types.ts";
import { Llama } from "../../src/llama.ts";

setDefaultTimeout(30_000);

let llama: Llama;
beforeAll(async () => {
  llama = await Llama.load(undefined, {
    contextLength: 2048,
    threads: 1,
    flashAttention: false,
    cacheTypeK: "f32",
    cacheTypeV: "f32",
  });
});
afterAll(() => llama.close());

function tool(name: string, properties: Record<string, object>): ChatFunctionTool {
  const parameters = { type: "object", properties, required: Object.keys(properties) };
  return { type: "function", function: { name, description: `Calls ${name}.`, parameters } };
}
const tools = [
  tool("get_weather", { city: { type: "string" } }),
  tool("get_time", { city: { type: "string" } }),
  tool("add", { a: { type: "integer" }, b: { type: "integer" } }),
];
const ask = (content: string) => [{ role: "user" as const, content }];
const weather = { messages: ask("What is the weather in Oslo?"), tools, temperature: 0, max_tokens: 100 };

describe("a chat with tools", () => {
  test("calls the right one, with the right arguments", async () => {
    const { choices } = await llama.createChatCompletion(weather);
    expect(choices).toEqual([
      {
        index: 0,
        message: {
          role: "assistant",
          content: null,
          refusal: null,
          tool_calls: [
            {
              id: expect.stringMatching(/^call_/),
              type: "function",
              function: { name: "get_weather", arguments: '{"city": "Oslo"}' },
            },
          ],
        },
        finish_reason: "tool_calls",
        logprobs: null,
      },
    ]);
  });

  test("answers from the result", async () => {
    const { choices } = await llama.createChatCompletion(weather);
    const [call] = choices[0]!.message.tool_calls!;
    const messages = [
      ...weather.messages,
      { role: "assistant" as const, content: null, tool_calls: [call!] },
      { role: "tool" as const, tool_call_id: call!.id, content: '{"temperature": 21, "sky": "sunny"}' },
    ];
    const answer = await llama.createChatCompletion({ ...weather, messages });
    expect(answer.choices[0]).toMatchObject({
      finish_reason: "stop",
      message: { content: expect.stringMatching(/Oslo.*21|21.*Oslo|sunny/) },
    });
  });

  test("answers without a call where none is needed, as without tools", async () => {
    const messages = ask("What is the capital of France?");
    const { choices } = await llama.createChatCompletion({ ...weather, messages });
    expect(choices[0]!.message).toEqual({
      role: "assistant",
      content: "The capital of France is Paris.",
      refusal: null,
    });
  });

  test("a stream adds up to the whole, log-probabilities included", async () => {
    for (const question of ["What is the weather in Oslo?", "What is the capital of France?"]) {
      const params = { ...weather, messages: ask(question), logprobs: true, cache_prompt: false };
      const whole = await llama.createChatCompletion(params);
      const message: ChatCompletionChoice["message"] = { role: "assistant", content: "", refusal: null };
      const tokens: string[] = [];
      let reason: string | null = null;
      let pieces = 0;
      for await (const { choices } of llama.createChatCompletion({ ...params, stream: true })) {
        addDelta(message, choices[0]!.delta);
        tokens.push(...(choices[0]!.logprobs?.content ?? []).map(({ token }) => token));
        pieces += choices[0]!.delta.tool_calls?.length ?? 0;
        reason = choices[0]!.finish_reason;
      }
      const [choice] = whole.choices;
      expect(reason).toBe(choice!.finish_reason);
      expect(message.content || null).toBe(choice!.message.content);
      const withoutId = (calls: typeof message.tool_calls) => calls?.map((call) => call.function);
      expect(withoutId(message.tool_calls)).toEqual(withoutId(choice!.message.tool_calls));
      expect(tokens).toEqual(choice!.logprobs!.content!.map(({ token }) => token));
      if (message.tool_calls) expect(pieces).toBeGreaterThan(4);
    }
  });

  test("must call where it must, whom it must", async () => {
    const messages = ask("What is the capital of France?");
    const named = { type: "function", function: { name: "get_time" } } as const;
    const one = await llama.createChatCompletion({ ...weather, messages, tool_choice: named });
    expect(one.choices[0]!.message.tool_calls?.[0]?.function.name).toBe("get_time");
    const allowed = { mode: "required" as const, tools: [{ type: "function", function: { name: "add" } }] };
    const other = await llama.createChatCompletion({
      ...weather,
      messages,
      tool_choice: { type: "allowed_tools", allowed_tools: allowed },
    });
    expect(other.choices[0]!.message.tool_calls?.[0]?.function.name).toBe("add");
    const none = await llama.createChatCompletion({ ...weather, messages, tool_choice: "none" });
    expect(none.choices[0]!.message.tool_calls).toBeUndefined();
  });

  test("however it is sampled, a required call parses and is valid", async () => {
    const ajv = new Ajv2020();
    const schemas = new Map(
      tools.map(({ function: { name, parameters } }) => [name, ajv.compile(parameters!)]),
    );
    for (let seed = 0; seed < 4; seed++) {
      const { choices } = await llama.createChatCompletion({
        ...weather,
        tool_choice: "required",
        parallel_tool_calls: seed % 2 === 0,
        n: 3,
        seed: 100 * seed,
        temperature: 4,
        top_k: 0,
        top_p: 1,
        min_p: 0,
        max_tokens: 200,
      });
      for (const { message, finish_reason } of choices) {
        if (finish_reason === "length") continue;
        expect(finish_reason).toBe("tool_calls");
        for (const call of message.tool_calls!) {
          const valid = schemas.get(call.function.name)!(JSON.parse(call.function.arguments));
          expect(valid).toBe(true);
        }
        if (seed % 2 === 1) expect(message.tool_calls).toHaveLength(1);
      }
    }
  });

  test("beside a shape, it calls where that is likelier, and else answers in the shape", async () => {
    const json_schema = {
      type: "object",
      properties: { name: { type: "string" }, age: { type: "integer" }, city: { type: "string" } },
      required: ["name", "age", "city"],
    };
    const called = await llama.createChatCompletion({ ...weather, json_schema });
    expect(called.choices[0]).toMatchObject({ finish_reason: "tool_calls", message: { content: null } });
    const messages = ask("Write JSON for Anna, age 30, from Oslo.");
    const said = await llama.createChatCompletion({ ...weather, messages, json_schema });
    expect(JSON.parse(said.choices[0]!.message.content!)).toEqual({ name: "Anna", age: 30, city: "Oslo" });
  });

  test("a grammar beside tools is refused, and so is an unknown format", async () => {
    const both = llama.createChatCompletion({ ...weather, grammar: 'root ::= "x"' });
    await expect(both).rejects.toMatchObject({ field: "grammar" });
    const unknown = llama.createChatCompletion({ ...weather, tool_format: "morse" });
    await expect(unknown).rejects.toMatchObject({ field: "tool_format" });
  });
});

describe("runTools", () => {
  const messages = ask("What is the weather in Oslo?");
  const usual = { messages, temperature: 0, max_tokens: 100 };

  test("calls functions, tells their results, and answers", async () => {
    const asked: string[] = [];
    const run = llama.runTools({
      ...usual,
      tools: {
        get_weather: {
          description: "Calls get_weather.",
          parameters: z.object({ city: z.string() }),
          execute: ({ city }) => {
            // The type is known.
            asked.push(city.toUpperCase());
            return { temperature: 21, sky: "sunny" };
          },
        },
      },
    });
    const events: ToolRunEvent[] = await Array.fromAsync(run);
    expect(asked).toEqual(["OSLO"]);
    const kinds = events.map(({ type }) => type).filter((type) => type !== "chunk");
    expect(kinds).toEqual(["call", "result"]);
    const { text, messages: all, finish_reason } = await run.result();
    expect(text).toMatch(/Oslo|21|sunny/);
    expect(finish_reason).toBe("stop");
    expect(all.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "assistant"]);
  });

  test("what a tool throws is told to the model, and so are arguments that do not fit", async () => {
    for (const execute of [
      () => {
        throw new Error("the sensor is frozen");
      },
      async () => Promise.reject(new Error("the sensor is frozen")),
    ]) {
      const run = llama.runTools({
        ...usual,
        tools: { get_weather: { parameters: z.object({ city: z.string() }), execute } },
      });
      const { messages: all } = await run.result();
      expect(all.find(({ role }) => role === "tool")?.content).toBe('{"error":"the sensor is frozen"}');
    }
    const picky = z.object({ city: z.string().refine((city) => city === "Rome", "only Rome") });
    const run = llama.runTools({
      ...usual,
      tools: { get_weather: { parameters: picky, execute: () => "hot" } },
    });
    const { messages: all } = await run.result();
    expect(all.find(({ role }) => role === "tool")?.content).toContain("only Rome");
  });

  test("stops at the limit", async () => {
    let calls = 0;
    const run = llama.runTools({
      ...usual,
      max_rounds: 1,
      tools: { get_weather: { parameters: { type: "object" }, execute: () => ++calls } },
    });
    expect(await run.result()).toMatchObject({ finish_reason: "tool_calls" });
    expect(calls).toBe(0);
    expect(() => llama.runTools({ ...usual, tools: {}, max_rounds: 0 })).toThrow(/max_rounds/);
  });

  test("ends where its signal is aborted", async () => {
    const controller = new AbortController();
    const run = llama.runTools({
      ...usual,
      signal: controller.signal,
      tools: {
        get_weather: {
          parameters: { type: "object" },
          execute: () => {
            controller.abort(new Error("enough"));
            return "sunny";
          },
        },
      },
    });
    await expect(run.result()).rejects.toThrow("enough");
  });
});
