import type { ToolFormat } from "./format.ts";
import type { CallContext } from "./open-call.ts";
import type { ThoughtText } from "./thought-text.ts";

/** Where calls stand: anywhere in the answer, or in place of content, where whatever begins with content has no call. */
export type CallPlaces = "anywhere" | "instead-of-content";

/** What the readers of one answer share. */
export interface AnswerContext extends CallContext {
  readonly format: ToolFormat;
  readonly thought: ThoughtText;
  readonly calls: CallPlaces;
}
