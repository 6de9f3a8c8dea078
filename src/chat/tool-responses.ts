import type { CheckedMessage } from "./check-request.ts";
import { copyJson } from "./json-copy.ts";
import type { Json } from "./types.ts";

/**
 * Moves results into the message with the calls, as `tool_responses`, for templates that look there: one message then holds calls,
 * their results, and what the assistant said next. Gemma 4's first template is one.
 */
export function foldToolResponses(messages: readonly CheckedMessage[]): CheckedMessage[] {
  const folded: CheckedMessage[] = [];
  let at = 0;
  while (at < messages.length) {
    const message = messages[at++]!;
    if (message.toolCalls.length === 0) {
      folded.push(message);
      continue;
    }
    const responses: Json[] = [];
    for (; messages[at]?.role === "tool"; at++)
      responses.push(toResponse(message, messages[at]!, responses.length));
    const next = messages[at];
    const goesOn = next?.role === "assistant" && next.toolCalls.length === 0;
    if (goesOn && responses.length > 0) at += 1;
    folded.push({
      ...message,
      content: goesOn && responses.length > 0 ? join(message.content, next.content) : message.content,
      rest: responses.length > 0 ? { ...message.rest, tool_responses: responses } : message.rest,
    });
  }
  return folded;
}

function toResponse(asking: CheckedMessage, result: CheckedMessage, index: number): Json {
  const { tool_call_id: id, name } = result.rest;
  const call = asking.toolCalls.find((candidate) => id !== undefined && candidate.id === id);
  const text = Array.isArray(result.content) ? result.content.join("\n") : (result.content ?? "");
  const known = call?.function.name ?? (typeof name === "string" ? name : undefined);
  return {
    name: known ?? asking.toolCalls[index]?.function.name ?? "",
    response: parsed(text, `messages[${result.index}].content`),
  };
}

/** The data that a text holds, or the text. */
function parsed(text: string, field: string): Json {
  try {
    return copyJson(JSON.parse(text), field);
  } catch {
    return text;
  }
}

function join(first: CheckedMessage["content"], second: CheckedMessage["content"]): string {
  return [first, second]
    .flat()
    .filter((text) => text !== null && text !== "")
    .join("\n\n");
}
