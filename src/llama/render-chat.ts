import type { ChatAssistantMessage, ChatTemplate, RenderOptions } from "../chat/index.ts";
import { checkToolHistory, withResultsInOrder } from "../tools/check-history.ts";
import { type CheckedTools, checkToolParams, shownTools } from "../tools/check-tools.ts";
import type { ToolFormat } from "../tools/format.ts";
import { withGenericTools } from "../tools/generic-prompt.ts";
import { withWrittenCalls } from "../tools/written-calls.ts";
import type { Vocab } from "../vocab.ts";
import { toolSpelling } from "./tool-spelling.ts";
import type { ChatCompletionParams } from "./types.ts";

/** A chat as the template writes it, and what it said of tools. */
export interface RenderedChat {
  readonly prompt: string;
  /** With several calls at once only where the template could write them again. */
  readonly tools: CheckedTools;
}

/** @throws RequestError naming the field, TemplateError. */
export function renderChat(template: ChatTemplate, params: ChatCompletionParams): RenderedChat {
  const options: RenderOptions = { now: new Date() };
  const checked = checkToolParams(params);
  checkToolHistory(params.messages);
  // All tools are shown whichever are allowed, so that the prompt's beginning stays the same.
  const shown = checked.choice === "none" ? [] : checked.tools;
  const spelling = toolSpelling(template, params.tool_format);
  const isGeneric =
    shown.length > 0 ? spelling.prompt === "generic" : needsGenericHistory(template, params.messages);
  const canSeveral = isGeneric || checked.callable.length === 0 || template.capabilities.parallelToolCalls;
  const tools: CheckedTools = { ...checked, parallel: canSeveral ? checked.parallel : "single" };
  const { choice } = tools;
  if (checked.tools.length > 0 && !isGeneric) {
    options.tools = shownTools(checked.tools);
    options.toolChoice = typeof choice === "object" ? { type: "function", function: choice } : choice;
  }
  const variables = variablesOf(params);
  if (Object.keys(variables).length > 0) options.chatTemplateKwargs = variables;
  if (params.add_generation_prompt === false) {
    options.addGenerationPrompt = false;
    options.continueFinalMessage = params.messages.at(-1)?.role === "assistant";
  }
  const messages = Array.isArray(params.messages) ? withResultsInOrder(params.messages) : params.messages;
  const written = isGeneric
    ? withGenericTools(messages, shown, tools)
    : withPlacedCalls(template, messages, spelling.format);
  return { prompt: template.render(written as never, options), tools };
}

/** The same as it is tokenised: a template that writes the BOS itself must not get a second one from the tokenizer. */
export function chatPrompt(vocab: Vocab, template: ChatTemplate, params: ChatCompletionParams): RenderedChat {
  const { prompt, tools } = renderChat(template, params);
  const hasBos = vocab.addBos && template.bosToken !== "" && prompt.startsWith(template.bosToken);
  return { prompt: hasBos ? prompt.slice(template.bosToken.length) : prompt, tools };
}

/** Messages whose calls have become content, where a template shows tools and has no place for calls. */
function withPlacedCalls(
  template: ChatTemplate,
  messages: ChatCompletionParams["messages"],
  format: ToolFormat,
): ChatCompletionParams["messages"] {
  const { tools, toolCalls } = template.capabilities;
  if (!tools || toolCalls || !Array.isArray(messages)) return messages;
  return withWrittenCalls(messages, format);
}

/** Whether the calls and results so far have no place in the template and become text of the messages. */
function needsGenericHistory(template: ChatTemplate, messages: ChatCompletionParams["messages"]): boolean {
  if (!Array.isArray(messages) || !messages.some(speaksOfTools)) return false;
  const { tools, toolCalls, toolResults } = template.capabilities;
  return !tools && !(toolCalls && toolResults);
}

function speaksOfTools(message: unknown): boolean {
  const { role, tool_calls: calls, function_call: old } = (message ?? {}) as Partial<ChatAssistantMessage>;
  return ["tool", "function"].includes(role as string) || (calls?.length ?? 0) > 0 || old != null;
}

/** What the template is told beside the messages. */
function variablesOf({
  reasoning_effort: effort,
  chat_template_kwargs: given,
}: ChatCompletionParams): Record<string, unknown> {
  if (effort == null) return given ?? {};
  // Templates know no such effort, but most of those that can leave the thought out know this.
  const told = effort === "none" ? { enable_thinking: false } : { reasoning_effort: effort };
  return { ...given, ...told };
}
