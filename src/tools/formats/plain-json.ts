import type { ObjectStep, ToolFormat } from "../format.ts";

const object: ObjectStep = {
  step: "object",
  name: ["name", "function", "tool"],
  arguments: ["arguments", "parameters"],
  wrapper: "function",
  others: ["type", "id"],
};

/** JSON and nothing else, for models whose template knows no tools; the generic prompt asks for it. */
export const plainJson: ToolFormat = {
  name: "plain-json",
  templates: [],
  thought: { open: "<think>", close: "</think>" },
  calls: [
    { plain: true, call: [object], between: "\n" },
    { plain: true, open: ["["], call: [object], between: ",", close: ["]"] },
    { plain: true, open: ["```json"], call: [object], between: "\n", close: ["```"] },
    { plain: true, open: ["```json", "["], call: [object], between: ",", close: ["]", "```"] },
  ],
};
