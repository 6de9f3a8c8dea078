import type { ToolFormat } from "../format.ts";

const thought = { open: "<think>", close: "</think>" };
const section = {
  open: ["<｜tool▁calls▁begin｜>"],
  close: ["<｜tool▁calls▁end｜>"],
} as const;

/** DeepSeek R1 and V3: the arguments in a fenced block. */
export const deepseek: ToolFormat = {
  name: "deepseek",
  templates: [["<｜tool▁sep｜>", "```json"]],
  thought,
  calls: [
    {
      ...section,
      call: [
        "<｜tool▁call▁begin｜>",
        "function<｜tool▁sep｜>",
        { step: "name" },
        "\n```json\n",
        { step: "json" },
        "\n```",
        "<｜tool▁call▁end｜>",
      ],
      between: "\n",
    },
  ],
};

/** DeepSeek V3.1: name and arguments on both sides of a separator. */
export const deepseekV31: ToolFormat = {
  name: "deepseek-v3.1",
  templates: [["<｜tool▁sep｜>"]],
  without: ["```json"],
  thought,
  calls: [
    {
      ...section,
      call: [
        "<｜tool▁call▁begin｜>",
        { step: "name" },
        "<｜tool▁sep｜>",
        { step: "json" },
        "<｜tool▁call▁end｜>",
      ],
      between: "",
    },
  ],
};
