import type { ToolFormat } from "../format.ts";

/** Apriel: a list of objects; its thoughts begin with a sentence that the prompt may have written. */
export const apriel: ToolFormat = {
  name: "apriel",
  templates: [["<tool_calls>["]],
  thought: { open: "Here are my reasoning steps:\n", close: "[BEGIN FINAL RESPONSE]" },
  calls: [
    {
      open: ["<tool_calls>", "["],
      call: [{ step: "object", name: ["name"], arguments: ["arguments"], id: "id", others: ["type"] }],
      between: ", ",
      close: ["]", "</tool_calls>"],
    },
  ],
};
