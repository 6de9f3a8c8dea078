import { RequestError } from "../../lib/errors.ts";
import type { ChatTemplate } from "../chat/index.ts";
import type { ThoughtLimit } from "../engine/thought-budget.ts";
import { Grammar } from "../grammar.ts";
import type { Thinking } from "../tools/answer-grammar.ts";
import { AnswerParser, type AnswerParserOptions, type ReasoningFormat } from "../tools/answer-parser.ts";
import type { CheckedTools } from "../tools/check-tools.ts";
import type { ToolFormat } from "../tools/format.ts";
import { chooseFormat } from "../tools/formats/index.ts";
import { opensThought, thoughtEnd } from "../tools/thinking.ts";
import type { Vocab } from "../vocab.ts";
import type { RenderedChat } from "./render-chat.ts";
import { shapeQuestion, zodSchemaOf } from "./response-format.ts";
import type { ShapeQuestion } from "./shape-question.ts";
import { grammarSoon } from "./shapes.ts";
import { shownTokens } from "./shown-tokens.ts";
import { toolSpelling } from "./tool-spelling.ts";
import type { ChatCompletionParams, GenerationParams } from "./types.ts";

const reasoningFormats: readonly ReasoningFormat[] = ["none", "auto", "deepseek", "deepseek-legacy"];

/** How an answer to a chat is to be written, and read. */
export interface AnswerPlan {
  /** What says how to sample: the grammar of the answer in place of its shape. */
  readonly shape: Pick<GenerationParams, "grammar" | "grammar_triggers" | "json_schema" | "response_format">;
  /** Control tokens that show in the text. */
  readonly special: ReadonlySet<number> | undefined;
  /** How long the model may think; undefined for any time. */
  readonly thought: ThoughtLimit | undefined;
  /** Which way of asking for calls was used. */
  readonly spelling: CheckedTools["spelling"];
  /** A parser of an answer; undefined where an answer is nothing but content. */
  readonly parser: (() => AnswerParser) | undefined;
}

/** @throws RequestError naming the field, GrammarError. */
export async function planAnswer(
  vocab: Vocab,
  template: ChatTemplate,
  { prompt, tools }: RenderedChat,
  params: ChatCompletionParams,
): Promise<AnswerPlan> {
  const { callable, choice } = tools;
  const format =
    callable.length > 0
      ? toolSpelling(template, params.tool_format).format
      : chooseFormat(template.source, params.tool_format ?? undefined);
  const thinking = thinkingOf(format, template, prompt, params);
  const place = params.reasoning_format ?? "auto";
  if (!reasoningFormats.includes(place))
    throw new RequestError(
      `reasoning_format must be one of ${reasoningFormats.join(", ")}, got ${JSON.stringify(place)}`,
      "reasoning_format",
    );
  if (zodSchemaOf(params) && thinking !== "none" && (place === "none" || place === "deepseek-legacy"))
    throw new RequestError(
      `reasoning_format ${place} puts thoughts into the content, which a zod schema cannot parse then; use auto, or a JSON schema`,
      "reasoning_format",
    );
  const question =
    callable.length > 0
      ? toolsQuestion(format, tools, params, thinking)
      : textQuestion(format, params, thinking);
  // One that the caller has made is not made again.
  const isMade = question?.kind === "source" && params.grammar instanceof Grammar;
  const grammar = isMade ? params.grammar : question && (await grammarSoon(question));
  const reads = callable.length > 0 || thinking !== "none" || format.channels !== undefined;
  const options: AnswerParserOptions = {
    tools: callable,
    thinking: thinking === "forced-open" ? "forced-open" : "none",
    calls:
      choice === "auto" && question?.kind === "answer" && question.shape ? "instead-of-content" : "anywhere",
    reasoningFormat: place,
  };
  return {
    shape: { grammar, grammar_triggers: undefined, json_schema: undefined, response_format: undefined },
    spelling: tools.spelling,
    thought: thoughtLimit(vocab, format, { thinking, callable }, params),
    special: reads ? shownTokens(vocab, format) : undefined,
    parser: reads ? () => new AnswerParser(format, options) : undefined,
  };
}

/** @throws RequestError for a budget that is none, or for a caller who samples. */
function thoughtLimit(
  vocab: Vocab,
  format: ToolFormat,
  { thinking, callable }: { thinking: Thinking; callable: readonly unknown[] },
  params: ChatCompletionParams,
): ThoughtLimit | undefined {
  const { reasoning_budget_tokens: tokens, reasoning_budget_message: message } = params;
  const field = "reasoning_budget_tokens";
  if (tokens == null || tokens === -1) return undefined;
  if (!Number.isInteger(tokens) || tokens < 0)
    throw new RequestError(`${field} must be an integer from 0 on, or -1 for no limit, got ${tokens}`, field);
  const end = thoughtEnd(format, callable.length > 0 ? "anything" : "content");
  if (thinking === "none" || !format.thought || end === undefined) return undefined;
  if (params.logits_processors !== undefined || params.stopping_criteria !== undefined)
    throw new RequestError(`${field} does not go together with functions that sample`, field);
  return {
    tokens,
    open: format.thought.open.trim(),
    begun: thinking === "forced-open",
    repeats: format.channels !== undefined,
    close: format.thought.close.trim(),
    end: Array.from(vocab.tokenize((message ?? "") + end, { addSpecial: false, parseSpecial: true })),
  };
}

function thinkingOf(
  format: ToolFormat,
  template: ChatTemplate,
  prompt: string,
  params: ChatCompletionParams,
): Thinking {
  const { thought, channels } = format;
  if (!thought) return "none";
  if (opensThought(format, prompt)) return "forced-open";
  // Its line end is written as `\\n` there.
  if (!channels && !template.source.includes(thought.open.trim())) return "none";
  if (goesOn(params)) {
    const { content } = params.messages.at(-1)!;
    const isWithin =
      typeof content === "string" && content.lastIndexOf(thought.open) > content.lastIndexOf(thought.close);
    return isWithin ? "forced-open" : "none";
  }
  if (channels) return "allowed";
  // Templates write an empty thought where there is to be none.
  return prompt.trimEnd().endsWith(thought.close.trim()) ? "none" : "allowed";
}

/** Whether the answer goes on with the last message. */
function goesOn({ add_generation_prompt: begins, messages }: ChatCompletionParams): boolean {
  return begins === false && messages.at(-1)?.role === "assistant";
}

/** The shape of content, which holds for what comes behind a thought. */
function textQuestion(
  format: ToolFormat,
  params: ChatCompletionParams,
  thinking: Thinking,
): ShapeQuestion | undefined {
  const shape = shapeQuestion(params);
  if (!shape) return undefined;
  const triggers = params.grammar_triggers?.length ? params.grammar_triggers : undefined;
  // What goes on with a message has its header already.
  const isBegun = goesOn(params);
  if (thinking === "none" && !triggers && (isBegun || !format.channels) && !format.wrapper) return shape;
  const part = triggers ? { calls: shape, triggers } : { shape };
  return { kind: "answer", format: format.name, isBegun, thinking, ...part };
}

/** Calls where there may or must be some; where there may, content of the shape, or any. */
function toolsQuestion(
  format: ToolFormat,
  { tools, callable, choice, parallel }: CheckedTools,
  params: ChatCompletionParams,
  thinking: Thinking,
): ShapeQuestion {
  if (params.grammar != null && params.grammar !== "")
    throw new RequestError(
      "give grammar or tools, not both: a call has a grammar of its own; a shape beside tools can be given as response_format",
      "grammar",
    );
  if (choice === "none") throw new TypeError("nothing may be called");
  return {
    kind: "answer",
    format: format.name,
    isBegun: false,
    thinking,
    shape: shapeQuestion(params),
    tools: { callable, choice, parallel, indices: callable.map((tool) => tools.indexOf(tool)) },
  };
}
