/** A piece of an answer. Pieces of one kind, and for arguments of one index, add up to the whole. */
export type AnswerDelta =
  | { readonly type: "content"; readonly text: string }
  | { readonly type: "reasoning"; readonly text: string }
  | { readonly type: "tool-call"; readonly index: number; readonly id: string; readonly name: string }
  | { readonly type: "arguments"; readonly index: number; readonly text: string };

export interface AnswerToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON text, as far as the model wrote it. */
  readonly arguments: string;
}

export interface AnswerMessage {
  readonly content: string;
  readonly reasoning: string;
  readonly toolCalls: readonly AnswerToolCall[];
}

type TextDelta =
  | { type: "content"; text: string }
  | { type: "reasoning"; text: string }
  | { type: "arguments"; index: number; text: string };

/** Gathers what is read into deltas, neighbours of one kind in one, and into the message. */
export class AnswerWriter {
  #content = "";
  #reasoning = "";
  readonly #calls: { id: string; name: string; arguments: string }[] = [];
  #deltas: AnswerDelta[] = [];
  /** The last delta, while text may be added to it. */
  #open: TextDelta | undefined;

  get message(): AnswerMessage {
    const toolCalls = this.#calls.map((call) => ({ ...call }));
    return { content: this.#content, reasoning: this.#reasoning, toolCalls };
  }

  get callCount(): number {
    return this.#calls.length;
  }

  /** Whether a call has this id. */
  hasId(id: string): boolean {
    return this.#calls.some((call) => call.id === id);
  }

  /** Whether the last call has arguments yet. */
  get hasArguments(): boolean {
    return this.#calls.at(-1)?.arguments !== "";
  }

  content(text: string): void {
    this.#content += text;
    this.#append({ type: "content", text });
  }

  reasoning(text: string): void {
    this.#reasoning += text;
    this.#append({ type: "reasoning", text });
  }

  call(id: string, name: string): void {
    this.#open = undefined;
    this.#deltas.push({ type: "tool-call", index: this.#calls.length, id, name });
    this.#calls.push({ id, name, arguments: "" });
  }

  /** Adds to the arguments of the last call. */
  arguments(text: string): void {
    const index = this.#calls.length - 1;
    this.#calls[index]!.arguments += text;
    this.#append({ type: "arguments", index, text });
  }

  /** The deltas since the last time. */
  take(): AnswerDelta[] {
    const deltas = this.#deltas;
    this.#deltas = [];
    this.#open = undefined;
    return deltas;
  }

  #append(delta: TextDelta): void {
    if (delta.text === "") return;
    if (this.#open?.type === delta.type) {
      this.#open.text += delta.text;
      return;
    }
    this.#open = delta;
    this.#deltas.push(delta);
  }
}
