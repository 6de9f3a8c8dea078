import { RequestError, TemplateError } from "../../lib/errors.ts";
import type { ChatFunctionTool, ChatMessage, ChatTemplate } from "../chat/index.ts";
import { AnswerParser } from "../tools/answer-parser.ts";
import type { ToolFormat } from "../tools/format.ts";
import { chooseFormat } from "../tools/formats/index.ts";
import { plainJson } from "../tools/formats/plain-json.ts";

/** How a chat's tools are told to the model and how its calls are read. */
export interface ToolSpelling {
  /** `"own"`: by the model's template; `"generic"`: by a prompt of ours that asks for plain JSON. */
  readonly prompt: "own" | "generic";
  readonly format: ToolFormat;
}

const known = new WeakMap<ChatTemplate, ToolSpelling>();

/**
 * The template's own way, where it has a place for tools and its calls can be read; else the generic one: a model whose calls are of
 * a family that nobody here knows answers in JSON when it is asked to.
 *
 * @param name Chooses the format; the template's place for tools then decides about the prompt.
 * @throws RequestError for an unknown name.
 */
export function toolSpelling(template: ChatTemplate, name?: string | null): ToolSpelling {
  if (name != null) {
    return { prompt: template.capabilities.tools ? "own" : "generic", format: chooseFormat("", name) };
  }
  let spelling = known.get(template);
  if (!spelling) {
    const format = chooseFormat(template.source);
    const isOwn = template.capabilities.tools && (format !== plainJson || readsOwnCalls(template));
    spelling = isOwn ? { prompt: "own", format } : { prompt: "generic", format: plainJson };
    known.set(template, spelling);
  }
  return spelling;
}

const tool: ChatFunctionTool = {
  type: "function",
  function: {
    name: "look_up",
    parameters: { type: "object", properties: { key: { type: "string" } }, required: ["key"] },
  },
};
const given = { key: "a b" };

/** Whether a call that the template writes reads as that call in plain JSON. */
function readsOwnCalls(template: ChatTemplate): boolean {
  const user: ChatMessage = { role: "user", content: "u" };
  const call: ChatMessage = {
    role: "assistant",
    content: null,
    // Some templates insist on ids of nine letters and digits.
    tool_calls: [
      { id: "abcdef123", type: "function", function: { name: "look_up", arguments: JSON.stringify(given) } },
    ],
  };
  try {
    const prompt = template.render([user], { tools: [tool] });
    const whole = template.render([user, call], { tools: [tool], addGenerationPrompt: false });
    if (!whole.startsWith(prompt)) return false;
    const parser = new AnswerParser(plainJson, { tools: [tool] });
    parser.push(whole.slice(prompt.length));
    parser.end("stop");
    const [read, ...others] = parser.message.toolCalls;
    return others.length === 0 && read?.name === "look_up" && JSON.parse(read.arguments).key === given.key;
  } catch (error) {
    if (error instanceof TemplateError || error instanceof RequestError) return false;
    throw error;
  }
}
