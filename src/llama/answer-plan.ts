import { ContentCache } from "../../lib/content-cache.ts";
import { RequestError } from "../../lib/errors.ts";
import type { ChatFunctionTool, ChatTemplate } from "../chat/index.ts";
import type { ThoughtLimit } from "../engine/thought-budget.ts";
import { Grammar } from "../grammar.ts";
import { JsonSchemaError, schemaToGrammar } from "../json-schema/index.ts";
import { AnswerParser } from "../tools/answer-parser.ts";
import { type CheckedTools, checkToolParams } from "../tools/check-tools.ts";
import type { ToolFormat } from "../tools/format.ts";
import { chooseFormat } from "../tools/formats/index.ts";
import { opensThought, thoughtEnd } from "../tools/thinking.ts";
import { type ToolGrammarOptions, thoughtRules, toolGrammar } from "../tools/tool-grammar.ts";
import type { Vocab } from "../vocab.ts";
import { grammarOf } from "./response-format.ts";
import { shownTokens } from "./shown-tokens.ts";
import { toolSpelling } from "./tool-spelling.ts";
import type { ChatCompletionParams, GenerationParams } from "./types.ts";

/** Characters of the tools whose grammars are kept. */
const knownCharacters = 1 << 19;
const known = new ContentCache<{ grammar: Grammar; triggers: readonly string[] }>(knownCharacters);

/** What a prompt leaves of a thought: nothing, an open one, or that there may be one. */
type Thinking = NonNullable<ToolGrammarOptions["thinking"]>;

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

/** @param prompt as the template has written it. @throws RequestError naming the field. */
export function planAnswer(
  vocab: Vocab,
  template: ChatTemplate,
  prompt: string,
  params: ChatCompletionParams,
): AnswerPlan {
  const checked = checkToolParams(params);
  const { callable } = checked;
  const format =
    callable.length > 0
      ? toolSpelling(template, params.tool_format).format
      : chooseFormat(template.source, params.tool_format ?? undefined);
  const thinking = thinkingOf(format, template, prompt);
  const reads = callable.length > 0 || thinking !== "none";
  return {
    shape:
      callable.length > 0 ? toolShape(format, checked, params, thinking) : shapeOf(format, params, thinking),
    spelling: checked.spelling,
    thought: thoughtLimit(vocab, format, thinking, params),
    special: reads ? shownTokens(vocab, format) : undefined,
    parser: reads
      ? () =>
          new AnswerParser(format, {
            tools: callable,
            thinking: thinking === "forced-open" ? "forced-open" : "none",
            reasoningFormat: params.reasoning_format ?? "auto",
          })
      : undefined,
  };
}

/** @throws RequestError for a budget that is none, or for a caller who samples. */
function thoughtLimit(
  vocab: Vocab,
  format: ToolFormat,
  thinking: Thinking,
  params: ChatCompletionParams,
): ThoughtLimit | undefined {
  const { reasoning_budget_tokens: tokens, reasoning_budget_message: message } = params;
  const field = "reasoning_budget_tokens";
  if (tokens == null || tokens === -1) return undefined;
  if (!Number.isInteger(tokens) || tokens < 0)
    throw new RequestError(`${field} must be an integer from 0 on, or -1 for no limit, got ${tokens}`, field);
  const end = thoughtEnd(format);
  if (thinking === "none" || !format.thought || end === undefined) return undefined;
  if (params.logits_processors !== undefined || params.stopping_criteria !== undefined)
    throw new RequestError(`${field} does not go together with functions that sample`, field);
  return {
    tokens,
    open: thinking === "forced-open" ? "" : format.thought.open.trim(),
    close: format.thought.close.trim(),
    end: Array.from(vocab.tokenize((message ?? "") + end, { addSpecial: false, parseSpecial: true })),
  };
}

function thinkingOf(format: ToolFormat, template: ChatTemplate, prompt: string): Thinking {
  const { thought, channels } = format;
  if (channels) return "allowed";
  if (!thought) return "none";
  if (opensThought(format, prompt)) return "forced-open";
  // Its line end is written as `\\n` there.
  if (!template.source.includes(thought.open.trim())) return "none";
  // Templates write an empty thought where there is to be none.
  return prompt.trimEnd().endsWith(thought.close.trim()) ? "none" : "allowed";
}

/** The shape of an answer, which holds for what comes behind a thought. */
function shapeOf(format: ToolFormat, params: ChatCompletionParams, thinking: Thinking): AnswerPlan["shape"] {
  const grammar = grammarOf(params);
  const shape = { grammar, json_schema: undefined, response_format: undefined };
  const rules = format.channels ? [] : thoughtRules(format, thinking);
  if (!grammar || rules.length === 0) return shape;
  const source = [`thought-answer ::= thought ${grammar.root}`, ...rules, grammar.source].join("\n");
  return { ...shape, grammar: Grammar.of(source, { root: "thought-answer" }) };
}

function toolShape(
  format: ToolFormat,
  { tools, callable, choice, parallel }: CheckedTools,
  params: ChatCompletionParams,
  thinking: Thinking,
): AnswerPlan["shape"] {
  for (const field of ["grammar", "json_schema", "response_format"] as const) {
    const value = params[field];
    if (
      value == null ||
      value === "" ||
      (typeof value === "object" && "type" in value && value.type === "text")
    )
      continue;
    throw new RequestError(`give ${field} or tools, not both: a call has a shape of its own`, field);
  }
  if (choice === "none") throw new TypeError("nothing may be called");
  const options = { choice, parallel, ...(choice !== "auto" && { thinking }) } as const;
  const made = known.get(JSON.stringify([format.name, options, callable]), () => {
    const { source, triggers } = toolGrammar(format, callable, options, (schema, root) =>
      argumentRules(callable, tools, schema, root),
    );
    return { grammar: Grammar.of(source), triggers };
  });
  return {
    grammar: made.grammar,
    grammar_triggers: made.triggers.length > 0 ? made.triggers : undefined,
    json_schema: undefined,
    response_format: undefined,
  };
}

/** Rules of a tool's arguments, or of one of them. */
function argumentRules(
  callable: readonly ChatFunctionTool[],
  tools: readonly ChatFunctionTool[],
  schema: unknown,
  root: string,
): string {
  // The rules of a function are named after its number.
  const called = callable[Number(/[0-9]+/.exec(root)?.[0] ?? 0)]!;
  const index = tools.indexOf(called);
  // Like OpenAI, which follows a schema to the letter where it is asked to.
  const mode = called.function.strict ? "strict" : "lenient";
  try {
    return schemaToGrammar(schema, { root, mode, additionalProperties: "refused" }).source;
  } catch (error) {
    if (!(error instanceof JsonSchemaError)) throw error;
    const field = `tools[${index}].function.parameters`;
    throw new RequestError(`${field}: ${error.message}`, field, { cause: error });
  }
}
