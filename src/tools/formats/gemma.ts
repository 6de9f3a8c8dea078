import type { NotationStep, ToolFormat } from "../format.ts";

function marked(marker: string): NotationStep {
  return { step: "notation", open: "{", assign: ":", strings: { marker } };
}

/** Gemma 2 and 3, whose templates know no tools: Python in a fenced block, as Google's guides ask for. */
export const gemma: ToolFormat = {
  name: "gemma",
  templates: [["<start_of_turn>", "tool_code"]],
  calls: [
    {
      plain: true,
      open: ["```tool_code\n"],
      call: [{ step: "name" }, { step: "notation", open: "(", assign: "=", strings: "quotes" }],
      between: "\n",
      close: ["\n```"],
    },
  ],
};

/** FunctionGemma. */
export const functionGemma: ToolFormat = {
  name: "function-gemma",
  templates: [["<start_function_call>"]],
  calls: [
    {
      call: ["<start_function_call>", "call:", { step: "name" }, marked("<escape>"), "<end_function_call>"],
      between: "",
    },
  ],
};

/** Gemma 4. */
export const gemma4: ToolFormat = {
  name: "gemma4",
  templates: [["<|tool_call>"]],
  thought: { open: "<|channel>thought\n", close: "<channel|>" },
  calls: [
    { call: ["<|tool_call>", "call:", { step: "name" }, marked('<|"|>'), "<tool_call|>"], between: "" },
  ],
};
