import { RequestError } from "../../lib/errors.ts";
import { copyJson, describe, isPlainObject, refuse } from "./json-copy.ts";
import type { ChatRole, Json } from "./types.ts";

type JsonObject = { [key: string]: Json };

export interface CheckedToolCall extends JsonObject {
  function: JsonObject & { name: string; arguments: Json };
}

/**
 * A message after checking: `function` messages have become `tool`, `function_call` one entry of `tool_calls`,
 * and content parts plain strings, one per part. Further fields are kept for the template.
 */
export interface CheckedMessage {
  role: Exclude<ChatRole, "function">;
  content: string | string[] | null;
  toolCalls: CheckedToolCall[];
  /** Position in the request, for errors. */
  index: number;
  rest: JsonObject;
}

const ROLES: readonly string[] = ["system", "developer", "user", "assistant", "tool", "function"];
const OWN_FIELDS: ReadonlySet<string> = new Set(["role", "content", "tool_calls", "function_call"]);

function requireString(value: unknown, field: string): string {
  return typeof value === "string" ? value : refuse(field, value, "a string");
}

function requireName(value: unknown, field: string): string {
  return requireString(value, field) || refuse(field, value, "a string that is not empty");
}

/** @throws RequestError whose `field` is the path of the first wrong value, such as `messages[2].role`. */
export function checkMessages(messages: unknown): CheckedMessage[] {
  if (!Array.isArray(messages) || messages.length === 0) {
    const shown = Array.isArray(messages) ? "empty" : describe(messages);
    throw new RequestError(`messages is ${shown}; pass an array of at least one message`, "messages");
  }
  return messages.map(checkMessage);
}

function checkMessage(message: unknown, index: number): CheckedMessage {
  const field = `messages[${index}]`;
  if (!isPlainObject(message)) refuse(field, message, "an object with role and content");
  const { role } = message;
  if (typeof role !== "string" || !ROLES.includes(role)) {
    refuse(`${field}.role`, role, ROLES.map((name) => `"${name}"`).join(", "));
  }
  const rest: JsonObject = Object.create(null);
  for (const [key, value] of Object.entries(message)) {
    // Clients write null for what is not there, and templates would print it.
    if (!OWN_FIELDS.has(key) && value !== undefined && value !== null)
      rest[key] = copyJson(value, `${field}.${key}`);
  }
  for (const key of ["name", "tool_call_id"]) {
    if (rest[key] !== undefined) requireString(rest[key], `${field}.${key}`);
  }
  return {
    role: role === "function" ? "tool" : (role as CheckedMessage["role"]),
    content: checkContent(message.content, role, `${field}.content`),
    toolCalls: checkToolCalls(message, role, field),
    index,
    rest,
  };
}

function checkContent(content: unknown, role: string, field: string): string | string[] | null {
  if (typeof content === "string") return content;
  const isOptional = role === "assistant" || role === "function";
  if (isOptional && (content === null || content === undefined)) return null;
  if (!Array.isArray(content)) {
    refuse(field, content, `a string or an array of text parts${isOptional ? " or null" : ""}`);
  }
  return content.map((part, index) => {
    const at = `${field}[${index}]`;
    if (!isPlainObject(part)) refuse(at, part, '{ type: "text", text: string }');
    if (part.type === "text") return requireString(part.text, `${at}.text`);
    if (part.type === "refusal" && role === "assistant") return requireString(part.refusal, `${at}.refusal`);
    return refuse(`${at}.type`, part.type, role === "assistant" ? '"text", "refusal"' : '"text"');
  });
}

function checkToolCalls(message: Record<string, unknown>, role: string, field: string): CheckedToolCall[] {
  const { tool_calls: calls, function_call: legacy } = message;
  const checked: CheckedToolCall[] = [];
  if (calls !== undefined && calls !== null) {
    if (!Array.isArray(calls)) refuse(`${field}.tool_calls`, calls, "an array");
    calls.forEach((call, index) => {
      checked.push(checkToolCall(call, `${field}.tool_calls[${index}]`));
    });
  }
  if (legacy !== undefined && legacy !== null) {
    checked.push({ type: "function", function: checkFunctionCall(legacy, `${field}.function_call`) });
  }
  if (checked.length > 0 && role !== "assistant") {
    const at = `${field}.tool_calls`;
    throw new RequestError(`${at} stands in a message of role "${role}"; allowed: role "assistant" only`, at);
  }
  return checked;
}

function checkToolCall(call: unknown, field: string): CheckedToolCall {
  if (!isPlainObject(call)) refuse(field, call, "an object with id, type and function");
  if (call.type !== undefined && call.type !== "function") refuse(`${field}.type`, call.type, '"function"');
  if (call.id !== undefined) requireString(call.id, `${field}.id`);
  const copy = copyJson({ ...call, type: "function", function: null }, field) as JsonObject;
  return Object.assign(copy, { function: checkFunctionCall(call.function, `${field}.function`) });
}

function checkFunctionCall(call: unknown, field: string): CheckedToolCall["function"] {
  if (!isPlainObject(call)) refuse(field, call, "an object with name and arguments");
  const name = requireName(call.name, `${field}.name`);
  const given = call.arguments;
  if (typeof given !== "string" && !isPlainObject(given)) {
    refuse(`${field}.arguments`, given, "a string of JSON, or an object");
  }
  const copy = copyJson(call, field) as JsonObject;
  return Object.assign(copy, { name, arguments: copyJson(given, `${field}.arguments`) });
}

/** @throws RequestError when a tool is not a function tool with a name. */
export function checkTools(tools: unknown): JsonObject[] {
  if (tools === undefined || tools === null) return [];
  if (!Array.isArray(tools)) refuse("tools", tools, "an array of function tools");
  return tools.map((tool, index) => {
    const field = `tools[${index}]`;
    if (!isPlainObject(tool)) refuse(field, tool, '{ type: "function", function: { name, … } }');
    if (tool.type !== "function") refuse(`${field}.type`, tool.type, '"function"');
    if (!isPlainObject(tool.function)) refuse(`${field}.function`, tool.function, "an object with a name");
    requireName(tool.function.name, `${field}.function.name`);
    const { description, parameters } = tool.function;
    if (description !== undefined) requireString(description, `${field}.function.description`);
    if (parameters !== undefined && !isPlainObject(parameters)) {
      refuse(`${field}.function.parameters`, parameters, "a JSON schema object");
    }
    return copyJson(tool, field) as JsonObject;
  });
}

/** @throws RequestError for an unknown mode, and for a function that is not among the tools. */
export function checkToolChoice(choice: unknown, tools: readonly JsonObject[]): Json | undefined {
  if (choice === undefined || choice === null) return undefined;
  if (choice === "none" || choice === "auto") return choice;
  const names = tools.map((tool) => (tool.function as JsonObject).name as string);
  if (choice === "required") {
    if (names.length > 0) return choice;
    throw new RequestError(
      'tool_choice is "required" but there are no tools; add tools or use "auto"',
      "tool_choice",
    );
  }
  if (!isPlainObject(choice) || choice.type !== "function" || !isPlainObject(choice.function)) {
    refuse("tool_choice", choice, '"none", "auto", "required", { type: "function", function: { name } }');
  }
  const { name } = choice.function;
  if (typeof name !== "string" || !names.includes(name)) {
    refuse(
      "tool_choice.function.name",
      name,
      `the name of one of the tools (${names.join(", ") || "there are none"})`,
    );
  }
  return copyJson(choice, "tool_choice");
}
