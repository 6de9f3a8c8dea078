import { toJSONSchema, type ZodType } from "zod";
import { CriaError, RequestError } from "../../lib/errors.ts";
import { Grammar } from "../grammar.ts";
import type { SchemaQuestion, SourceQuestion } from "./shape-question.ts";
import { grammarNow, grammarSoon } from "./shapes.ts";

/** OpenAI's `response_format`, with the `schema` that llama-server takes beside `json_object`. */
export type ResponseFormat =
  | { readonly type: "text" }
  | { readonly type: "json_object"; readonly schema?: JsonSchema | null | undefined }
  | {
      readonly type: "json_schema";
      readonly json_schema: {
        readonly schema?: JsonSchema | undefined;
        readonly name?: string | undefined;
        readonly description?: string | undefined;
        /** False lets keywords pass that no grammar can guarantee; by default they are refused. */
        readonly strict?: boolean | null | undefined;
      };
    };

/** A JSON schema as data, draft 7 to 2020-12. */
export type JsonSchema = boolean | Readonly<Record<string, unknown>>;

/** What an answer must look like; at most one of them. */
export interface AnswerShape {
  /** GBNF that the text must match. */
  grammar?: Grammar | string | null | undefined;
  /** JSON schema that the text must match, or a zod schema. */
  json_schema?: JsonSchema | ZodType | null | undefined;
  response_format?: ResponseFormat | ZodType | null | undefined;
}

/** The zod schema that the answer is to be parsed by; undefined where none was given. */
export function zodSchemaOf({ json_schema, response_format }: AnswerShape): ZodType | undefined {
  return [response_format, json_schema].find(isZod);
}

/**
 * An answer as a zod schema gives it; null where it was cut off, and where it calls functions instead.
 * @throws CriaError with the code "ANSWER" where the schema refuses what no grammar can tell, such as a refinement.
 */
export async function parsedAnswer(
  schema: ZodType,
  { message, finish_reason }: { message: { content: string | null }; finish_reason: string },
): Promise<unknown> {
  if (finish_reason !== "stop") return null;
  let value: unknown;
  try {
    value = JSON.parse(message.content ?? "");
  } catch (cause) {
    throw new CriaError("ANSWER", "the answer is no JSON: a stop string or the caller ended it", { cause });
  }
  const { data, error } = await schema.safeParseAsync(value);
  if (error)
    throw new CriaError("ANSWER", `the answer does not pass the zod schema: ${error.message}`, {
      cause: error,
    });
  return data;
}

/** What content must look like; undefined for any text. @throws RequestError naming the field. */
export function shapeQuestion(shape: AnswerShape): SourceQuestion | SchemaQuestion | undefined {
  const { grammar, json_schema, response_format } = shape;
  const isFormatted = response_format != null && (isZod(response_format) || response_format.type !== "text");
  const given = [
    grammar != null && grammar !== "" ? "grammar" : "",
    json_schema != null ? "json_schema" : "",
    isFormatted ? "response_format" : "",
  ].filter((name) => name !== "");
  if (given.length > 1)
    throw new RequestError(`give ${given.join(" or ")}, not both: one text cannot follow two`, given[1]);
  if (json_schema != null) return schemaQuestion(json_schema, "json_schema");
  if (response_format != null && isFormatted) return formatQuestion(response_format);
  if (grammar == null || grammar === "") return undefined;
  if (typeof grammar !== "string" && !(grammar instanceof Grammar))
    throw new TypeError("grammar must be GBNF text, or Grammar.parse() of it");
  return typeof grammar === "string"
    ? { kind: "source", source: grammar, root: "root" }
    : { kind: "source", source: grammar.source, root: grammar.root };
}

/**
 * The grammar that an answer's shape comes to; undefined for any text. Grammars are kept by content.
 * @throws RequestError naming the field, GrammarError.
 */
export function grammarOf(shape: AnswerShape): Grammar | undefined {
  const question = shapeQuestion(shape);
  return shape.grammar instanceof Grammar ? shape.grammar : question && grammarNow(question);
}

/** Parameters with the grammar of their shape, which is made on another thread where that takes long. @throws as {@link grammarOf}. */
export async function withGrammar<P extends AnswerShape>(params: P): Promise<P> {
  const question = shapeQuestion(params);
  if (!question || params.grammar instanceof Grammar) return params;
  return {
    ...params,
    grammar: await grammarSoon(question),
    json_schema: undefined,
    response_format: undefined,
  };
}

function formatQuestion(format: ResponseFormat | ZodType): SchemaQuestion {
  if (isZod(format)) return schemaQuestion(format, "response_format");
  switch (format.type) {
    case "json_object":
      return schemaQuestion(format.schema ?? { type: "object" }, "response_format.schema");
    case "json_schema": {
      const { schema, strict } = format.json_schema ?? {};
      const field = "response_format.json_schema.schema";
      if (schema === undefined)
        throw new RequestError(`${field} is missing; give a JSON schema, or type "json_object"`, field);
      return schemaQuestion(schema, field, strict === false ? "lenient" : "strict");
    }
    default:
      throw new RequestError(
        `response_format.type must be text, json_object or json_schema, got ${JSON.stringify((format as { type: unknown }).type)}`,
        "response_format.type",
      );
  }
}

function schemaQuestion(
  schema: JsonSchema | ZodType,
  field: string,
  mode: "strict" | "lenient" = "strict",
): SchemaQuestion {
  return { kind: "schema", schema: isZod(schema) ? fromZod(schema, field) : schema, mode, field };
}

function fromZod(schema: ZodType, field: string): unknown {
  try {
    return toJSONSchema(schema, { io: "input" });
  } catch (cause) {
    throw new RequestError(`${field}: the zod schema is no JSON schema: ${(cause as Error).message}`, field, {
      cause,
    });
  }
}

export function isZod(value: unknown): value is ZodType {
  return typeof value === "object" && value !== null && "_zod" in value;
}
