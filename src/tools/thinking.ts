import type { ToolFormat } from "./format.ts";

/** Whether a rendered prompt ends inside a thought, which the answer then goes on with. */
export function opensThought({ thought }: ToolFormat, prompt: string): boolean {
  return thought !== undefined && prompt.trimEnd().endsWith(thought.open.trim());
}

/**
 * What a model would write to end its thought: to be decoded where the thought's budget of tokens is spent.
 * @param next What may come then; in a format of channels content is begun where nothing else may.
 */
export function thoughtEnd(
  { thought, channels }: ToolFormat,
  next: "content" | "anything",
): string | undefined {
  if (!thought) return undefined;
  if (thought.next === undefined) return `\n${thought.close}\n\n`;
  return thought.close + thought.next + (next === "content" ? (channels?.contentHeader ?? "") : "");
}
