import type { NotationStep, ObjectStep, ToolFormat } from "../format.ts";

const object: ObjectStep = {
  step: "object",
  name: ["name", "function"],
  arguments: ["parameters", "arguments"],
  wrapper: "function",
  others: ["type"],
};
const python: NotationStep = { step: "notation", open: "(", assign: "=", strings: "quotes" };

/** Llama 3.1 to 3.3: bare JSON; behind the python tag JSON, or a call of one of the tools that Llama has from the start. */
export const llama3: ToolFormat = {
  name: "llama3",
  templates: [
    ["<|start_header_id|>", "<|python_tag|>"],
    ["<|start_header_id|>ipython"],
    ["<|start_header_id|>", "Environment: ipython"],
  ],
  calls: [
    { plain: true, call: [object], between: "; " },
    { open: ["<|python_tag|>"], call: [object], between: "; " },
    { open: ["<|python_tag|>"], call: [{ step: "name" }, ".call", python], between: "; " },
  ],
};

/** Llama 3.2 and 4 where the prompt asks for calls in Python. */
export const llamaPythonic: ToolFormat = {
  name: "llama-pythonic",
  templates: [["<|python_start|>"]],
  calls: [
    { plain: true, open: ["["], call: [{ step: "name" }, python], between: ", ", close: ["]"] },
    {
      open: ["<|python_start|>", "["],
      call: [{ step: "name" }, python],
      between: ", ",
      close: ["]", "<|python_end|>"],
    },
  ],
};
