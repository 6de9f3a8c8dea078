import { Utf8Stream } from "../../lib/utf8-stream.ts";
import type { ChatFunctionTool } from "../../src/chat/types.ts";
import {
  type AnswerDelta,
  type AnswerMessage,
  AnswerParser,
  type AnswerParserOptions,
  type ToolFormat,
} from "../../src/tools/index.ts";

/** Functions that the tests' models may call. */
export const tools: readonly ChatFunctionTool[] = [
  {
    type: "function",
    function: {
      name: "get_weather",
      parameters: {
        type: "object",
        properties: {
          city: { type: "string" },
          days: { type: "integer" },
          hours: { type: "array", items: { type: "integer" } },
          metric: { type: "boolean" },
        },
        required: ["city"],
      },
    },
  },
  {
    type: "function",
    function: {
      name: "send-note",
      parameters: {
        type: "object",
        properties: {
          text: { type: "string" },
          to: { type: "object", properties: { name: { type: "string" }, tags: { type: "array" } } },
          ref: { type: ["string", "integer"] },
        },
        required: ["text"],
      },
    },
  },
  { type: "function", function: { name: "now", parameters: { type: "object", properties: {} } } },
];

export type Reason = "stop" | "length";

/** What deltas add up to. */
export function addUp(deltas: readonly AnswerDelta[]): AnswerMessage {
  let content = "";
  let reasoning = "";
  const toolCalls: { id: string; name: string; arguments: string }[] = [];
  for (const delta of deltas) {
    if (delta.type === "content") content += delta.text;
    else if (delta.type === "reasoning") reasoning += delta.text;
    else if (delta.type === "arguments") toolCalls[delta.index]!.arguments += delta.text;
    else {
      if (delta.index !== toolCalls.length) throw new Error(`call ${delta.index} is out of order`);
      toolCalls.push({ id: delta.id, name: delta.name, arguments: "" });
    }
  }
  return { content, reasoning, toolCalls };
}

/** Pushes an answer's bytes in these pieces through a UTF-8 decoder; checks that the deltas add up to the message. */
export function parseAnswer(
  format: ToolFormat,
  pieces: readonly Uint8Array[],
  { reason = "stop", ...options }: AnswerParserOptions & { reason?: Reason } = {},
): AnswerMessage {
  const parser = new AnswerParser(format, { tools, random: () => 0.5, ...options });
  const utf8 = new Utf8Stream();
  const deltas = pieces.flatMap((piece) => parser.push(utf8.push(piece)));
  deltas.push(...parser.push(utf8.flush()), ...parser.end(reason));
  const sum = addUp(deltas);
  if (!Bun.deepEquals(sum, parser.message)) {
    throw new Error(`deltas add up to ${JSON.stringify(sum)}, not ${JSON.stringify(parser.message)}`);
  }
  return sum;
}

/** Whole, byte by byte, and in two pieces for each place to cut. */
export function* cuts(text: string): Generator<Uint8Array[]> {
  const bytes = new TextEncoder().encode(text);
  yield [bytes];
  yield Array.from(bytes, (byte) => Uint8Array.of(byte));
  for (let cut = 1; cut < bytes.length; cut++) yield [bytes.subarray(0, cut), bytes.subarray(cut)];
}
