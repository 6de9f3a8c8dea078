import { expect, test } from "bun:test";
import type { ChatMessage } from "../../src/chat/types.ts";
import { plainJson } from "../../src/tools/formats/plain-json.ts";
import { AnswerParser, genericToolPrompt, withGenericTools } from "../../src/tools/index.ts";
import { tools } from "./parse-answer.ts";

const options = { choice: "auto", parallel: "several" } as const;

test("the prompt shows the functions, the format, and what is asked for", () => {
  const prompt = genericToolPrompt(tools, options);
  for (const { function: given } of tools) expect(prompt).toContain(JSON.stringify(given));
  expect(prompt).toContain('{"name": "<function>", "arguments": {');
  expect(genericToolPrompt(tools, { choice: { name: "now" }, parallel: "single" })).toContain(
    "must call now",
  );
  expect(genericToolPrompt(tools, { choice: "required", parallel: "single" })).toContain(
    "must call a function",
  );
});

const history: ChatMessage[] = [
  { role: "user", content: "Weather?" },
  {
    role: "assistant",
    content: "Let me look.",
    tool_calls: [
      { id: "a", type: "function", function: { name: "get_weather", arguments: '{"city": "Rome"}' } },
      { id: "b", type: "function", function: { name: "now", arguments: "" } },
    ],
  },
  { role: "tool", tool_call_id: "b", content: "noon" },
  { role: "tool", tool_call_id: "a", content: [{ type: "text", text: "sun" }] },
  { role: "user", content: "And?" },
];

test("calls and results are written into the messages", () => {
  const [system, user, assistant, results, ...rest] = withGenericTools(history, tools, options);
  expect(system).toEqual({ role: "system", content: genericToolPrompt(tools, options) });
  expect(user).toEqual(history[0]!);
  expect(results).toEqual({
    role: "user",
    content: "Result of now:\nnoon\n\nResult of get_weather:\nsun\n\nAnd?",
  });
  expect(rest).toEqual([]);
  // What stands there is what the parser reads as those calls.
  const parser = new AnswerParser(plainJson, { tools });
  parser.push((assistant as { content: string }).content);
  parser.end("stop");
  expect(parser.message).toMatchObject({
    content: "Let me look.",
    toolCalls: [
      { name: "get_weather", arguments: '{"city": "Rome"}' },
      { name: "now", arguments: "{}" },
    ],
  });
});

test("the prompt joins a system message", () => {
  const prompt = genericToolPrompt(tools, options);
  const [text] = withGenericTools([{ role: "system", content: "Be kind." }], tools, options);
  expect(text!.content).toBe(`Be kind.\n\n${prompt}`);
  const [parts] = withGenericTools(
    [{ role: "developer", content: [{ type: "text", text: "x" }] }],
    tools,
    options,
  );
  expect(parts!.content).toEqual([
    { type: "text", text: "x" },
    { type: "text", text: prompt },
  ]);
});

test("the older spelling", () => {
  const [, assistant, result] = withGenericTools(
    [
      { role: "assistant", content: null, function_call: { name: "now", arguments: "{}" } },
      { role: "function", name: "now", content: "noon" },
    ],
    tools,
    options,
  );
  expect(assistant).toEqual({ role: "assistant", content: '{"name": "now", "arguments": {}}' });
  expect(result).toEqual({ role: "user", content: "Result of now:\nnoon" });
});

test("a history without functions has no prompt, and null stands for no calls", () => {
  const written = withGenericTools(
    [...history.slice(0, 4), { role: "assistant", content: "Fine.", tool_calls: null, function_call: null }],
    [],
    options,
  );
  expect(written.map(({ role }) => role)).toEqual(["user", "assistant", "user", "assistant"]);
  expect(written.at(-1)).toMatchObject({ content: "Fine." });
});
