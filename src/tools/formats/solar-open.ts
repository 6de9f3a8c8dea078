import type { ToolFormat } from "../format.ts";

/** Solar Open: ids, names and arguments behind markers; what it thinks and what it says are messages. */
export const solarOpen: ToolFormat = {
  name: "solar-open",
  templates: [["<|tool_call:begin|>", "<|tool_call:args|>"]],
  thought: { open: "<|think|>", close: "<|end|><|begin|>assistant", next: "" },
  wrapper: { open: "<|content|>", close: "<|end|>" },
  calls: [
    {
      // The model stops behind the last call: the marker that ends them ends the answer.
      open: ["<|tool_calls|>"],
      call: [
        "<|tool_call:begin|>",
        { step: "id", open: "", close: "<|tool_call:name|>" },
        { step: "name" },
        "<|tool_call:args|>",
        { step: "json" },
        "<|tool_call:end|>",
      ],
      between: "",
    },
  ],
  ids: { random: "letters-and-digits", length: 10 },
};
