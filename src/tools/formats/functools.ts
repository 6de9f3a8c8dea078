import type { ToolFormat } from "../format.ts";

/** FireFunction v2: a list of objects behind a word. */
export const functools: ToolFormat = {
  name: "functools",
  templates: [["functools["]],
  calls: [
    {
      open: ["functools", "["],
      call: [{ step: "object", name: ["name"], arguments: ["arguments"], others: ["type", "id"] }],
      between: ", ",
      close: ["]"],
    },
  ],
};
