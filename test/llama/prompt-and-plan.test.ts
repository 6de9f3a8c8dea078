import { describe, expect, test } from "bun:test";
import { ChatTemplate } from "../../src/chat/index.ts";
import { planAnswer } from "../../src/llama/answer-plan.ts";
import { renderChat } from "../../src/llama/render-chat.ts";
import type { ChatCompletionParams } from "../../src/llama/types.ts";
import { Model } from "../../src/model.ts";

const model = await Model.load("models/tiny-chat-f16.gguf", { vocabOnly: true });

const user = { role: "user" as const, content: "u" };

/** What a plan's parser makes of an answer. */
async function read(source: string, params: ChatCompletionParams, answer: string) {
  const template = new ChatTemplate(source);
  const plan = await planAnswer(model.vocab, template, renderChat(template, params), params);
  const parser = plan.parser?.();
  parser?.push(answer);
  parser?.end("stop");
  return parser?.message;
}

test("a thought is looked for where the template spells the marker's line end as an escape", async () => {
  const source =
    "{{ messages[0].content }}{% if none_wanted %}{{ '<|channel>thought\\n<channel|>' }}{% endif %}{# <|tool_call> #}";
  const answer = "<|channel>thought\nhm<channel|>Yes.";
  expect(await read(source, { messages: [user] }, answer)).toMatchObject({
    content: "Yes.",
    reasoning: "hm",
  });
  // The prompt has an empty one: then nothing is looked for.
  const chat_template_kwargs = { none_wanted: true };
  expect(await read(source, { messages: [user], chat_template_kwargs }, answer)).toBeUndefined();
});

test("a thought that the prompt opens is read, however the template makes up its marker", async () => {
  const source =
    "{{ messages[0].content }}{{ '<think{}>'.format(':opensource') }}{# <tool_calls{}><arg_key{}> #}";
  expect(await read(source, { messages: [user] }, "hm</think:opensource>Yes.")).toMatchObject({
    content: "Yes.",
    reasoning: "hm",
  });
});

test("earlier calls become text where the template shows tools and has no place for calls", () => {
  const template = new ChatTemplate(
    "{% if tools %}List of tools: [{{ tools | map(attribute='function') | map('tojson') | join(', ') }}]{% endif %}" +
      "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}",
  );
  expect(template.capabilities).toMatchObject({ tools: true, toolCalls: false });
  const call = (id: string, given: string) => ({
    id,
    type: "function" as const,
    function: { name: "add", arguments: given },
  });
  const messages = [
    user,
    {
      role: "assistant" as const,
      content: null,
      tool_calls: [call("x", '{"a": 1, "b": "two"}'), call("y", "")],
    },
    { role: "tool" as const, tool_call_id: "x", content: "3" },
  ];
  const tools = [{ type: "function" as const, function: { name: "add" } }];
  expect(renderChat(template, { messages, tools }).prompt).toBe(
    'List of tools: [{"name": "add", "parameters": {"type": "object", "properties": {}}}]<user>u<assistant><|tool_call_start|>[add(a=1, b="two"), add()]<|tool_call_end|><tool>3',
  );
});

describe("tools of a template whose calls no format reads", () => {
  const tools = [{ type: "function" as const, function: { name: "add" } }];
  const shows =
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% if loop.first %}{{ tools | tojson }}{% endif %}";
  const write = (call: string) =>
    `${shows}{% for c in m.tool_calls %}${call}{% endfor %}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}`;

  test("are told of in plain JSON, which is read", async () => {
    const source = write("(({{ c.function.name }} with {{ c.function.arguments | tojson }}))");
    const template = new ChatTemplate(source);
    expect(template.capabilities).toMatchObject({ tools: true, toolCalls: true });
    const { prompt } = renderChat(template, { messages: [user], tools });
    expect(prompt).toContain('{"name":"add"');
    expect(prompt).toContain("answer with this JSON");
    expect(prompt).toContain("null");
    const answer = '{"name": "add", "arguments": {"a": 1}}';
    expect(await read(source, { messages: [user], tools }, answer)).toMatchObject({
      toolCalls: [{ name: "add" }],
    });
  });

  test("stay as they are where the template itself writes plain JSON", () => {
    const source = write(
      '{{ \'{"name": "\' }}{{ c.function.name }}{{ \'", "parameters": \' }}{{ c.function.arguments | tojson }}}',
    );
    const { prompt } = renderChat(new ChatTemplate(source), { messages: [user], tools });
    expect(prompt).not.toContain("answer with this JSON");
    expect(prompt).toContain('"name": "add"');
  });
});
