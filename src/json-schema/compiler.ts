import { type Alternative, Alternatives, type AlternativesHost, type Leaf } from "./alternatives.ts";
import { arrayExpression } from "./arrays.ts";
import { Branchings } from "./branchings.ts";
import { overlapsOf } from "./disjoint.ts";
import { choice, type Expression, isNothing, nothing, rule, text } from "./expression.ts";
import { Instances } from "./instances.ts";
import { JsonSchemaError, type SchemaReport, SchemaWorkError } from "./json-schema-error.ts";
import { isObject, jsonText } from "./json-value.ts";
import { Keywords, type Listed, pointerTo, typeBits } from "./keywords.ts";
import { schemaLimits } from "./limits.ts";
import { excludedValues, isMade, type MadeSchema } from "./made-schema.ts";
import { Negations } from "./negation.ts";
import { numberExpression } from "./numbers.ts";
import { objectExpression } from "./objects.ts";
import { RuleSet } from "./rule-set.ts";
import type { SchemaDocument, SchemaNode } from "./schema-document.ts";
import { Strings } from "./strings.ts";
import { TermFactory } from "./term.ts";
import { textChoice } from "./text-choice.ts";
import { type Whitespace, whitespaceOf } from "./whitespace.ts";

export interface CompilerOptions {
  readonly mode: "strict" | "lenient";
  readonly whitespace: "none" | "space" | "lines";
  readonly additionalProperties: "allowed" | "refused";
  /** Name of the whole's rule, with which all others begin; undefined for "root" and any. */
  readonly root?: string | undefined;
  /** Most steps. */
  readonly work: number;
}

interface Reason {
  readonly pointer: string;
  readonly keyword: string;
  readonly message: string;
}

/** Writes the rules of a schema. One rule stands for one set of subschemas that a value has to satisfy at once. */
export class Compiler implements AlternativesHost {
  readonly document: SchemaDocument;
  readonly options: CompilerOptions;
  readonly keywords: Keywords;
  readonly negations: Negations;
  readonly rules: RuleSet;
  readonly terms: TermFactory;
  readonly strings: Strings;
  readonly space: Whitespace;
  readonly instances: Instances;
  readonly reports: SchemaReport[] = [];
  readonly #reported = new Set<string>();
  readonly #branchings = new Branchings(this);
  readonly #alternatives = new Alternatives(this, this.#branchings);
  readonly #names = new Map<string, string>();
  readonly #known = new Map<SchemaNode, readonly Alternative[]>();
  readonly #references = new Map<SchemaNode, readonly SchemaNode[]>();
  readonly #queue: { name: string; nodes: readonly SchemaNode[] }[] = [];
  /** Why a rule matches nothing, as far as it is known. */
  readonly #reasons = new Map<string, Reason>();
  #reason: Reason | undefined;
  #work = 0;

  constructor(document: SchemaDocument, options: CompilerOptions) {
    this.document = document;
    this.options = options;
    const spend = (steps: number) => this.spend(steps);
    this.rules = new RuleSet(spend, options.root === undefined ? "" : `${options.root}-`);
    this.keywords = new Keywords(document);
    this.negations = new Negations(this.keywords);
    this.terms = new TermFactory(spend);
    this.strings = new Strings(this);
    this.space = whitespaceOf(options.whitespace, this.rules);
    this.instances = new Instances(this);
  }

  /** GBNF for the whole schema. @throws JsonSchemaError */
  compile(): string {
    const root = this.options.root ?? this.rules.freshName("root");
    this.#names.set(this.#key([this.document.root]), root);
    this.#queue.push({ name: root, nodes: [this.document.root] });
    for (let next = this.#queue.shift(); next; next = this.#queue.shift())
      this.#define(next.name, next.nodes);
    const productive = this.rules.productive();
    if (!productive.has(root)) throw this.#unsatisfiable(root, productive);
    return this.rules.print(root, productive);
  }

  /** A rule for the values that satisfy all of these schemas. */
  value(nodes: readonly SchemaNode[], hint: string): Expression {
    this.spend(10 + nodes.length * 5);
    const distinct = this.#distinct(nodes.map((node) => this.#target(node)));
    const refusing = distinct.find(({ schema }) => schema === false);
    if (refusing) {
      this.impossible(refusing, "false", "the schema false allows nothing");
      return nothing;
    }
    const key = this.#key(distinct);
    let name = this.#names.get(key);
    if (name === undefined) {
      if (this.#names.size >= schemaLimits.conjunctions) {
        throw this.#tooLarge(`more than ${schemaLimits.conjunctions} combinations of subschemas`);
      }
      name = this.rules.freshName(distinct.length === 0 ? "value" : hint);
      this.#names.set(key, name);
      this.#queue.push({ name, nodes: distinct });
    }
    return rule(name);
  }

  overlaps(options: readonly SchemaNode[]): readonly (readonly SchemaNode[])[] {
    return overlapsOf(this, options);
  }

  references(node: SchemaNode): readonly SchemaNode[] {
    let found = this.#references.get(node);
    if (!found) {
      found = this.#resolved(node);
      this.#references.set(node, found);
    }
    return found;
  }

  #resolved(node: SchemaNode): readonly SchemaNode[] {
    return ["$ref", "$dynamicRef", "$recursiveRef"].flatMap((keyword) => {
      const reference = this.keywords.string(node, keyword);
      if (reference === undefined) return [];
      if (keyword === "$ref" || !this.document.hasSeveralResources)
        return [this.document.resolve(node, keyword, reference)];
      this.refuse(node, keyword, "depends on who refers to whom in a schema with several $id; use $ref");
      return [];
    });
  }

  alternatives(nodes: readonly SchemaNode[]): Alternative[] {
    return this.#alternatives.of(this.#distinct(nodes));
  }

  /** The alternatives of one schema, which are kept. */
  alternativesOf(node: SchemaNode): readonly Alternative[] {
    let known = this.#known.get(node);
    if (!known) {
      known = this.alternatives([node]);
      this.#known.set(node, known);
    }
    return known;
  }

  /** What holds of all values that satisfy these schemas; undefined where nothing does. */
  certain(nodes: readonly SchemaNode[]): readonly Leaf[] | undefined {
    return this.#alternatives.certain(this.#distinct(nodes));
  }

  spend(steps: number): void {
    this.#work += steps;
    if (this.#work > this.options.work) throw new SchemaWorkError();
  }

  report(node: SchemaNode, keyword: string, message: string): void {
    const entry = { pointer: pointerTo(node, keyword), keyword, message: `${keyword} ${message}` };
    const key = JSON.stringify(entry);
    if (!this.#reported.has(key)) this.reports.push(entry);
    this.#reported.add(key);
  }

  refuse(node: SchemaNode, keyword: string, message: string): void {
    if (this.options.mode === "strict") {
      throw this.keywords.error(
        node,
        keyword,
        `${message}; leave it out, or use the lenient mode to have it ignored and reported`,
      );
    }
    this.report(node, keyword, `${message}; it is ignored`);
  }

  impossible(node: SchemaNode, keyword: string, message: string): void {
    // A schema false may stand where nothing has to be, so that any other reason tells more.
    if (this.#reason && this.#reason.keyword !== "false") return;
    const pointer = keyword === "false" ? node.pointer : pointerTo(node, keyword);
    this.#reason = { pointer, keyword, message };
  }

  #tooLarge(what: string): JsonSchemaError {
    return new JsonSchemaError("", undefined, `the schema needs ${what}; make it simpler`);
  }

  /** What a schema that is nothing but a reference refers to, so that both have one rule. */
  #target(start: SchemaNode): SchemaNode {
    let node = start;
    for (const seen = new Set<SchemaNode>(); !seen.has(node); ) {
      seen.add(node);
      const used = isMade(node.schema) ? [] : this.keywords.assertions(node);
      if (used.length !== 1 || used[0] !== "$ref") return node;
      node = this.references(node)[0]!;
    }
    return start;
  }

  #distinct(nodes: readonly SchemaNode[]): readonly SchemaNode[] {
    return [...new Set(nodes.filter((node) => !this.keywords.allowsAll(node)))];
  }

  #key(nodes: readonly SchemaNode[]): string {
    return nodes
      .map(({ id }) => id)
      .sort((a, b) => a - b)
      .join();
  }

  #define(name: string, nodes: readonly SchemaNode[]): void {
    this.#reason = undefined;
    const distinct = this.#distinct(nodes);
    const expression =
      this.#finite(distinct) ?? this.#plainUnion(distinct, name) ?? this.#written(distinct, name);
    this.rules.define(name, expression);
    if (this.#reason) this.#reasons.set(name, this.#reason);
    if (this.rules.size > schemaLimits.conjunctions * 2) {
      throw this.#tooLarge(`more than ${schemaLimits.conjunctions * 2} rules`);
    }
  }

  /** The values of `enum` and `const`, where one of them holds whatever else is chosen. */
  #finite(nodes: readonly SchemaNode[]): Expression | undefined {
    const leaves = this.certain(nodes) ?? [];
    const values = this.#listed(leaves);
    return values && this.#listing(values, nodes);
  }

  /** The shortest of the lists of values. */
  #listed(leaves: readonly Leaf[]): (Listed & { node: SchemaNode }) | undefined {
    let shortest: (Listed & { node: SchemaNode }) | undefined;
    for (const { node } of leaves) {
      const finite = this.keywords.finite(node);
      if (finite && !(shortest && shortest.values.size <= finite.values.size)) shortest = { node, ...finite };
    }
    return shortest;
  }

  #listing(
    { node, keyword, values }: Listed & { node: SchemaNode },
    nodes: readonly SchemaNode[],
  ): Expression {
    const allowed: unknown[] = [];
    // What lists the values and says nothing else needs not be asked.
    const asked = nodes.filter((one) => one !== node || this.keywords.assertions(one).length > 1);
    for (const [key, value] of values) {
      this.spend(5 + key.length);
      if (asked.every((other) => this.instances.satisfies(other, value))) allowed.push(value);
    }
    if (allowed.length === 0) this.impossible(node, keyword, "leaves no value that the other keywords allow");
    return textChoice(
      allowed.map((value) => jsonText(value)),
      this.rules,
    );
  }

  /** A choice of other rules, for a schema that is nothing but `anyOf` or `oneOf`: so that they are not written again. */
  #plainUnion(nodes: readonly SchemaNode[], hint: string): Expression | undefined {
    const [node] = nodes;
    if (nodes.length !== 1 || !node || isMade(node.schema)) return undefined;
    const [used, ...others] = this.keywords.assertions(node);
    if (others.length > 0 || (used !== "anyOf" && used !== "oneOf")) return undefined;
    const options =
      used === "anyOf" ? this.keywords.schemaList(node, used) : this.#branchings.exclusive(node);
    if (!options) return undefined;
    // Rules that only name one another would hide that they lead back.
    this.#branchings.checkCircles(node);
    return choice(...options.map((option) => this.value([option], hint)));
  }

  #written(nodes: readonly SchemaNode[], name: string): Expression {
    const alternatives = this.alternatives(nodes);
    return choice(...alternatives.map((alternative) => this.#alternative(alternative, nodes, name)));
  }

  #alternative({ leaves, types }: Alternative, nodes: readonly SchemaNode[], name: string): Expression {
    const listed = this.#listed(leaves);
    if (listed) return this.#listing(listed, [...nodes, ...leaves.map(({ node }) => node)]);
    const excluded = leaves.flatMap(({ node }) => [
      ...((node.schema as MadeSchema)[excludedValues]?.values() ?? []),
    ]);
    this.spend(10 + leaves.length * 5 + excluded.length * 2);
    const scalar = (value: null | boolean) =>
      excluded.some((other) => other === value) ? nothing : text(String(value));
    const hint = name === "root" ? "" : `${name}-`;
    const options: Expression[] = [];
    const add = (bits: number, type: string, make: (hint: string) => Expression) => {
      if ((types & bits) === 0) return;
      const expression = make(nodes.length === 0 ? type : `${hint}${type}`);
      // A rule for each type keeps what is common to many schemas in one place.
      options.push(
        leaves.length === 0 || isNothing(expression) ? this.rules.named(type, expression) : expression,
      );
    };
    if (types & typeBits.object) this.#refuseExcluded(leaves, isObject, "an object");
    if (types & typeBits.array) this.#refuseExcluded(leaves, Array.isArray, "an array");
    add(typeBits.object, "object", (own) => objectExpression(this, leaves, own));
    add(typeBits.array, "array", (own) => arrayExpression(this, leaves, own));
    add(typeBits.string, "string", (own) => this.strings.expression(leaves, excluded, own));
    add(typeBits.number, "number", (own) => numberExpression(this, leaves, types, excluded, own));
    if (types & typeBits.boolean) options.push(scalar(true), scalar(false));
    if (types & typeBits.null) options.push(scalar(null));
    return choice(...options);
  }

  /** Of objects and arrays, no single ones can be left out. */
  #refuseExcluded(leaves: readonly Leaf[], isOne: (value: unknown) => boolean, what: string): void {
    for (const { node } of leaves) {
      const values = (node.schema as MadeSchema)[excludedValues]?.values() ?? [];
      if ([...values].some(isOne))
        this.refuse(node, "not", `with ${what} in const or enum cannot be expressed`);
    }
  }

  #unsatisfiable(root: string, productive: ReadonlySet<string>): JsonSchemaError {
    const seen = new Set([root]);
    for (const name of seen) {
      const reason = this.#reasons.get(name);
      if (reason) {
        return new JsonSchemaError(
          reason.pointer,
          reason.keyword === "false" ? undefined : reason.keyword,
          `no value satisfies the schema: ${reason.message}`,
        );
      }
      for (const used of this.rules.uses(name)) if (!productive.has(used)) seen.add(used);
    }
    return new JsonSchemaError(
      "",
      undefined,
      "no finite value satisfies the schema; it requires itself without an end",
    );
  }
}
