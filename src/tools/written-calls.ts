import type { ChatMessage } from "../chat/types.ts";
import type { CallForm, NotationStep, ObjectStep, ParametersStep, Step, ToolFormat } from "./format.ts";

interface WrittenCall {
  readonly name: string;
  /** JSON text; nothing at all counts as `{}`. */
  readonly arguments: string;
  readonly id?: string | undefined;
}

/**
 * Puts earlier calls into the content, as the model wrote them: for templates that show tools and have no place for calls, since
 * they were made for clients that keep an answer as it came. The messages must have passed `checkToolHistory`.
 */
export function withWrittenCalls(messages: readonly ChatMessage[], format: ToolFormat): ChatMessage[] {
  return messages.map((message) => {
    if (message.role !== "assistant") return message;
    const { tool_calls: calls, function_call: old, ...rest } = message;
    const written: WrittenCall[] = old ? [old] : [];
    for (const call of calls ?? [])
      if (call.type === "function") written.push({ ...call.function, id: call.id });
    if (written.length === 0) return message;
    const text = writeCalls(format, written);
    const { content } = message;
    if (Array.isArray(content)) return { ...rest, content: [...content, { type: "text" as const, text }] };
    return { ...rest, content: content ? `${content}\n${text}` : text };
  });
}

/** The text of calls, as a model of this family writes them; formats of channels have none. */
export function writeCalls(format: ToolFormat, calls: readonly WrittenCall[]): string {
  const [form] = format.calls;
  if (!form) return "";
  const texts = calls.map((call, index) => form.call.map((step) => writeStep(step, call, index)).join(""));
  const { between } = form;
  return between === undefined
    ? texts.map((text) => enclosed(form, text)).join("\n")
    : enclosed(form, texts.join(between));
}

function enclosed({ open = [], close = [] }: CallForm, text: string): string {
  return open.join("") + text + close.join("");
}

function writeStep(step: Step, call: WrittenCall, index: number): string {
  if (typeof step === "string") return step;
  switch (step.step) {
    case "name":
      return call.name;
    case "id":
      return call.id !== undefined && /^[a-zA-Z0-9_-]+$/.test(call.id)
        ? step.open + call.id + step.close
        : step.close;
    case "json":
      return jsonOf(call);
    case "object":
      return writeObject(step, call, index);
    case "parameters":
      return writeParameters(step, argumentsOf(call));
    case "notation":
      return writeNotation(step, argumentsOf(call));
  }
}

function jsonOf({ arguments: given }: WrittenCall): string {
  return typeof given === "string" ? given.trim() || "{}" : JSON.stringify(given);
}

function argumentsOf(call: WrittenCall): [key: string, value: unknown][] {
  return Object.entries(JSON.parse(jsonOf(call)));
}

function writeObject(step: ObjectStep, call: WrittenCall, index: number): string {
  const members: [key: string | undefined, value: string][] = [
    [step.counter, JSON.stringify(String(index))],
    [step.name[0], JSON.stringify(call.name)],
    [step.arguments[0], jsonOf(call)],
    [call.id === undefined ? undefined : step.id, JSON.stringify(call.id)],
  ];
  const written = members.filter(([key]) => key !== undefined);
  return `{${written.map(([key, value]) => `${JSON.stringify(key)}: ${value}`).join(", ")}}`;
}

function writeParameters(step: ParametersStep, given: readonly [key: string, value: unknown][]): string {
  const { open, middle, typed, close, end } = step;
  const parameters = given.map(([key, value]) => {
    const isText = typeof value === "string";
    const type = (isText ? typed?.string : typed?.other) ?? "";
    return open + key + middle.join("") + type + (isText ? value : JSON.stringify(value)) + close;
  });
  return parameters.join("") + end;
}

function writeNotation(step: NotationStep, given: readonly [key: string, value: unknown][]): string {
  const { open, assign, strings } = step;
  const isPython = strings === "quotes";
  const separator = isPython ? ", " : ",";
  const value = (item: unknown): string => {
    if (typeof item === "string")
      return isPython ? JSON.stringify(item) : strings.marker + item + strings.marker;
    if (Array.isArray(item)) return `[${item.map(value).join(separator)}]`;
    if (typeof item === "object" && item !== null) {
      const members = Object.entries(item).map(([key, member]) =>
        isPython ? `${JSON.stringify(key)}: ${value(member)}` : `${key}:${value(member)}`,
      );
      return `{${members.join(separator)}}`;
    }
    if (!isPython || typeof item === "number") return JSON.stringify(item);
    return item === null ? "None" : item ? "True" : "False";
  };
  const items = given.map(([key, item]) => key + assign + value(item));
  return open + items.join(separator) + (open === "(" ? ")" : "}");
}
