import { LimitExceeded } from "./budget.ts";
import { parse, type SyntaxNode, tokenize } from "./jinja-library.ts";
import { rewriteTests } from "./test-arguments.ts";

/** What is known about a template before it runs. */
export interface ParsedTemplate {
  readonly program: SyntaxNode;
  /** Statements whose value is written to the text around them. */
  readonly written: WeakSet<object>;
  /** Nodes below each macro and call block, which the interpreter walks whenever it meets one. */
  readonly macroSizes: WeakMap<object, number>;
  /** Every string literal, and every name behind a dot, to see which roles and fields the template knows. */
  readonly words: ReadonlySet<string>;
  /** Every other name: of variables, but of filters and tests as well. */
  readonly names: ReadonlySet<string>;
}

const MAX_SOURCE_LENGTH = 256 * 1024;
// The tokenizer strips `{% generation %}` with a pattern that takes time quadratic in a run of white space.
const LONG_WHITESPACE = /\s{513}/;
const MAX_SYNTAX_DEPTH = 200;

const BODIES: ReadonlySet<string> = new Set(["body", "alternate", "defaultBlock"]);
const CONTAINERS: ReadonlySet<string> = new Set(["For", "If"]);
const MACROS: ReadonlySet<string> = new Set(["Macro", "CallStatement"]);

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

/** Parses a Jinja chat template with the white space rules of Hugging Face (`trim_blocks`, `lstrip_blocks`). */
export function parseTemplate(source: string): ParsedTemplate {
  if (source.length > MAX_SOURCE_LENGTH) {
    throw new LimitExceeded(`its source is longer than ${MAX_SOURCE_LENGTH} characters`);
  }
  if (LONG_WHITESPACE.test(source)) {
    throw new LimitExceeded("its source holds more than 512 white space characters in a row");
  }
  const tokens = tokenize(source.replace(/\r\n?/g, "\n"), { lstrip_blocks: true, trim_blocks: true });
  const program = parse(rewriteTests(tokens));
  const written = new WeakSet<object>();
  const macroSizes = new WeakMap<object, number>();
  const words = new Set<string>();
  const names = new Set<string>();

  function survey(value: unknown, depth: number): number {
    if (depth > MAX_SYNTAX_DEPTH) throw new LimitExceeded(`it nests deeper than ${MAX_SYNTAX_DEPTH} levels`);
    if (Array.isArray(value)) return value.reduce((size: number, item) => size + survey(item, depth), 0);
    if (value instanceof Map) {
      let size = 0;
      for (const [key, item] of value) size += survey(key, depth) + survey(item, depth);
      return size;
    }
    if (!isNode(value)) return 0;
    if (value.type === "StringLiteral" && typeof value.value === "string") words.add(value.value);
    if (value.type === "Identifier") names.add(String(value.value));
    if (value.type === "MemberExpression" && !value.computed && isNode(value.property)) {
      words.add(String(value.property.value));
    }
    let size = 1;
    for (const [field, child] of Object.entries(value)) {
      size += survey(child, depth + 1);
      if (BODIES.has(field) && Array.isArray(child)) {
        for (const statement of child) if (!CONTAINERS.has(statement.type)) written.add(statement);
      }
    }
    if (MACROS.has(value.type)) macroSizes.set(value, size);
    return size;
  }

  survey(program, 0);
  return { program, written, macroSizes, words, names };
}
