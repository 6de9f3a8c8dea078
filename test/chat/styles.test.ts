import { describe, expect, test } from "bun:test";
import { TemplateError } from "../../lib/errors.ts";
import { type ChatMessage, ChatTemplate, type ChatTool } from "../../src/chat/index.ts";
import * as styles from "./style-templates.ts";

const add: ChatTool = { type: "function", function: { name: "add" } };
const user: ChatMessage = { role: "user", content: " hi " };

function calling(args: string, count = 1): ChatMessage {
  const tool_calls = Array.from({ length: count }, (_, index) => ({
    id: `call0000${index}`,
    type: "function" as const,
    function: { name: "add", arguments: args },
  }));
  return { role: "assistant", content: null, tool_calls };
}

describe("Llama 3.1 style", () => {
  const template = new ChatTemplate(styles.LLAMA31_STYLE, { bosToken: "<|begin_of_text|>" });
  const head = "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nToday Date: ";

  test("the date is the injected one, and a fixed one without", () => {
    const now = new Date(2026, 0, 5, 9, 30);
    expect(template.render([user], { now })).toBe(
      `${head}05 Jan 2026\n\n<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|>` +
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
    );
    expect(template.render([user])).toStartWith(`${head}26 Jul 2024\n\n`);
    const chatTemplateKwargs = { date_string: "1 May 2020" };
    expect(template.render([user], { now, chatTemplateKwargs })).toStartWith(`${head}1 May 2020\n\n`);
  });

  test("tools are indented JSON, and arguments become an object", () => {
    const messages: ChatMessage[] = [{ role: "system", content: "S" }, user, calling('{"a":1,"b":"x"}')];
    expect(template.render(messages, { tools: [add] })).toBe(
      `${head}26 Jul 2024\n\n{\n    "type": "function",\n    "function": {\n        "name": "add"\n    }\n}\n\nS<|eot_id|>` +
        "<|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|>" +
        '<|start_header_id|>assistant<|end_header_id|>\n\n{"name": "add", "parameters": {"a": 1, "b": "x"}}<|eot_id|>' +
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
    );
    expect(template.capabilities).toMatchObject({ stringArguments: false, objectArguments: true });
  });

  test("several calls at once become one after another, for the template cannot write them together", () => {
    expect(template.capabilities.parallelToolCalls).toBe(false);
    const result = (id: string, content: string): ChatMessage => ({
      role: "tool",
      tool_call_id: id,
      content,
    });
    const messages = [user, calling("{}", 2), result("call00001", "second"), result("call00000", "first")];
    const turns = template.render(messages, { addGenerationPrompt: false }).split("<|eot_id|>").slice(2, -1);
    const called = '<|start_header_id|>assistant<|end_header_id|>\n\n{"name": "add", "parameters": {}}';
    const answered = "<|start_header_id|>ipython<|end_header_id|>\n\n";
    expect(turns).toEqual([called, `${answered}first`, called, `${answered}second`]);
    // Without results nothing is lost either.
    expect(template.render([user, calling("{}", 2)]).split('"name": "add"').length).toBe(3);
  });

  test("arguments that are not a JSON object are shown as the text that they are, and none as an empty one", () => {
    for (const args of ["{", "[1]", "nonsense"])
      expect(template.render([user, calling(args)])).toContain(`"parameters": ${JSON.stringify(args)}}`);
    expect(template.render([user, calling(" ")])).toContain('"parameters": {}}');
  });
});

describe("Mistral style", () => {
  const template = new ChatTemplate(styles.MISTRAL_STYLE, {
    bosToken: "<s>",
    eosToken: "</s>",
    name: "mistral",
  });

  test("the system text goes into the last user turn", () => {
    const messages: ChatMessage[] = [
      { role: "system", content: "S" },
      { role: "user", content: "a" },
      { role: "assistant", content: " b " },
      { role: "user", content: "c" },
    ];
    expect(template.render(messages)).toBe("<s>[INST] a[/INST] b</s>[INST] S\n\nc[/INST]");
  });

  test("its own objection is shown", () => {
    const render = () => template.render([user, user]);
    expect(render).toThrow(TemplateError);
    expect(render).toThrow(
      'chat template "mistral" refused the messages: After the optional system message, conversation roles must ' +
        "alternate user/assistant/user/assistant/...",
    );
  });

  test("tools are refused, since it would drop them without a word", () => {
    expect(() => template.render([user], { tools: [add] })).toThrow(
      expect.objectContaining({ field: "tools" }),
    );
    expect(template.render([user], { tools: [add], toolChoice: "none" })).toBe("<s>[INST]  hi [/INST]");
  });
});

describe("Gemma style", () => {
  const template = new ChatTemplate(styles.GEMMA_STYLE, { bosToken: "<bos>" });

  test("has no system role: the text moves in front of the user's", () => {
    expect(template.capabilities.systemRole).toBe(false);
    expect(
      template.render([{ role: "system", content: "S" }, user, { role: "assistant", content: "x" }]),
    ).toBe(
      "<bos><start_of_turn>user\nS\n\n hi<end_of_turn>\n<start_of_turn>model\nx<end_of_turn>\n<start_of_turn>model\n",
    );
  });

  test("a chat of system text alone becomes a user turn", () => {
    expect(template.render([{ role: "system", content: "S" }])).toBe(
      "<bos><start_of_turn>user\nS<end_of_turn>\n<start_of_turn>model\n",
    );
  });
});

describe("Qwen 3 style", () => {
  const template = new ChatTemplate(styles.QWEN3_STYLE);

  test("enable_thinking comes through chatTemplateKwargs", () => {
    const prompt = "<|im_start|>user\n hi <|im_end|>\n<|im_start|>assistant\n";
    expect(template.render([user])).toBe(prompt);
    expect(template.render([user], { chatTemplateKwargs: { enable_thinking: true } })).toBe(prompt);
    expect(template.render([user], { chatTemplateKwargs: { enable_thinking: false } })).toBe(
      `${prompt}<think>\n\n</think>\n\n`,
    );
  });

  test("null content is written as empty text where the template cannot take null", () => {
    expect(template.capabilities.nullContent).toBe(false);
    expect(template.render([user, calling('{"a": 1}')], { addGenerationPrompt: false })).toBe(
      "<|im_start|>user\n hi <|im_end|>\n<|im_start|>assistant\n\n" +
        '<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call><|im_end|>\n',
    );
  });

  test("old thoughts are dropped, and the open message keeps its tail", () => {
    const thought: ChatMessage = { role: "assistant", content: "<think>\nm\n</think>\n\nyes" };
    expect(template.render([user, thought], { continueFinalMessage: true })).toBe(
      "<|im_start|>user\n hi <|im_end|>\n<|im_start|>assistant\nyes",
    );
  });
});

describe("DeepSeek style", () => {
  const template = new ChatTemplate(styles.DEEPSEEK_STYLE, { bosToken: "<｜begin▁of▁sentence｜>" });

  test("text arguments, null content, and no prompt behind a tool's result", () => {
    const messages: ChatMessage[] = [
      { role: "system", content: "S" },
      { role: "user", content: "2+2" },
      calling('{"a":2}'),
      { role: "tool", tool_call_id: "call00000", content: "4" },
    ];
    expect(template.render(messages)).toBe(
      '<｜begin▁of▁sentence｜>S<｜User｜>2+2<｜Assistant｜><｜tool▁call▁begin｜>add\n{"a":2}<｜tool▁call▁end｜>' +
        "<｜tool▁output▁begin｜>4<｜tool▁output▁end｜>",
    );
    expect(template.capabilities).toMatchObject({ stringArguments: true, nullContent: true, tools: false });
  });

  test("the prompt opens the thinking", () => {
    expect(template.render([{ role: "user", content: "q" }])).toBe(
      "<｜begin▁of▁sentence｜><｜User｜>q<｜Assistant｜><think>\n",
    );
  });
});

describe("content parts", () => {
  const parts: ChatMessage = {
    role: "user",
    content: [
      { type: "text", text: "a" },
      { type: "text", text: "b" },
    ],
  };

  test("are made from text for a template that takes nothing else", () => {
    const template = new ChatTemplate(styles.TYPED_STYLE);
    expect(template.capabilities).toMatchObject({ stringContent: false, typedContent: true });
    expect(template.render([user, parts])).toBe("<user> hi </user><user>ab</user>");
  });

  test("are handed on where the template takes both", () => {
    const template = new ChatTemplate(styles.DEVELOPER_STYLE);
    expect(template.capabilities).toMatchObject({ stringContent: true, typedContent: true });
    expect(template.render([user, parts])).toBe("[user] hi [user](a)(b)");
  });

  test("are joined by line feeds where the template takes text only", () => {
    expect(new ChatTemplate(styles.GEMMA_STYLE).render([parts])).toContain("user\na\nb<end_of_turn>");
  });
});

test("developer stays where the template knows it, and is system elsewhere", () => {
  const messages: ChatMessage[] = [{ role: "developer", content: "D" }, user];
  expect(new ChatTemplate(styles.DEVELOPER_STYLE).render(messages)).toBe("[dev]D[user] hi ");
  expect(new ChatTemplate(styles.QWEN3_STYLE).render(messages)).toStartWith(
    "<|im_start|>system\nD<|im_end|>",
  );
});

test("arguments become an object where the template walks over them", () => {
  const template = new ChatTemplate(styles.OBJECT_ARGUMENTS_STYLE);
  expect(template.render([user, calling('{"a": 1, "b": [true, null]}'), calling("")], { tools: [add] })).toBe(
    "add;[user] hi [assistant]<add a=1 b=[true, null]>[assistant]<add>",
  );
});
