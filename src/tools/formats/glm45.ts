import type { ToolFormat } from "../format.ts";

/** GLM-4.5 and 4.6: keys and values between tags of their own. */
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

/** GLM-4.7 and later, and others without line ends between the tags. */
export const glm47: ToolFormat = {
  name: "glm-4.7",
  templates: [
    ["<tool_call>", "</arg_key><arg_value>"],
    ["<arg_value>", '"</arg_key>" -}}'],
  ],
  thought: { open: "<think>", close: "</think>" },
  calls: [
    {
      call: [
        "<tool_call>",
        { step: "name" },
        {
          step: "parameters",
          open: "<arg_key>",
          middle: ["</arg_key>", "<arg_value>"],
          close: "</arg_value>",
          end: "</tool_call>",
        },
      ],
      between: "",
    },
  ],
};
