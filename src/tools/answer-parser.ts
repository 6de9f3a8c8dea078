import type { ChatFunctionTool } from "../chat/types.ts";
import type { CallPlaces } from "./answer-context.ts";
import { type AnswerDelta, type AnswerMessage, AnswerWriter } from "./answer-writer.ts";
import { idMaker } from "./call-ids.ts";
import { ChannelAnswer } from "./channel-answer.ts";
import type { ToolFormat } from "./format.ts";
import { MarkedAnswer } from "./marked-answer.ts";
import type { ToolSchemas } from "./open-call.ts";
import { type ReasoningFormat, ThoughtText } from "./thought-text.ts";

export type { AnswerDelta, AnswerMessage, AnswerToolCall } from "./answer-writer.ts";
export type { ReasoningFormat } from "./thought-text.ts";

export interface AnswerParserOptions {
  /** Functions that may be called; without any, what looks like a call is content. */
  readonly tools?: readonly ChatFunctionTool[];
  /** Whether the prompt has opened a thought; see `opensThought`. Default `"none"`. */
  readonly thinking?: "none" | "forced-open";
  /** Where calls may stand. Default `"anywhere"`. */
  readonly calls?: CallPlaces;
  /** Default `"auto"`. */
  readonly reasoningFormat?: ReasoningFormat;
  /** Numbers in [0, 1) that ids of calls are drawn from; default `Math.random`. */
  readonly random?: () => number;
}

/**
 * Splits an answer into content, thought and tool calls while it comes. Each character is looked at once, whatever the pieces; only
 * white space and what may be the beginning of a marker is held back, and of a call what stands before its name is known.
 *
 * Nothing is lost: what looks like a call and is none (an unknown name, text that breaks off before the name) comes out as
 * content; arguments come out as the model writes them, broken or cut off.
 */
export class AnswerParser {
  readonly #writer = new AnswerWriter();
  readonly #answer: MarkedAnswer | ChannelAnswer;
  #hasEnded = false;

  constructor(format: ToolFormat, options: AnswerParserOptions = {}) {
    const { tools = [], thinking = "none", calls = "anywhere", reasoningFormat = "auto", random } = options;
    const schemas: ToolSchemas = new Map(tools.map((tool) => [tool.function.name, tool.function.parameters]));
    const Answer = format.channels ? ChannelAnswer : MarkedAnswer;
    this.#answer = new Answer({
      format,
      tools: schemas,
      calls,
      makeId: idMaker(format.ids, random),
      writer: this.#writer,
      thought: new ThoughtText(this.#writer, reasoningFormat),
    });
    if (thinking === "forced-open") this.#answer.beginThought();
  }

  /** What has been told so far. */
  get message(): AnswerMessage {
    return this.#writer.message;
  }

  /** @throws TypeError after {@link end}. */
  push(text: string): AnswerDelta[] {
    if (this.#hasEnded) throw new TypeError("the answer has ended; make a new parser for another one");
    for (let index = 0; index < text.length; index++) this.#answer.read(text[index]!);
    return this.#writer.take();
  }

  /** Tells the rest. @param reason `"stop"` where the model ended the answer itself, `"length"` where it was cut off. */
  end(reason: "stop" | "length"): AnswerDelta[] {
    if (!this.#hasEnded) this.#answer.end(reason);
    this.#hasEnded = true;
    return this.#writer.take();
  }
}
