import type { ToolFormat } from "../format.ts";

/** Hunyuan 3, whose template adds a word to every tag. */
export const hy3: ToolFormat = {
  name: "hy3",
  templates: [["<tool_calls{}>", "<arg_key{}>", ":opensource"]],
  thought: { open: "<think:opensource>", close: "</think:opensource>" },
  calls: [
    {
      open: ["<tool_calls:opensource>\n"],
      call: [
        "<tool_call:opensource>",
        { step: "name" },
        "<tool_sep:opensource>\n",
        {
          step: "parameters",
          open: "<arg_key:opensource>",
          middle: ["</arg_key:opensource>\n", "<arg_value:opensource>"],
          close: "</arg_value:opensource>\n",
          end: "</tool_call:opensource>",
        },
      ],
      between: "\n",
      close: ["\n</tool_calls:opensource>"],
    },
  ],
};
