import type { CallForm, ToolFormat } from "../format.ts";

const list: CallForm = {
  open: ["[TOOL_CALLS]", "["],
  call: [{ step: "object", name: ["name"], arguments: ["arguments"], id: "id", others: ["type"] }],
  between: ", ",
  close: ["]"],
};
const named: CallForm = {
  open: ["[TOOL_CALLS]"],
  call: [{ step: "name" }, { step: "id", open: "[CALL_ID]", close: "[ARGS]" }, { step: "json" }],
  between: "[TOOL_CALLS]",
};
const thought = { open: "[THINK]", close: "[/THINK]" };
const ids = { random: "letters-and-digits", length: 9 } as const;

/** Mistral up to 2024: a list of objects. */
export const mistral: ToolFormat = {
  name: "mistral",
  templates: [["[TOOL_CALLS]"]],
  without: ["[ARGS]"],
  thought,
  calls: [list, named],
  ids,
};

/** Mistral since tokenizer version 11: names and arguments behind markers. */
export const mistralArgs: ToolFormat = {
  name: "mistral-args",
  templates: [["[TOOL_CALLS]", "[ARGS]"]],
  thought,
  calls: [named, list],
  ids,
};
