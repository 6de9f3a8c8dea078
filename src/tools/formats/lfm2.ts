import type { ToolFormat } from "../format.ts";

/** LFM2: a Python list of calls. */
export const lfm2: ToolFormat = {
  name: "lfm2",
  templates: [["<|tool_list_start|>"], ["<|tool_call_start|>"], ["List of tools: ["]],
  thought: { open: "<think>", close: "</think>" },
  calls: [
    {
      open: ["<|tool_call_start|>", "["],
      call: [{ step: "name" }, { step: "notation", open: "(", assign: "=", strings: "quotes" }],
      between: ", ",
      close: ["]", "<|tool_call_end|>"],
    },
  ],
};
