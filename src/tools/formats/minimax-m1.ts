import type { ToolFormat } from "../format.ts";

/** MiniMax-M1: objects on lines of their own. */
export const minimaxM1: ToolFormat = {
  name: "minimax-m1",
  templates: [["<tool_calls>\\n"], ["<tool_calls>\n"]],
  without: ["<tool_calls>["],
  thought: { open: "<think>", close: "</think>" },
  calls: [
    {
      open: ["<tool_calls>\n"],
      call: [{ step: "object", name: ["name"], arguments: ["arguments"], others: ["type", "id"] }],
      between: "\n",
      close: ["\n</tool_calls>"],
    },
  ],
};
