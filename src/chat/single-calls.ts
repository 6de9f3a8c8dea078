import type { CheckedMessage, CheckedToolCall } from "./check-request.ts";

/**
 * Writes calls that were made at once as calls one after another, each with its result behind it, for templates that have place for
 * one call in a message. The content and the thought stay with the first.
 */
export function separateCalls(messages: readonly CheckedMessage[]): CheckedMessage[] {
  const separated: CheckedMessage[] = [];
  let at = 0;
  while (at < messages.length) {
    const message = messages[at++]!;
    if (message.toolCalls.length < 2) {
      separated.push(message);
      continue;
    }
    let results: CheckedMessage[] = [];
    for (; messages[at]?.role === "tool"; at++) results.push(messages[at]!);
    message.toolCalls.forEach((call, index) => {
      const rest = index === 0 ? message.rest : {};
      separated.push({ ...message, content: index === 0 ? message.content : null, toolCalls: [call], rest });
      const own = resultsOf(call, results);
      separated.push(...own);
      results = results.filter((result) => !own.includes(result));
    });
    separated.push(...results);
  }
  return separated;
}

/** By the call's id; the older spelling has none, and its results come in the order of the calls. */
function resultsOf(call: CheckedToolCall, results: readonly CheckedMessage[]): CheckedMessage[] {
  return call.id === undefined
    ? results.slice(0, 1)
    : results.filter((result) => result.rest.tool_call_id === call.id);
}

/** Writes what was said beside calls as a message in front of them, for templates that write either the one or the other. */
export function separateContent(messages: readonly CheckedMessage[]): CheckedMessage[] {
  return messages.flatMap((message) => {
    const isText = [message.content].flat().some((text) => text !== null && text !== "");
    if (message.toolCalls.length === 0 || !isText) return [message];
    return [
      { ...message, toolCalls: [] },
      { ...message, content: null, rest: {} },
    ];
  });
}
