import type { ChatFunctionTool, ChatMessage } from "../chat/types.ts";
import { type CheckedToolChoice, shownTools } from "./check-tools.ts";

export interface GenericPromptOptions {
  readonly choice: CheckedToolChoice;
  readonly parallel: "single" | "several";
}

/** Text for the system message of a model whose template knows no tools: the functions, and how to call them in plain JSON. */
export function genericToolPrompt(
  tools: readonly ChatFunctionTool[],
  { choice, parallel }: GenericPromptOptions,
): string {
  const functions = shownTools(tools).map(({ function: { name, description, parameters } }) =>
    JSON.stringify({ name, description, parameters }),
  );
  const lines = [
    "You can call these functions, one JSON object each:",
    ...functions,
    "",
    "To call a function, answer with this JSON and nothing else:",
    '{"name": "<function>", "arguments": {<arguments that fit its parameters>}}',
  ];
  if (parallel === "several") lines.push("For several calls at once write one such object per line.");
  lines.push("The results come in the next message. Then go on, or answer in plain words.");
  if (choice === "required") lines.push("This time you must call a function.");
  else if (typeof choice === "object") lines.push(`This time you must call ${choice.name}.`);
  else lines.push("Where no function helps, answer in plain words.");
  return lines.join("\n");
}

/**
 * Writes a chat for such a template: the prompt above goes into the system message, calls become the JSON that the model wrote, and
 * results a user's message. Without functions there is no prompt. The messages must have passed `checkToolHistory`.
 */
export function withGenericTools(
  messages: readonly ChatMessage[],
  tools: readonly ChatFunctionTool[],
  options: GenericPromptOptions,
): ChatMessage[] {
  const written: ChatMessage[] = [];
  const names = new Map<string, string>();
  // Templates want turns to alternate: neighbours from the same side become one message.
  let results: string[] = [];
  const flush = () => {
    if (results.length > 0) written.push({ role: "user", content: results.join("\n\n") });
    results = [];
  };
  for (const message of messages) {
    if (message.role === "tool") {
      const name = names.get(message.tool_call_id) ?? message.name;
      results.push(resultText(name, textOf(message.content)));
    } else if (message.role === "function") results.push(resultText(message.name, message.content ?? ""));
    else if (message.role === "user" && results.length > 0 && typeof message.content === "string") {
      results.push(message.content);
      flush();
    } else {
      flush();
      written.push(message.role === "assistant" ? withCallsAsText(message, names) : message);
    }
  }
  flush();
  return tools.length > 0 ? withSystemText(written, genericToolPrompt(tools, options)) : written;
}

function resultText(name: string | undefined, text: string): string {
  return `Result${name === undefined ? "" : ` of ${name}`}:\n${text}`;
}

function textOf(content: Extract<ChatMessage, { role: "tool" }>["content"]): string {
  return typeof content === "string" ? content : content.map((part) => part.text).join("\n");
}

/** @param names Gets the functions' names by the ids of their calls. */
function withCallsAsText(
  message: Extract<ChatMessage, { role: "assistant" }>,
  names: Map<string, string>,
): ChatMessage {
  const { tool_calls: calls, function_call: old, ...rest } = message;
  const texts = old ? [callText(old)] : [];
  for (const call of calls ?? []) {
    if (call.type !== "function") continue;
    names.set(call.id, call.function.name);
    texts.push(callText(call.function));
  }
  if (texts.length === 0) return message;
  const { content } = message;
  const parts =
    typeof content === "string"
      ? [content]
      : (content ?? []).map((part) => ("text" in part ? part.text : part.refusal));
  return { ...rest, content: [...parts.filter((text) => text !== ""), ...texts].join("\n") };
}

function callText({ name, arguments: given }: { name: string; arguments: string }): string {
  const text = typeof given === "string" ? given.trim() || "{}" : JSON.stringify(given);
  return `{"name": ${JSON.stringify(name)}, "arguments": ${text}}`;
}

function withSystemText(messages: readonly ChatMessage[], text: string): ChatMessage[] {
  const [first, ...rest] = messages;
  if (first?.role !== "system" && first?.role !== "developer")
    return [{ role: "system", content: text }, ...messages];
  const content =
    typeof first.content === "string"
      ? [first.content, text].filter((part) => part !== "").join("\n\n")
      : [...first.content, { type: "text" as const, text }];
  return [{ ...first, content }, ...rest];
}
