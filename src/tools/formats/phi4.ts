import type { ObjectStep, ToolFormat } from "../format.ts";

const object: ObjectStep = {
  step: "object",
  name: ["name"],
  arguments: ["arguments", "parameters"],
  wrapper: "function",
  others: ["type", "id"],
};

/** Phi-4-mini; its other releases were taught the word functools in place of the marker. */
export const phi4: ToolFormat = {
  name: "phi4",
  templates: [["<|tool|>", "<|/tool|>"]],
  thought: { open: "<think>", close: "</think>" },
  calls: [
    { open: ["<|tool_call|>", "["], call: [object], between: ", ", close: ["]", "<|/tool_call|>"] },
    { open: ["functools", "["], call: [object], between: ", ", close: ["]"] },
  ],
};
