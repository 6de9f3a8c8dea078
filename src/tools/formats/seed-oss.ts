import type { ToolFormat } from "../format.ts";

/** Seed-OSS: the tags of Qwen3-Coder on one line each, and markers of its own around them. */
export const seedOss: ToolFormat = {
  name: "seed-oss",
  templates: [["seed:tool_call", "<function="]],
  thought: { open: "<seed:think>", close: "</seed:think>" },
  calls: [
    {
      open: ["<seed:tool_call>\n"],
      call: [
        "<function=",
        { step: "name" },
        ">\n",
        {
          step: "parameters",
          open: "<parameter=",
          middle: [">"],
          close: "</parameter>\n",
          end: "</function>",
        },
      ],
      between: "\n",
      close: ["\n</seed:tool_call>"],
    },
  ],
};
