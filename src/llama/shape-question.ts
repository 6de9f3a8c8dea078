import { RequestError } from "../../lib/errors.ts";
import type { ChatFunctionTool } from "../chat/index.ts";
import { Grammar } from "../grammar.ts";
import { JsonSchemaError, schemaToGrammar } from "../json-schema/index.ts";
import { answerGrammar, type Thinking } from "../tools/answer-grammar.ts";
import type { CheckedTools } from "../tools/check-tools.ts";
import type { ToolFormat } from "../tools/format.ts";
import { toolFormats } from "../tools/formats/index.ts";
import { toolGrammar } from "../tools/tool-grammar.ts";

/** What is to become a grammar, as plain data. */
export type ShapeQuestion = SourceQuestion | SchemaQuestion | AnswerQuestion;

/** GBNF as it was given. */
export interface SourceQuestion {
  readonly kind: "source";
  readonly source: string;
  readonly root: string;
}

export interface SchemaQuestion {
  readonly kind: "schema";
  readonly schema: unknown;
  readonly mode: "strict" | "lenient";
  /** The parameter that it was given as. */
  readonly field: string;
}

/** A whole answer to a chat. */
export interface AnswerQuestion {
  readonly kind: "answer";
  /** Name of a {@link ToolFormat}. */
  readonly format: string;
  /** Whether the answer goes on behind a header that the prompt has. */
  readonly isBegun: boolean;
  readonly thinking: Thinking;
  /** What content must look like. */
  readonly shape?: SourceQuestion | SchemaQuestion | undefined;
  /** What calls must look like, where the caller gives their grammar. */
  readonly calls?: SourceQuestion | SchemaQuestion | undefined;
  readonly tools?: ToolsQuestion | undefined;
  /** Texts that calls begin with, where the caller gives their grammar and there may be others. */
  readonly triggers?: readonly string[] | undefined;
}

export interface ToolsQuestion extends Pick<CheckedTools, "callable" | "parallel"> {
  readonly choice: Exclude<CheckedTools["choice"], "none">;
  /** For each that may be called, its index among all. */
  readonly indices: readonly number[];
}

/** All rules of a schema's grammar begin with this, so that others can stand beside them. */
const shapeRoot = "shape";

/**
 * The grammar of a question.
 * @param work Most steps for each schema in it.
 * @throws RequestError naming the field, GrammarError.
 */
export function answerQuestion(question: ShapeQuestion, work?: number): Grammar {
  switch (question.kind) {
    case "source":
      return Grammar.of(question.source, { root: question.root });
    case "schema": {
      const { schema, mode, field } = question;
      const source = schemaSource(schema, { root: shapeRoot, mode, work, field });
      return Grammar.of(source, { root: shapeRoot });
    }
    case "answer": {
      const { source, root } = answerSource(question, work);
      return Grammar.of(source, { root });
    }
  }
}

function answerSource(question: AnswerQuestion, work: number | undefined): { source: string; root: string } {
  const { thinking, tools, isBegun } = question;
  const known = toolFormats.find(({ name }) => name === question.format)!;
  const { channels: _, ...headless } = known;
  const format: ToolFormat = isBegun ? headless : known;
  const given = question.shape && answerQuestion(question.shape, work);
  if (!tools) {
    const calls = question.calls && answerQuestion(question.calls, work);
    return answerGrammar(format, { thinking, shape: given, calls, triggers: question.triggers });
  }
  // Where there must be calls the shape is checked, and of no use.
  const shape = tools.choice === "auto" ? given : undefined;
  const calls = toolGrammar(format, tools.callable, tools, (schema, root) =>
    argumentRules(tools, schema, { root, work }),
  );
  const triggers = tools.choice === "auto" && !shape ? calls.triggers : undefined;
  return answerGrammar(format, { thinking, shape, calls, triggers });
}

/** Rules of a tool's arguments, or of one of them. */
function argumentRules(
  { callable, indices }: ToolsQuestion,
  schema: unknown,
  { root, work }: { root: string; work: number | undefined },
): string {
  // The rules of a function are named after its number.
  const number = Number(/[0-9]+/.exec(root)?.[0] ?? 0);
  const called: ChatFunctionTool = callable[number]!;
  // Like OpenAI, which follows a schema to the letter where it is asked to.
  const mode = called.function.strict ? "strict" : "lenient";
  return schemaSource(schema, { root, mode, work, field: `tools[${indices[number]}].function.parameters` });
}

function schemaSource(
  schema: unknown,
  {
    field,
    ...options
  }: { root: string; mode: "strict" | "lenient"; work: number | undefined; field: string },
): string {
  try {
    // What a schema does not name is left out: it would be valid, but nobody asked for it.
    return schemaToGrammar(schema, { ...options, additionalProperties: "refused" }).source;
  } catch (cause) {
    if (!(cause instanceof JsonSchemaError)) throw cause;
    throw new RequestError(`${field}: ${cause.message}`, field, { cause });
  }
}
