import type { ToolFormat } from "../format.ts";

/** Apertus: a list of objects whose only key is the function's name. */
export const apertus: ToolFormat = {
  name: "apertus",
  templates: [["<|tools_prefix|>", "<|tools_suffix|>"]],
  thought: { open: "<|inner_prefix|>", close: "<|inner_suffix|>" },
  calls: [
    {
      // The brace is no first step of a call: then text with a brace would begin one.
      open: ["<|tools_prefix|>", "[", '{"'],
      call: [{ step: "name" }, '": ', { step: "json" }, "}"],
      between: ', {"',
      close: ["]", "<|tools_suffix|>"],
    },
  ],
};
