import { describe, expect, test } from "bun:test";
import { RequestError } from "../../lib/errors.ts";
import { chooseFormat, opensThought, thoughtEnd, toolFormats } from "../../src/tools/index.ts";
import {
  DEEPSEEK_STYLE,
  GEMMA_STYLE,
  LLAMA31_STYLE,
  MISTRAL_STYLE,
  QWEN3_STYLE,
} from "../chat/style-templates.ts";

/** Small templates with a family's markers. */
const templates: Readonly<Record<string, string[]>> = {
  hermes: [QWEN3_STYLE, "{{ '<|start_of_role|>' }}{{ '<tool_call>\\n' + call + '\\n</tool_call>' }}"],
  "qwen3-coder": [
    "<tool_call>\n<function={{ name }}>\n<parameter={{ key }}>\n</parameter>\n</function>\n</tool_call>",
  ],
  "minimax-m2": ["{% set begin = '<minimax:tool_call>' %}<invoke name=\"{{ name }}\">"],
  "seed-oss": ["{% set begin = '<seed:tool_call>' %}<function={{ name }}><parameter={{ key }}>"],
  "nemotron-v2": ["<TOOLCALL>[{{ calls }}]</TOOLCALL>"],
  llama3: ["{{ '<|start_header_id|>ipython<|end_header_id|>' }}", LLAMA31_STYLE],
  "llama-pythonic": ["<|header_start|>assistant<|header_end|><|python_start|>"],
  mistral: ["{{ '[TOOL_CALLS][' }}{{ call | tojson }}"],
  "mistral-args": [
    "{{ '[TOOL_CALLS]' + name + '[CALL_ID]' + id + '[ARGS]' }}",
    "{{ '[TOOL_CALLS]' + name + '[ARGS]' }}",
  ],
  deepseek: ["{{ '<｜tool▁call▁begin｜>function<｜tool▁sep｜>' + name + '\\n```json\\n' }}"],
  "deepseek-v3.1": ["{{ '<｜tool▁call▁begin｜>' + name + '<｜tool▁sep｜>' }}"],
  gemma: ["<start_of_turn>model\n```tool_code\n"],
  "function-gemma": ["<start_of_turn>model\n<start_function_call>call:"],
  gemma4: ["<|turn>model\n<|tool_call>call:"],
  harmony: ["<|start|>assistant<|channel|>final<|message|>"],
  "functionary-v3.1": ["<|start_header_id|>{{ '<function=' + name + '>' }}</function><|python_tag|>"],
  "functionary-v3.2": ["<|start_header_id|>assistant<|end_header_id|>\n\n>>>all\n"],
  "command-r": ["<|CHATBOT_TOKEN|>Action:\n```json"],
  "command-r7b": ["<|CHATBOT_TOKEN|><|START_ACTION|>["],
  granite: ["<|start_of_role|>assistant<|end_of_role|><|tool_call|>"],
  phi4: ["<|system|>{{ tools }}<|tool|>{{ tools }}<|/tool|>"],
  "kimi-k2": ["<|tool_calls_section_begin|><|tool_call_begin|>functions."],
  "glm-4.5": [
    "<tool_call>{{ name }}\n<arg_key>{{ key }}</arg_key>\n<arg_value>{{ value }}</arg_value></tool_call>",
  ],
  "glm-4.7": [
    "<tool_call>{{ name }}<arg_key>{{ key }}</arg_key><arg_value>{{ value }}</arg_value></tool_call>",
    '{{- \'<tool_call>\' + name -}}{{- "<arg_key>" ~ k ~ "</arg_key>" -}}{{- "<arg_value>" -}}',
  ],
  "deepseek-v3.2": ["{% set mark = '｜DSML｜' %}{{ '<' + mark + 'function_calls>' }}"],
  "deepseek-v4": ["{% set mark = '｜DSML｜' %}{{ '<' + mark + 'tool_calls>' }}"],
  hy3: ["{% set t = ':opensource' %}{{ '<tool_calls{}>'.format(t) }}{{ '<arg_key{}>'.format(t) }}"],
  "solar-open": ["<|tool_call:begin|>{{ id }}<|tool_call:name|>{{ name }}<|tool_call:args|>{{ args }}"],
  apertus: ["<|tools_prefix|>[{{ calls }}]<|tools_suffix|>"],
  apriel: ["{{ '<tool_calls>[' }}{{ calls }}{{ ']</tool_calls>' }}"],
  "minimax-m1": ["{{ '<tool_calls>\\n' }}{{ calls }}{{ '</tool_calls>' }}"],
  "cohere2-moe": ["<|CHATBOT_TOKEN|><|START_TEXT|>{{ text }}<|END_TEXT|><|START_ACTION|>["],
  functools: ["<|start_header_id|>assistant<|end_header_id|>\n\n functools[{{ calls }}]"],
  gigachat3: ["{{ 'function call<|role_sep|>\\n' + call + '<|message_sep|>' }}"],
  "gigachat3.1": ["{{ 'assistant<|role_sep|>\\n' }}{{ '<|function_call|>' + call + '<|message_sep|>' }}"],
  lfm2: ["List of tools: <|tool_list_start|>[", "List of tools: ["],
  "plain-json": ["{{ message.content }}", GEMMA_STYLE, MISTRAL_STYLE],
};

test("every format is chosen from templates with its markers", () => {
  expect(Object.keys(templates).sort()).toEqual(toolFormats.map(({ name }) => name).sort());
  for (const [name, sources] of Object.entries(templates)) {
    for (const source of sources) expect([source, chooseFormat(source).name]).toEqual([source, name]);
  }
});

test("a name overrides the template", () => {
  expect(chooseFormat(QWEN3_STYLE, "harmony").name).toBe("harmony");
  try {
    chooseFormat("", "hermes2");
    throw new Error("was not refused");
  } catch (error) {
    expect(error).toBeInstanceOf(RequestError);
    expect((error as RequestError).field).toBe("tool_format");
    expect((error as RequestError).message).toContain("hermes");
  }
});

describe("thoughts", () => {
  const hermes = chooseFormat("", "hermes");
  const harmony = chooseFormat("", "harmony");

  test("a prompt's end tells whether one is open", () => {
    expect(opensThought(hermes, "<|im_start|>assistant\n<think>\n")).toBe(true);
    expect(opensThought(hermes, "<|im_start|>assistant\n<think>\n\n</think>\n\n")).toBe(false);
    expect(opensThought(harmony, "<|start|>assistant<|channel|>analysis<|message|>")).toBe(true);
    expect(opensThought(harmony, "<|start|>assistant")).toBe(false);
    expect(opensThought(chooseFormat("", "llama3"), "<think>")).toBe(false);
    expect(DEEPSEEK_STYLE).toContain("<think>");
  });

  test("one can be closed as the model would", () => {
    expect(thoughtEnd(hermes, "anything")).toBe("\n</think>\n\n");
    expect(thoughtEnd(hermes, "content")).toBe("\n</think>\n\n");
    expect(thoughtEnd(harmony, "anything")).toBe("<|end|><|start|>assistant");
    expect(thoughtEnd(harmony, "content")).toBe("<|end|><|start|>assistant<|channel|>final<|message|>");
    expect(thoughtEnd(chooseFormat("", "llama3"), "content")).toBeUndefined();
  });
});
