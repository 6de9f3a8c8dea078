import type { ParametersStep, ToolFormat } from "../format.ts";

const parameters: ParametersStep = {
  step: "parameters",
  open: "<parameter=",
  middle: [">\n"],
  close: "\n</parameter>\n",
  end: "</function>",
};

/** Qwen3-Coder and Qwen 3.5, Nemotron 3 and Step 3.5: parameters between tags. */
export const qwen3Coder: ToolFormat = {
  name: "qwen3-coder",
  templates: [["<function=", "<parameter="]],
  thought: { open: "<think>", close: "</think>" },
  calls: [
    {
      call: ["<tool_call>\n", "<function=", { step: "name" }, ">\n", parameters, "\n</tool_call>"],
      between: "\n",
    },
    // The outer tag is left out now and then.
    { call: ["<function=", { step: "name" }, ">\n", parameters], between: "\n" },
  ],
};
