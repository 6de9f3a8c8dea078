import { ContentCache } from "../../lib/content-cache.ts";
import { RequestError } from "../../lib/errors.ts";
import type { ChatFunctionTool, ChatTemplate, ChatTool, ChatToolChoice } from "../chat/index.ts";
import { Grammar } from "../grammar.ts";
import { JsonSchemaError, schemaToGrammar } from "../json-schema/index.ts";
import { AnswerParser } from "../tools/answer-parser.ts";
import type { ToolFormat } from "../tools/format.ts";
import { chooseFormat } from "../tools/formats/index.ts";
import { literal, untilRules } from "../tools/gbnf.ts";
import { type ToolGrammarOptions, toolGrammar } from "../tools/tool-grammar.ts";
import type { Vocab } from "../vocab.ts";
import { grammarOf } from "./response-format.ts";
import { shownTokens } from "./shown-tokens.ts";
import type { ChatCompletionParams, GenerationParams } from "./types.ts";

/** Characters of the tools whose grammars are kept. */
const knownCharacters = 1 << 22;
const known = new ContentCache<{ grammar: Grammar; triggers: readonly string[] }>(knownCharacters);

/** What a prompt leaves of a thought: nothing, an open one, or that there may be one. */
type Thinking = NonNullable<ToolGrammarOptions["thinking"]>;

/** How an answer to a chat is to be written, and read. */
export interface AnswerPlan {
  /** What says how to sample: the grammar of the answer in place of its shape. */
  readonly shape: Pick<GenerationParams, "grammar" | "grammar_triggers" | "json_schema" | "response_format">;
  /** Control tokens that show in the text. */
  readonly special: ReadonlySet<number> | undefined;
  /** A parser of an answer; undefined where an answer is nothing but content. */
  readonly parser: (() => AnswerParser) | undefined;
}

/** Tools that may be called, of those that a request has. @throws RequestError for those that are no functions. */
function callable(params: ChatCompletionParams): readonly ChatFunctionTool[] {
  if (params.tool_choice === "none") return [];
  return (params.tools ?? []).map((tool: ChatTool, index) => {
    if (tool.type === "function") return tool;
    throw new RequestError(`tools[${index}].type must be "function"`, `tools[${index}].type`);
  });
}

/** @param prompt as the template has written it. @throws RequestError naming the field. */
export function planAnswer(
  vocab: Vocab,
  template: ChatTemplate,
  prompt: string,
  params: ChatCompletionParams,
): AnswerPlan {
  const format = chooseFormat(template.source, params.tool_format ?? undefined);
  const tools = callable(params);
  const thinking = thinkingOf(format, template, prompt);
  const plain = shapeOf(format, params, thinking);
  const reads = tools.length > 0 || thinking !== "none";
  return {
    shape: tools.length > 0 ? toolShape(format, tools, params, thinking) : plain,
    special: reads ? shownTokens(vocab, format) : undefined,
    parser: reads
      ? () =>
          new AnswerParser(format, {
            tools,
            thinking: thinking === "forced-open" ? "forced-open" : "none",
            reasoningFormat: params.reasoning_format ?? "auto",
          })
      : undefined,
  };
}

function thinkingOf({ thought, channels }: ToolFormat, template: ChatTemplate, prompt: string): Thinking {
  if (channels) return "allowed";
  if (!thought || !template.source.includes(thought.open)) return "none";
  const end = prompt.trimEnd();
  if (end.endsWith(thought.open.trim())) return "forced-open";
  // Templates write an empty thought where there is to be none.
  return end.endsWith(thought.close.trim()) ? "none" : "allowed";
}

/** The shape of an answer, which holds for what comes behind a thought. */
function shapeOf(
  { thought, channels }: ToolFormat,
  params: ChatCompletionParams,
  thinking: Thinking,
): AnswerPlan["shape"] {
  const grammar = grammarOf(params);
  const shape = { grammar, json_schema: undefined, response_format: undefined };
  if (!grammar || thinking === "none" || !thought || channels) return shape;
  const { open, close, next } = thought;
  const behind = next === undefined ? '"\\n"{0,2}' : literal(next);
  const before = thinking === "allowed" ? `(${literal(open)} thought ${behind})?` : `thought ${behind}`;
  const source = `thought-answer ::= ${before} ${grammar.root}\n${untilRules("thought", close)}\n${grammar.source}`;
  return { ...shape, grammar: Grammar.of(source, { root: "thought-answer" }) };
}

function toolShape(
  format: ToolFormat,
  tools: readonly ChatFunctionTool[],
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
  const { choice, allowed } = chosenTools(params.tool_choice, tools);
  const parallel = params.parallel_tool_calls === false ? "single" : "several";
  const options = { choice, parallel, ...(choice !== "auto" && { thinking }) } as const;
  const made = known.get(JSON.stringify([format.name, options, allowed]), () => {
    const { source, triggers } = toolGrammar(format, allowed, options, (schema, root) =>
      argumentRules(tools, schema, root),
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
function argumentRules(tools: readonly ChatFunctionTool[], schema: unknown, root: string): string {
  // The rules of tool 3 are named after it.
  const index = Number(/[0-9]+/.exec(root)?.[0] ?? 0);
  // Like OpenAI, which follows a schema to the letter where it is asked to.
  const mode = tools[index]?.function.strict ? "strict" : "lenient";
  try {
    return schemaToGrammar(schema, { root, mode, additionalProperties: "refused" }).source;
  } catch (error) {
    if (!(error instanceof JsonSchemaError)) throw error;
    const field = `tools[${index}].function.parameters`;
    throw new RequestError(`${field}: ${error.message}`, field, { cause: error });
  }
}

/** Who may be called, and whether somebody must. */
function chosenTools(
  choice: ChatToolChoice | null | undefined,
  tools: readonly ChatFunctionTool[],
): { choice: ToolGrammarOptions["choice"]; allowed: readonly ChatFunctionTool[] } {
  if (choice == null || choice === "auto" || choice === "none") return { choice: "auto", allowed: tools };
  if (choice === "required") return { choice, allowed: tools };
  if (choice.type === "custom")
    throw new RequestError('tool_choice.type must be "function" or "allowed_tools"', "tool_choice.type");
  if (choice.type === "function") return { choice: { name: choice.function.name }, allowed: tools };
  const names = choice.allowed_tools.tools.map(
    (tool) => (tool.function as { name?: unknown } | undefined)?.name,
  );
  const unknown = names.find((name) => !tools.some((tool) => tool.function.name === name));
  if (unknown !== undefined)
    throw new RequestError(
      `tool_choice.allowed_tools names ${JSON.stringify(unknown)}, which is no tool`,
      "tool_choice",
    );
  return {
    choice: choice.allowed_tools.mode,
    allowed: tools.filter((tool) => names.includes(tool.function.name)),
  };
}
