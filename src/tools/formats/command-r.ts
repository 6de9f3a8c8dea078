import type { ObjectStep, ToolFormat } from "../format.ts";

const object: ObjectStep = {
  step: "object",
  name: ["tool_name", "name"],
  arguments: ["parameters", "arguments"],
};

/** Command-R and R+: a fenced list under the word Action. */
export const commandR: ToolFormat = {
  name: "command-r",
  templates: [["Action:", "<|CHATBOT_TOKEN|>"]],
  without: ["<|START_ACTION|>"],
  calls: [{ open: ["Action: ", "```json\n", "["], call: [object], between: ", ", close: ["]", "```"] }],
};

/** Command R7B and A. */
export const commandR7b: ToolFormat = {
  name: "command-r7b",
  templates: [["<|START_ACTION|>"]],
  without: ["<|START_TEXT|>"],
  thought: { open: "<|START_THINKING|>", close: "<|END_THINKING|>" },
  wrapper: { open: "<|START_RESPONSE|>", close: "<|END_RESPONSE|>" },
  calls: [
    {
      open: ["<|START_ACTION|>", "["],
      call: [{ ...object, counter: "tool_call_id" }],
      between: ", ",
      close: ["]", "<|END_ACTION|>"],
    },
  ],
};

/** Cohere's mixtures of experts: the same but for the words around the answer. */
export const cohere2Moe: ToolFormat = {
  ...commandR7b,
  name: "cohere2-moe",
  templates: [["<|START_ACTION|>", "<|START_TEXT|>"]],
  without: [],
  wrapper: { open: "<|START_TEXT|>", close: "<|END_TEXT|>" },
};
