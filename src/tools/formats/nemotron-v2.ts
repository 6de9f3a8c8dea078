import type { ToolFormat } from "../format.ts";

/** Nemotron Nano 2; Nemotron 3 writes as Qwen3-Coder does. */
export const nemotronV2: ToolFormat = {
  name: "nemotron-v2",
  templates: [["<TOOLCALL>"]],
  thought: { open: "<think>", close: "</think>" },
  calls: [
    {
      open: ["<TOOLCALL>", "["],
      call: [{ step: "object", name: ["name"], arguments: ["arguments"] }],
      between: ", ",
      close: ["]", "</TOOLCALL>"],
    },
  ],
};
