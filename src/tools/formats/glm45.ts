import type { ToolFormat } from "../format.ts";

/** GLM-4.5 and later: keys and values between tags of their own. */
export const glm45: ToolFormat = {
  name: "glm-4.5",
  templates: [["<arg_key>", "<arg_value>"]],
  thought: { open: "<think>", close: "</think>" },
  calls: [
    {
      call: [
        "<tool_call>",
        { step: "name" },
        "\n",
        {
          step: "parameters",
          open: "<arg_key>",
          middle: ["</arg_key>\n", "<arg_value>"],
          close: "</arg_value>\n",
          end: "</tool_call>",
        },
      ],
      between: "\n",
    },
  ],
};
