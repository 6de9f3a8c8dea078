import type { ToolFormat } from "../format.ts";

/** Kimi-K2: ids hold the function's name and a number. */
export const kimiK2: ToolFormat = {
  name: "kimi-k2",
  templates: [["<|tool_calls_section_begin|>"]],
  thought: { open: "<think>", close: "</think>" },
  calls: [
    {
      open: ["<|tool_calls_section_begin|>"],
      call: [
        "<|tool_call_begin|>",
        "functions.",
        { step: "name" },
        { step: "id", open: ":", close: "<|tool_call_argument_begin|>" },
        { step: "json" },
        "<|tool_call_end|>",
      ],
      between: "",
      close: ["<|tool_calls_section_end|>"],
    },
  ],
  ids: { template: "functions.{name}:{index}" },
};
