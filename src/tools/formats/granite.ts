import type { CallForm, ToolFormat } from "../format.ts";

function list(marker: string): CallForm {
  return {
    open: [marker, "["],
    call: [
      { step: "object", name: ["name"], arguments: ["arguments", "parameters"], others: ["type", "id"] },
    ],
    between: ", ",
    close: ["]"],
  };
}

/** Granite 3; Granite 4 writes as Hermes does. */
export const granite: ToolFormat = {
  name: "granite",
  templates: [["<|start_of_role|>"]],
  without: ["</tool_call>"],
  thought: { open: "<think>", close: "</think>" },
  wrapper: { open: "<response>", close: "</response>" },
  calls: [list("<|tool_call|>"), list("<tool_call>")],
};
