import type { ToolFormat } from "../format.ts";

/** MiniMax-M2: calls and parameters in tags with a name attribute. */
export const minimaxM2: ToolFormat = {
  name: "minimax-m2",
  templates: [["minimax:tool_call", "<invoke name="]],
  thought: { open: "<think>", close: "</think>" },
  calls: [
    {
      open: ["<minimax:tool_call>\n"],
      call: [
        '<invoke name="',
        { step: "name" },
        '">\n',
        {
          step: "parameters",
          open: '<parameter name="',
          middle: ['">'],
          close: "</parameter>\n",
          end: "</invoke>",
        },
      ],
      between: "\n",
      close: ["\n</minimax:tool_call>"],
    },
  ],
};
