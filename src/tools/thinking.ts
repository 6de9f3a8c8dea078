import type { ToolFormat } from "./format.ts";

/** Whether a rendered prompt ends inside a thought, which the answer then goes on with. */
export function opensThought({ thought }: ToolFormat, prompt: string): boolean {
  return thought !== undefined && prompt.trimEnd().endsWith(thought.open.trim());
}

/** What a model would write to end its thought: to be decoded where the thought's budget of tokens is spent. */
export function thoughtEnd({ thought }: ToolFormat): string | undefined {
  if (!thought) return undefined;
  return thought.next === undefined ? `\n${thought.close}\n\n` : thought.close + thought.next;
}
