import { RequestError } from "../../lib/errors.ts";
import type { TemplateCapabilities } from "./capabilities.ts";
import type { CheckedMessage, CheckedToolCall } from "./check-request.ts";
import { copyJson, isPlainObject } from "./json-copy.ts";
import { separateCalls, separateContent } from "./single-calls.ts";
import { foldToolResponses } from "./tool-responses.ts";
import type { Json } from "./types.ts";

type JsonObject = { [key: string]: Json };

/**
 * Writes messages the way a template wants them: content as text or parts, arguments as text or object, `developer`
 * as `system` where it is unknown, `system` text in front of the next user message where there is no such role, and calls one by
 * one where a message has place for one.
 *
 * @throws RequestError when the template would drop a message.
 */
export function normalizeMessages(
  messages: readonly CheckedMessage[],
  can: TemplateCapabilities,
): JsonObject[] {
  const renamed = messages.map((message) =>
    message.role === "developer" && !can.developerRole ? { ...message, role: "system" as const } : message,
  );
  const withSystem = can.systemRole ? renamed : foldSystemMessages(renamed);
  const apart = can.toolCalls && !can.contentBesideCalls ? separateContent(withSystem) : withSystem;
  const single = can.toolCalls && !can.parallelToolCalls ? separateCalls(apart) : apart;
  const folded = can.toolResponses ? foldToolResponses(single) : single;
  return folded.map((message) => {
    requirePlace(message, can);
    const written: JsonObject = Object.create(null);
    written.role = message.role;
    written.content = writeContent(message, can);
    if (message.toolCalls.length > 0) {
      const field = `messages[${message.index}].tool_calls`;
      written.tool_calls = message.toolCalls.map((call, i) => writeToolCall(call, can, `${field}[${i}]`));
    }
    return placeThought(Object.assign(written, message.rest), can);
  });
}

/** Moves a thought to where the template looks for it. */
function placeThought(message: JsonObject, can: TemplateCapabilities): JsonObject {
  const { reasoning_content: thought, content } = message;
  if (message.role !== "assistant" || typeof thought !== "string" || thought === "") return message;
  // Of the two the thought is what such models need to go on behind a call.
  if (message.tool_calls && !can.reasoningBesideContent) message.content = can.nullContent ? null : "";
  if (can.reasoning === "part") {
    const text = typeof content === "string" && content !== "" ? [{ type: "text", text: content }] : [];
    const parts = Array.isArray(content) ? content : text;
    message.content = [{ type: "thinking", thinking: thought }, ...parts];
  } else if (can.reasoning !== "reasoning_content" && message[can.reasoning] === undefined) {
    message[can.reasoning] = thought;
  }
  return message;
}

/** What a template would drop without a word is refused. */
function requirePlace(message: CheckedMessage, can: TemplateCapabilities): void {
  const refuse = (field: string, what: string): never => {
    throw new RequestError(
      `${field} is ${what}, for which this chat template has no place; leave it out or choose a template with tools`,
      field,
    );
  };
  const field = `messages[${message.index}]`;
  if (message.role === "tool" && !can.toolResults) refuse(`${field}.role`, "a tool's result");
  if (message.toolCalls.length > 0 && !can.toolCalls) refuse(`${field}.tool_calls`, "a tool call");
}

function writeContent({ content, toolCalls }: CheckedMessage, can: TemplateCapabilities): Json {
  if (toolCalls.length > 0 && can.nullContent && joinParts(content) === "") return null;
  const wantsParts = can.typedContent && (Array.isArray(content) || !can.stringContent);
  if (!wantsParts) return joinParts(content);
  const parts = Array.isArray(content) ? content : [content ?? ""];
  return parts.map((text) => ({ type: "text", text }));
}

function joinParts(content: CheckedMessage["content"]): string {
  return Array.isArray(content) ? content.join("\n") : (content ?? "");
}

function writeToolCall(call: CheckedToolCall, can: TemplateCapabilities, field: string): JsonObject {
  const { arguments: text } = call.function;
  // Models write nothing at all for a function without parameters.
  const given = typeof text === "string" && text.trim() === "" ? "{}" : text;
  let written = given;
  // Text is kept where the template takes it: the model then sees the very characters that it wrote.
  if (typeof given === "string" && can.objectArguments && !can.stringArguments) {
    written = parseArguments(given, `${field}.function.arguments`);
  } else if (typeof given !== "string" && can.stringArguments && !can.objectArguments) {
    written = JSON.stringify(given);
  }
  return { ...call, function: { ...call.function, arguments: written } };
}

/** Arguments as an object; what is none, as of a call that was cut off, stays the text that the model wrote. */
function parseArguments(text: string, field: string): Json {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return text;
  }
  return isPlainObject(parsed) ? copyJson(parsed, field) : text;
}

/** Text of system messages moves in front of the next user message, or becomes a user message at the end. */
function foldSystemMessages(messages: readonly CheckedMessage[]): CheckedMessage[] {
  const folded: CheckedMessage[] = [];
  let pending: string[] = [];
  for (const message of messages) {
    if (message.role === "system") {
      pending.push(joinParts(message.content));
    } else if (message.role === "user" && pending.length > 0) {
      folded.push({ ...message, content: [...pending, joinParts(message.content)].join("\n\n") });
      pending = [];
    } else {
      folded.push(message);
    }
  }
  const last = messages.at(-1);
  if (pending.length > 0 && last) {
    folded.push({ role: "user", content: pending.join("\n\n"), toolCalls: [], index: last.index, rest: {} });
  }
  return folded;
}
