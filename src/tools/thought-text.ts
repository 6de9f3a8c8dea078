import type { AnswerWriter } from "./answer-writer.ts";

/**
 * Where a thought goes: into the content as written, markers and all (`none`); apart (`deepseek`); or both ways
 * (`deepseek-legacy`). `auto` is `deepseek`. The names are those of llama-server.
 */
export type ReasoningFormat = "none" | "auto" | "deepseek" | "deepseek-legacy";

/** Writes what belongs to a thought where the reasoning format wants it. */
export class ThoughtText {
  readonly #writer: AnswerWriter;
  readonly #isSeparate: boolean;
  readonly #isContent: boolean;

  constructor(writer: AnswerWriter, format: ReasoningFormat) {
    this.#writer = writer;
    this.#isSeparate = format !== "none";
    this.#isContent = format === "none" || format === "deepseek-legacy";
  }

  /** The thought itself. */
  write(text: string): void {
    if (this.#isSeparate) this.#writer.reasoning(text);
    if (this.#isContent) this.#writer.content(text);
  }

  /** Markers and the white space at them. */
  writeMarkup(text: string): void {
    if (this.#isContent) this.#writer.content(text);
  }
}
