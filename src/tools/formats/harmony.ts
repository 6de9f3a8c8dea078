import type { ToolFormat } from "../format.ts";

/** The channels of gpt-oss. */
export const harmony: ToolFormat = {
  name: "harmony",
  templates: [["<|channel|>", "<|message|>"]],
  thought: { open: "<|channel|>analysis<|message|>", close: "<|end|>", next: "<|start|>assistant" },
  calls: [],
  channels: {
    starts: ["<|start|>assistant", "<|channel|>"],
    headerEnd: "<|message|>",
    ends: ["<|end|>", "<|return|>", "<|call|>"],
    recipient: "to=functions.",
    channels: { analysis: "reasoning", commentary: "content", final: "content" },
    callHeader: ["<|channel|>commentary to=functions.", " <|constrain|>json<|message|>"],
    contentHeader: "<|channel|>final<|message|>",
    prompted: "<|start|>assistant",
    beginnings: ["<|channel|>", "to=functions."],
  },
};
