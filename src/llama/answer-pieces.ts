import type { AnswerDelta, AnswerParser } from "../tools/answer-parser.ts";
import type { Outcome } from "./answer.ts";
import type { GeneratedToken } from "./deltas.ts";
import type { ChatCompletionChoice, ChatCompletionChunk } from "./types.ts";

type WireDelta = ChatCompletionChunk["choices"][number]["delta"];

type HowItEnded = Pick<Outcome, "reason" | "stop">;

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** What one answer of a chat comes to on the wire, piece by piece. */
export class AnswerPieces {
  readonly #parser: AnswerParser | undefined;
  /** Tokens whose text is held back. */
  #tokens: GeneratedToken[] = [];
  readonly #spelling: "tools" | "functions";

  /** @param parser undefined where all is content. @param spelling how calls are told: the older way has one, without an id. */
  constructor(parser: AnswerParser | undefined, spelling: "tools" | "functions") {
    this.#parser = parser;
    this.#spelling = spelling;
  }

  /** What became certain with this text, and the tokens it took; undefined where all is held back. */
  push(text: string, tokens: readonly GeneratedToken[]) {
    if (!this.#parser) return { delta: { content: text }, tokens };
    this.#tokens.push(...tokens);
    return this.#take(this.#parser.push(text));
  }

  /** What was held back, after the last text. */
  end({ reason, stop }: HowItEnded) {
    // A stop string cuts an answer off, too.
    const deltas = this.#parser?.end(stop === undefined ? reason : "length") ?? [];
    return deltas.length > 0 || this.#tokens.length > 0 ? this.#take(deltas, "all") : undefined;
  }

  finishReason({ reason, stop }: HowItEnded): ChatCompletionChoice["finish_reason"] {
    const last = this.#parser?.message.toolCalls.at(-1);
    if (reason !== "stop" || !last) return reason;
    // Nobody should carry out a call that a stop string cut in two.
    if (stop !== undefined && !isJson(last.arguments)) return reason;
    return this.#spelling === "tools" ? "tool_calls" : "function_call";
  }

  #take(deltas: readonly AnswerDelta[], which: "told" | "all" = "told") {
    if (deltas.length === 0 && which === "told") return undefined;
    const tokens = this.#tokens;
    this.#tokens = [];
    const delta: WireDelta = {};
    for (const piece of deltas) this.#add(delta, piece);
    return { delta, tokens };
  }

  #add(delta: WireDelta, piece: AnswerDelta): void {
    switch (piece.type) {
      case "content":
        delta.content = (delta.content ?? "") + piece.text;
        return;
      case "reasoning":
        delta.reasoning_content = (delta.reasoning_content ?? "") + piece.text;
        return;
      case "tool-call": {
        const { index, id, name } = piece;
        if (this.#spelling === "functions") {
          delta.function_call = { name, arguments: "" };
          return;
        }
        delta.tool_calls ??= [];
        delta.tool_calls.push({ index, id, type: "function", function: { name, arguments: "" } });
        return;
      }
      case "arguments": {
        if (this.#spelling === "functions") {
          const before = delta.function_call;
          delta.function_call = { ...before, arguments: (before?.arguments ?? "") + piece.text };
          return;
        }
        delta.tool_calls ??= [];
        const open = delta.tool_calls.find(({ index }) => index === piece.index);
        if (open) open.function.arguments += piece.text;
        else delta.tool_calls.push({ index: piece.index, function: { arguments: piece.text } });
      }
    }
  }
}

/** Adds a delta to the message that all of them make. */
export function addDelta(message: ChatCompletionChoice["message"], delta: WireDelta): void {
  if (delta.content) message.content = (message.content ?? "") + delta.content;
  if (delta.reasoning_content)
    message.reasoning_content = (message.reasoning_content ?? "") + delta.reasoning_content;
  if (delta.function_call) {
    message.function_call ??= { name: delta.function_call.name!, arguments: "" };
    message.function_call.arguments += delta.function_call.arguments;
  }
  for (const { index, id, function: piece } of delta.tool_calls ?? []) {
    message.tool_calls ??= [];
    const call = message.tool_calls[index];
    if (call) call.function.arguments += piece.arguments;
    else {
      const { name, arguments: text } = piece;
      message.tool_calls.push({ id: id!, type: "function", function: { name: name!, arguments: text } });
    }
  }
}
