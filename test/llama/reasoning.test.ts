import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { z } from "zod";
import type { ChatFunctionTool } from "../../src/chat/index.ts";
import { addDelta } from "../../src/llama/answer-pieces.ts";
import type { ChatCompletionChoice, ChatCompletionParams } from "../../src/llama/types.ts";
import { Llama } from "../../src/llama.ts";
import { toolFormats } from "../../src/tools/index.ts";
import { fixture } from "../fixtures/fixture-set.ts";

setDefaultTimeout(60_000);

/** ChatML, whose answers begin within a thought. */
const thinking = `{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% if enable_thinking is defined and enable_thinking is false %}<think>

</think>

{% else %}<think>
{% endif %}{% endif %}`;

const messages = [{ role: "user" as const, content: "What is the capital of France?" }];

describe("a model that thinks", () => {
  let llama: Llama;
  beforeAll(async () => {
    llama = await Llama.load(undefined, {
      contextLength: 1024,
      threads: 1,
      flashAttention: false,
      chatTemplate: thinking,
    });
  });
  afterAll(() => llama.close());
  const usual = { messages, temperature: 0, max_tokens: 60, cache_prompt: false };

  async function streamed(params: ChatCompletionParams): Promise<ChatCompletionChoice["message"]> {
    const message: ChatCompletionChoice["message"] = { role: "assistant", content: "", refusal: null };
    for await (const { choices } of llama.createChatCompletion({ ...params, stream: true }))
      addDelta(message, choices[0]!.delta);
    return message;
  }

  test("its thought is told apart, and ended where its budget is spent", async () => {
    const params = { ...usual, reasoning_budget_tokens: 4, reasoning_budget_message: " Enough." };
    const { choices } = await llama.createChatCompletion(params);
    const { message } = choices[0]!;
    expect(message.reasoning_content).toMatch(/^\S.* Enough\.$/);
    expect(message.content).not.toContain("think");
    expect(await streamed(params)).toEqual(message);
    const inText = await llama.createChatCompletion({ ...params, reasoning_format: "none" });
    expect(inText.choices[0]!.message.reasoning_content).toBeUndefined();
    expect(inText.choices[0]!.message.content).toContain("Enough.\n</think>");
  });

  test("a thought without end is all there is, and none may be asked for", async () => {
    const { choices } = await llama.createChatCompletion({ ...usual, max_tokens: 5 });
    expect(choices[0]).toMatchObject({ finish_reason: "length", message: { content: "" } });
    expect(choices[0]!.message.reasoning_content).toMatch(/^\S/);
    const chat_template_kwargs = { enable_thinking: false };
    const plain = await llama.createChatCompletion({ ...usual, chat_template_kwargs });
    expect(plain.choices[0]!.message.reasoning_content).toBeUndefined();
    expect(plain.choices[0]!.message.content).toMatch(/./);
  });

  test("a shape holds for the answer, not for the thought", async () => {
    const response_format = z.object({ name: z.string().max(20), age: z.int().min(0).max(99) });
    const { choices } = await llama.createChatCompletion({
      ...usual,
      max_tokens: 200,
      response_format,
      reasoning_budget_tokens: 6,
    });
    const { message } = choices[0]!;
    expect(message.reasoning_content).toMatch(/^\S/);
    expect(message.parsed?.age).toBeNumber();
    const mixed = llama.createChatCompletion({ ...usual, response_format, reasoning_format: "none" });
    await expect(mixed).rejects.toMatchObject({ field: "reasoning_format" });
  });

  test("a budget that is none is refused, and a format that is unknown", async () => {
    const wrong = llama.createChatCompletion({ ...usual, reasoning_budget_tokens: 1.5 });
    await expect(wrong).rejects.toMatchObject({ field: "reasoning_budget_tokens" });
    const unknown = llama.createChatCompletion({ ...usual, reasoning_format: "apart" as never });
    await expect(unknown).rejects.toMatchObject({ field: "reasoning_format" });
  });
});

describe("with random weights", () => {
  const place: ChatFunctionTool = {
    type: "function",
    function: {
      name: "place",
      parameters: {
        type: "object",
        properties: {
          city: { enum: ["Oslo", "Rome"] },
          x: { enum: [1, 20, 300] },
          tags: { type: "array", items: { enum: ["a", "b"] }, maxItems: 2 },
        },
        required: ["city", "x"],
        additionalProperties: false,
      },
    },
  };
  const stop: ChatFunctionTool = { type: "function", function: { name: "stop" } };
  const ajv = new Ajv2020();
  const valid = ajv.compile(place.function.parameters!);
  let llama: Llama;
  beforeAll(async () => {
    llama = await Llama.load(await fixture("llama"), {
      contextLength: 2048,
      threads: 1,
      chatTemplate:
        "{% for message in messages %}{{ message.content }}{{ message.tool_calls | tojson if message.tool_calls }}\n{% endfor %}" +
        "{{ tools | tojson if tools }}",
    });
  });
  afterAll(() => llama.close());

  test.each(toolFormats.map(({ name }) => name))("%s: a required call always parses", async (tool_format) => {
    let calls = 0;
    for (const [index, parallel_tool_calls] of [false, true].entries()) {
      const { choices } = await llama.createChatCompletion({
        messages,
        tools: [place, stop],
        tool_choice: "required",
        parallel_tool_calls,
        tool_format,
        n: 2,
        seed: 7 + index,
        temperature: 1,
        max_tokens: 300,
        // A thought of random weights has no end of its own.
        reasoning_budget_tokens: 8,
      });
      for (const { message, finish_reason } of choices) {
        if (finish_reason === "length") continue;
        expect(finish_reason).toBe("tool_calls");
        for (const { function: call } of message.tool_calls!) {
          const given = JSON.parse(call.arguments);
          expect(call.name === "place" ? valid(given) : Object.keys(given).length === 0).toBe(true);
          calls++;
        }
      }
    }
    expect(calls).toBeGreaterThan(0);
  });

  test.each(toolFormats.map(({ name }) => name))("%s: anything, or calls or a shape", async (tool_format) => {
    const response_format = z.object({ n: z.int().min(0).max(99) });
    for (const shape of [{}, { response_format: z.toJSONSchema(response_format) }]) {
      const { choices } = await llama.createChatCompletion({
        messages,
        tools: [place, stop],
        ...("response_format" in shape && { json_schema: shape.response_format }),
        tool_format,
        n: 3,
        seed: 11,
        temperature: 1.5,
        top_k: 0,
        top_p: 1,
        min_p: 0,
        max_tokens: 60,
        reasoning_budget_tokens: 4,
      });
      for (const { message, finish_reason } of choices) {
        // Within a character only the end of all tokens can cut.
        expect(message.content ?? "").not.toMatch(/\ufffd./);
        if (finish_reason !== "stop" || !("response_format" in shape)) continue;
        expect(message.tool_calls).toBeUndefined();
        response_format.parse(JSON.parse(message.content!));
      }
    }
  });
});
