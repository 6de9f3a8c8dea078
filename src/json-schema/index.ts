import { GrammarError } from "../../lib/errors.ts";
import { Grammar } from "../grammar.ts";
import { Compiler } from "./compiler.ts";
import { JsonSchemaError, type SchemaReport } from "./json-schema-error.ts";
import { checkSize } from "./json-value.ts";
import { schemaLimits } from "./limits.ts";
import { SchemaDocument } from "./schema-document.ts";

export { JsonSchemaError, type SchemaReport, SchemaWorkError } from "./json-schema-error.ts";
export { schemaLimits } from "./limits.ts";

export interface JsonSchemaOptions {
  /**
   * What happens to a keyword that no grammar can guarantee: `strict` refuses the schema, `lenient` ignores the keyword
   * and reports it. Default "strict".
   */
  mode?: "strict" | "lenient" | undefined;
  /**
   * White space that is allowed: `none`, `space` (at most one blank behind a comma or colon), or `lines` (also a line end
   * and up to 32 blanks behind commas and opening brackets, and before closing ones). Default "space".
   */
  whitespace?: "none" | "space" | "lines" | undefined;
  /**
   * Members that no keyword mentions, where a schema does not speak of them: `allowed`, as JSON schema has it, or
   * `refused` for schemas that name properties. Default "allowed".
   */
  additionalProperties?: "allowed" | "refused" | undefined;
  /**
   * Name of the rule that matches a whole value. The names of all other rules begin with it, so that several schemas can stand in
   * one grammar. Default "root", and any names.
   */
  root?: string | undefined;
  /** Most steps of work; more are refused with a {@link SchemaWorkError}. Default and most {@link schemaLimits}.work. */
  work?: number | undefined;
}

export interface SchemaGrammar {
  /** GBNF whose rule `root`, or the one named, matches the JSON texts that the schema allows. */
  readonly source: string;
  /** What the grammar does not guarantee; empty in the strict mode, but for `oneOf` that is treated as `anyOf`. */
  readonly reports: readonly SchemaReport[];
}

const choices = {
  mode: ["strict", "lenient"],
  whitespace: ["space", "none", "lines"],
  additionalProperties: ["allowed", "refused"],
} as const;

/**
 * Writes a JSON schema (draft 7, 2019-09 or 2020-12) as GBNF. All texts that the grammar admits are valid, and every valid
 * value is admitted in its canonical form: properties in the schema's order, spelled as by `JSON.stringify`.
 * @throws JsonSchemaError with a pointer to what is wrong, cannot be guaranteed, or is too large; TypeError for wrong options.
 */
export function schemaToGrammar(schema: unknown, options: JsonSchemaOptions = {}): SchemaGrammar {
  const choose = <K extends keyof typeof choices>(name: K): (typeof choices)[K][number] => {
    const known: readonly string[] = choices[name];
    const value = options[name] ?? choices[name][0];
    if (!known.includes(value))
      throw new TypeError(`${name} must be one of ${known.join(", ")}, got ${String(value)}`);
    return value as (typeof choices)[K][number];
  };
  const settings = {
    mode: choose("mode"),
    whitespace: choose("whitespace"),
    additionalProperties: choose("additionalProperties"),
    root: options.root,
    work: Math.min(options.work ?? schemaLimits.work, schemaLimits.work),
  };
  if (options.root !== undefined && !/^[a-zA-Z][a-zA-Z0-9-]*$/.test(options.root))
    throw new TypeError(`root must be letters, digits and dashes, got ${JSON.stringify(options.root)}`);
  checkSize(schema);
  const compiler = new Compiler(new SchemaDocument(schema), settings);
  const source = compiler.compile();
  try {
    // Kept, for whoever asked will parse it too.
    Grammar.of(source, { root: options.root });
  } catch (cause) {
    if (!(cause instanceof GrammarError)) throw cause;
    throw new JsonSchemaError("", undefined, `the schema makes too large a grammar: ${cause.message}`, {
      cause,
    });
  }
  return { source, reports: compiler.reports };
}
