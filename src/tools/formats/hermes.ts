import type { ToolFormat } from "../format.ts";

/** Hermes, and Qwen 2.5 and 3, and others that were taught the same. */
export const hermes: ToolFormat = {
  name: "hermes",
  templates: [["<tool_call>"]],
  without: ["<invoke name="],
  thought: { open: "<think>", close: "</think>" },
  calls: [
    {
      call: [
        "<tool_call>\n",
        {
          step: "object",
          name: ["name"],
          arguments: ["arguments", "parameters"],
          wrapper: "function",
          others: ["type", "id"],
        },
        "\n</tool_call>",
      ],
      between: "\n",
    },
  ],
};
