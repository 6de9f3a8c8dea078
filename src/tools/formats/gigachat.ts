import type { ObjectStep, ToolFormat } from "../format.ts";

const object: ObjectStep = { step: "object", name: ["name"], arguments: ["arguments"] };

/** GigaChat 3: a call is a message of a role of its own. */
export const gigachat3: ToolFormat = {
  name: "gigachat3",
  templates: [["<|role_sep|>", "function call", "<|message_sep|>"]],
  without: ["<|function_call|>"],
  calls: [{ call: ["<|message_sep|>\n\n", "function call<|role_sep|>\n", object] }],
};

/** GigaChat 3.1. */
export const gigachat31: ToolFormat = {
  name: "gigachat3.1",
  templates: [["<|role_sep|>", "<|function_call|>"]],
  calls: [{ call: ["<|function_call|>", object] }],
};
