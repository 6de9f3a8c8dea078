import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { ChatTemplate, type ChatTool } from "../../src/chat/index.ts";

const template = new ChatTemplate(
  readFileSync(new URL("../../models/training/template.jinja", import.meta.url), "utf8"),
  { name: "tiny-chat" },
);

const weather: ChatTool = {
  type: "function",
  function: {
    name: "get_weather",
    description: "Weather of a city",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

const WEATHER_LINE =
  '{"type": "function", "function": {"name": "get_weather", "description": "Weather of a city", ' +
  '"parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}\n';

const TOOLS_HEAD =
  "\n\n# Tools\n\nYou may call one or more functions to help the user.\n\n" +
  "The functions are given as JSON inside <tools></tools>:\n<tools>\n";

const TOOLS_TAIL =
  "</tools>\n\nTo call a function, answer with JSON inside <tool_call></tool_call>:\n<tool_call>\n" +
  '{"name": <function-name>, "arguments": <arguments>}\n</tool_call><|im_end|>\n';

describe("the template of the tiny chat model", () => {
  test("system, user and assistant", () => {
    expect(
      template.render([
        { role: "system", content: "Be brief." },
        { role: "user", content: "Hello" },
        { role: "assistant", content: "Hi!" },
        { role: "user", content: "Bye" },
      ]),
    ).toBe(
      "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n" +
        "<|im_start|>assistant\nHi!<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n",
    );
  });

  test("without a system message and without a generation prompt", () => {
    expect(template.render([{ role: "user", content: "Hello" }], { addGenerationPrompt: false })).toBe(
      "<|im_start|>user\nHello<|im_end|>\n",
    );
  });

  test("tools come with a default system text, or with the caller's", () => {
    expect(template.render([{ role: "user", content: "Hm" }], { tools: [weather] })).toBe(
      `<|im_start|>system\nYou are a helpful assistant.${TOOLS_HEAD}${WEATHER_LINE}${TOOLS_TAIL}` +
        "<|im_start|>user\nHm<|im_end|>\n<|im_start|>assistant\n",
    );
    const messages = [
      { role: "developer" as const, content: "Be kind." },
      { role: "user" as const, content: "Hm" },
    ];
    expect(template.render(messages, { tools: [weather] })).toStartWith(
      `<|im_start|>system\nBe kind.${TOOLS_HEAD}`,
    );
  });

  test('tool_choice "none" hides the tools', () => {
    const options = { tools: [weather], toolChoice: "none" as const };
    expect(template.render([{ role: "user", content: "Hm" }], options)).toBe(
      "<|im_start|>user\nHm<|im_end|>\n<|im_start|>assistant\n",
    );
  });

  test("tool calls keep the model's own text, and results share one user turn", () => {
    const rendered = template.render(
      [
        { role: "user", content: "Paris and Rome?" },
        {
          role: "assistant",
          content: null,
          tool_calls: [
            { id: "a", type: "function", function: { name: "get_weather", arguments: '{"city":"Paris"}' } },
            { id: "b", type: "function", function: { name: "get_weather", arguments: '{ "city": "Rome" }' } },
          ],
        },
        { role: "tool", tool_call_id: "a", content: "sunny" },
        { role: "tool", tool_call_id: "b", content: "rain" },
      ],
      { tools: [weather] },
    );
    expect(rendered).toEndWith(
      "<|im_start|>user\nParis and Rome?<|im_end|>\n" +
        '<|im_start|>assistant\n<tool_call>\n{"name": "get_weather", "arguments": {"city":"Paris"}}\n</tool_call>\n' +
        '<tool_call>\n{"name": "get_weather", "arguments": { "city": "Rome" }}\n</tool_call><|im_end|>\n' +
        "<|im_start|>user\n<tool_response>\nsunny\n</tool_response>\n<tool_response>\nrain\n</tool_response><|im_end|>\n" +
        "<|im_start|>assistant\n",
    );
  });

  test("the older function_call and function role are the same turns", () => {
    const call = { name: "get_weather", arguments: '{"city":"Oslo"}' };
    const older = template.render([
      { role: "user", content: "Oslo?" },
      { role: "assistant", content: "Wait.", function_call: call },
      { role: "function", name: "get_weather", content: "snow" },
    ]);
    const newer = template.render([
      { role: "user", content: "Oslo?" },
      { role: "assistant", content: "Wait.", tool_calls: [{ id: "x", type: "function", function: call }] },
      { role: "tool", tool_call_id: "x", content: "snow" },
    ]);
    expect(older).toBe(newer);
    expect(newer).toContain(
      'Wait.\n<tool_call>\n{"name": "get_weather", "arguments": {"city":"Oslo"}}\n</tool_call><|im_end|>\n' +
        "<|im_start|>user\n<tool_response>\nsnow\n</tool_response><|im_end|>\n",
    );
  });

  test("the final message can stay open", () => {
    const messages = [
      { role: "user" as const, content: "Count" },
      { role: "assistant" as const, content: "one, two, " },
    ];
    expect(template.render(messages, { continueFinalMessage: true })).toBe(
      "<|im_start|>user\nCount<|im_end|>\n<|im_start|>assistant\none, two, ",
    );
    expect(messages[1]?.content).toBe("one, two, ");
  });

  test("what it supports", () => {
    expect(template.capabilities).toEqual({
      stringContent: true,
      typedContent: false,
      systemRole: true,
      developerRole: false,
      tools: true,
      toolCalls: true,
      parallelToolCalls: true,
      toolResults: true,
      toolResponses: false,
      stringArguments: true,
      objectArguments: true,
      nullContent: false,
      contentBesideCalls: true,
      reasoning: "reasoning_content",
      reasoningBesideContent: true,
    });
  });
});
