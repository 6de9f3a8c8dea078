import type { ToolFormat } from "../format.ts";

/** Functionary v3.1: JSON between function tags. */
export const functionary: ToolFormat = {
  name: "functionary-v3.1",
  templates: [["<function=", "</function>"]],
  without: ["<parameter="],
  calls: [{ call: ["<function=", { step: "name" }, ">", { step: "json" }, "</function>"], between: "" }],
};

/** Functionary v3.2: a recipient for each message. */
export const functionaryV32: ToolFormat = {
  name: "functionary-v3.2",
  templates: [[">>>all"]],
  calls: [],
  channels: {
    starts: [">>>"],
    headerEnd: "\n",
    ends: [],
    recipient: "",
    channels: { all: "content" },
    callHeader: [">>>", "\n"],
    contentHeader: "all\n",
    prompted: ">>>",
  },
};
