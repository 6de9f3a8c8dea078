import type { Leaf } from "./alternatives.ts";
import type { Compiler } from "./compiler.ts";
import { type Expression, isNothing, nothing, sequence, text } from "./expression.ts";
import { emptyFormats, formatPattern, integerFormats, spelledOutFormats } from "./formats.ts";
import { jsonCharacter } from "./json-characters.ts";
import { JsonSchemaError } from "./json-schema-error.ts";
import { type Keywords, typeBits } from "./keywords.ts";
import { schemaLimits } from "./limits.ts";
import { excludedText, excludedValues, type MadeSchema } from "./made-schema.ts";
import { patternTerm } from "./pattern.ts";
import { PatternError } from "./pattern-parser.ts";
import type { SchemaNode } from "./schema-document.ts";
import type { Term } from "./term.ts";
import { lengthsOf } from "./text-lengths.ts";
import { expressionOf } from "./text-rules.ts";

/** Turns the keywords of strings into languages, and languages into rules. */
export class Strings {
  readonly #compiler: Compiler;
  readonly #written = new Map<Term, Expression>();
  readonly #patterns = new Map<string, Term>();

  constructor(compiler: Compiler) {
    this.#compiler = compiler;
  }

  /** A quoted string that all leaves allow. */
  expression(leaves: readonly Leaf[], excluded: readonly unknown[], hint: string): Expression {
    const nodes = leaves.map(({ node }) => node);
    const term = this.#term(nodes, excluded);
    if (term === this.#compiler.terms.everything) return this.anyString();
    const body = this.written(term, nodes, hint);
    if (isNothing(body)) this.#impossible(nodes);
    return body;
  }

  anyString(): Expression {
    const { rules, terms } = this.#compiler;
    return rules.cached("string", "string", () => this.#quoted(terms.everything, "string") ?? nothing);
  }

  /** A quoted string of a language, in a rule of its own. */
  written(term: Term, nodes: readonly SchemaNode[], hint: string): Expression {
    let expression = this.#written.get(term);
    if (!expression) {
      const quoted = this.#quoted(term, hint);
      if (!quoted) throw this.#tooManyStates(nodes);
      expression = this.#compiler.rules.named(hint, quoted);
      this.#written.set(term, expression);
    }
    return expression;
  }

  #quoted(term: Term, hint: string): Expression | undefined {
    const { rules, terms } = this.#compiler;
    const body = expressionOf(terms, term, rules, hint, (codes) => jsonCharacter(codes, rules));
    return body && sequence(text('"'), body, text('"'));
  }

  /** The strings that satisfy all of these schemas. */
  language(nodes: readonly SchemaNode[]): Term {
    const { terms, keywords, instances } = this.#compiler;
    const parts = this.#compiler.alternatives(nodes).map(({ leaves, types }) => {
      if ((types & typeBits.string) === 0) return terms.never;
      const own = leaves.map(({ node }) => node);
      for (const node of own) {
        const finite = keywords.finite(node);
        if (!finite) continue;
        const values = [...finite.values.values()].filter((value) =>
          own.every((other) => instances.satisfies(other, value)),
        );
        return terms.union(
          ...values.map((value) => (typeof value === "string" ? terms.literal(value) : terms.never)),
        );
      }
      return this.#term(own, excludedOf(own));
    });
    return terms.union(...parts);
  }

  /** Whether there is a string in a language; true where that takes too many states to be seen. */
  isPossible(term: Term): boolean {
    return this.#compiler.terms.isPossible(term, schemaLimits.states);
  }

  #term(nodes: readonly SchemaNode[], excluded: readonly unknown[]): Term {
    const { terms, keywords } = this.#compiler;
    const parts: Term[] = [];
    let min = 0;
    let max = Number.POSITIVE_INFINITY;
    for (const node of nodes) {
      min = Math.max(min, this.#length(node, "minLength") ?? 0);
      max = Math.min(max, this.#length(node, "maxLength") ?? max);
      parts.push(...this.#spelled(node));
      const refused = (node.schema as MadeSchema)[excludedText];
      const spelled = refused ? this.#spelled(keywords.document.node(node, refused)) : [];
      // What the mode lets pass refuses nothing, be it wanted or not.
      if (spelled.length > 0) parts.push(terms.complement(terms.intersection(...spelled)));
    }
    const strings = excluded.filter((value) => typeof value === "string");
    if (strings.length > 0)
      parts.push(terms.complement(terms.union(...strings.map((value) => terms.literal(value)))));
    if (max < min) return terms.never;
    // Lengths that all texts have anyway need not be counted.
    const lengths = parts.map(lengthsOf);
    if (lengths.some(({ least }) => least >= min)) min = 0;
    if (lengths.some(({ most }) => most <= max)) max = Number.POSITIVE_INFINITY;
    return terms.intersection(terms.repeat(terms.anyCode, min, max), ...parts);
  }

  /** What the keywords say of how a string is spelled, as far as that is known. */
  #spelled(node: SchemaNode): readonly Term[] {
    const { keywords } = this.#compiler;
    const pattern = keywords.string(node, "pattern");
    const format = keywords.string(node, "format");
    return [
      pattern === undefined ? undefined : this.pattern(node, "pattern", pattern),
      format === undefined ? undefined : this.format(node, format),
    ].filter((term) => term !== undefined);
  }

  #length(node: SchemaNode, keyword: string): number | undefined {
    const length = this.#compiler.keywords.count(node, keyword);
    if (length !== undefined && length > schemaLimits.repetitions) {
      if (keyword === "minLength")
        throw this.#compiler.keywords.error(node, keyword, `is above ${schemaLimits.repetitions}`);
      // A text that long cannot be written out, and leaving the bound away would admit longer ones.
      return schemaLimits.repetitions;
    }
    return length;
  }

  /** Strings in which a pattern is found; undefined where it is refused and the mode lets that pass. */
  pattern(node: SchemaNode, keyword: string, pattern: string): Term | undefined {
    let term = this.#patterns.get(pattern);
    if (term) return term;
    try {
      term = patternTerm(this.#compiler.terms, pattern);
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      if (!error.inexpressible) throw this.#compiler.keywords.error(node, keyword, error.message);
      this.#compiler.refuse(node, keyword, error.message);
      return undefined;
    }
    this.#patterns.set(pattern, term);
    return term;
  }

  /** Strings of a format; undefined where it is unknown and the mode lets that pass. */
  format(node: SchemaNode, format: string): Term | undefined {
    if (emptyFormats.has(format) || integerFormats.has(format)) return undefined;
    if (spelledOutFormats.has(format) && hasPattern(this.#compiler.keywords, node)) return undefined;
    const pattern = formatPattern(format);
    if (pattern === undefined) {
      this.#compiler.refuse(node, "format", `${JSON.stringify(format)} is not known`);
      return undefined;
    }
    return this.pattern(node, "format", pattern);
  }

  #tooManyStates(nodes: readonly SchemaNode[]): JsonSchemaError {
    const { keywords } = this.#compiler;
    const node = nodes.find((one) => keywords.value(one, "pattern") !== undefined);
    const message = `needs more than ${schemaLimits.states} states with what stands beside it; use smaller counts`;
    if (node) return keywords.error(node, "pattern", message);
    return new JsonSchemaError(nodes[0]!.pointer, undefined, `the string ${message}`);
  }

  #impossible(nodes: readonly SchemaNode[]): void {
    const keywords = ["pattern", "format", "maxLength", "minLength", "not"];
    for (const keyword of keywords) {
      const node = nodes.find((one) => this.#compiler.keywords.value(one, keyword) !== undefined);
      if (node) this.#compiler.impossible(node, keyword, "no string has all that is asked");
    }
  }
}

/** Whether patterns stand beside other keywords, as zod writes them: several of them in `allOf`. */
function hasPattern(keywords: Keywords, node: SchemaNode): boolean {
  return [node, ...(keywords.schemaList(node, "allOf") ?? [])].some(
    (one) => keywords.value(one, "pattern") !== undefined,
  );
}

/** Values that schemas made here exclude. */
export function excludedOf(nodes: readonly SchemaNode[]): readonly unknown[] {
  return nodes.flatMap(({ schema }) => [...((schema as MadeSchema)[excludedValues]?.values() ?? [])]);
}
