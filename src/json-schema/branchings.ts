import { pointerStep } from "../../lib/json-pointer.ts";
import { JsonSchemaError } from "./json-schema-error.ts";
import type { Keywords } from "./keywords.ts";
import { schemaLimits } from "./limits.ts";
import { having, isMade, madeOf, not, type RawSchema } from "./made-schema.ts";
import { type Negations, NoNegation } from "./negation.ts";
import type { SchemaNode } from "./schema-document.ts";

/** `oneOf` inside one another that is compared at once; what lies deeper is taken to overlap. */
const comparedDepth = 16;

export interface BranchingsHost {
  readonly keywords: Keywords;
  readonly negations: Negations;
  spend(steps: number): void;
  /** What `$ref` and the like in a schema refer to. */
  references(node: SchemaNode): readonly SchemaNode[];
  /** Throws where the mode is strict, and reports where it is lenient. */
  refuse(node: SchemaNode, keyword: string, message: string): void;
  report(node: SchemaNode, keyword: string, message: string): void;
  /** For each schema, the others that may share values with it. */
  overlaps(options: readonly SchemaNode[]): readonly (readonly SchemaNode[])[];
}

/** Reads from a schema what else has to hold, all of it or one of several, without going into the value. */
export class Branchings {
  readonly #host: BranchingsHost;
  /** Schemas made here, so that the same place gives the same node. */
  readonly #kept = new Map<string, readonly SchemaNode[]>();
  readonly #conjuncts = new Map<SchemaNode, readonly SchemaNode[]>();
  readonly #compared = new Set<SchemaNode>();
  readonly #checked = new Set<SchemaNode>();

  constructor(host: BranchingsHost) {
    this.#host = host;
  }

  /** @throws JsonSchemaError where a schema leads back to itself without going into the value, or far on. */
  checkCircles(node: SchemaNode, open: Set<SchemaNode> = new Set()): void {
    this.#host.spend(5);
    if (this.#checked.has(node)) return;
    if (open.has(node)) throw circular(node);
    if (open.size > schemaLimits.references) {
      throw new JsonSchemaError(
        node.pointer,
        undefined,
        `more than ${schemaLimits.references} references follow one another; shorten the chain`,
      );
    }
    open.add(node);
    for (const child of [...this.conjuncts(node), ...this.of(node).flat()]) this.checkCircles(child, open);
    open.delete(node);
    this.#checked.add(node);
  }

  /** Schemas that have to hold together with a schema's own keywords. */
  conjuncts(node: SchemaNode): readonly SchemaNode[] {
    let all = this.#conjuncts.get(node);
    if (!all) {
      this.#host.spend(20);
      const { keywords } = this.#host;
      const negated = keywords.schema(node, "not");
      const negation = negated && this.#negation(node, "not", negated);
      all = [
        ...this.#host.references(node),
        ...(keywords.schemaList(node, "allOf") ?? []),
        ...(negation === undefined ? [] : [keywords.document.node(node, negation, "not")]),
      ];
      this.#conjuncts.set(node, all);
    }
    return all;
  }

  /** Lists of schemas of which one each has to hold. */
  of(node: SchemaNode): readonly (readonly SchemaNode[])[] {
    const { keywords } = this.#host;
    const lists: (readonly SchemaNode[] | undefined)[] = [
      keywords.schemaList(node, "anyOf"),
      this.exclusive(node),
      this.#condition(node),
    ];
    for (const [name, others] of keywords.map(node, "dependentRequired")) {
      const then = this.#required(node, "dependentRequired", name, others);
      lists.push(this.#dependent(node, "dependentRequired", name, then));
    }
    for (const [name, child] of keywords.schemaMap(node, "dependentSchemas")) {
      lists.push(this.#dependent(node, "dependentSchemas", name, child.schema));
    }
    for (const [name, value] of keywords.map(node, "dependencies")) {
      const then = Array.isArray(value)
        ? this.#required(node, "dependencies", name, value)
        : keywords.document.node(node, value, "dependencies", name).schema;
      lists.push(this.#dependent(node, "dependencies", name, then));
    }
    return lists.filter((list) => list !== undefined);
  }

  /** The options of `oneOf`, each without the values of the others where they overlap and that can be said. */
  exclusive(node: SchemaNode): readonly SchemaNode[] | undefined {
    const { keywords } = this.#host;
    const options = keywords.schemaList(node, "oneOf");
    if (!options) return undefined;
    const known = this.#kept.get(`${node.id} oneOf`);
    if (known) return known;
    // A schema that comes up again while its options are compared is circular, and found to be so further down.
    if (this.#compared.has(node) || this.#compared.size >= comparedDepth) return options;
    this.#compared.add(node);
    const overlaps = this.#host.overlaps(options);
    this.#compared.delete(node);
    return this.#once(node, "oneOf", () => this.#apart(node, options, overlaps));
  }

  #apart(
    node: SchemaNode,
    options: readonly SchemaNode[],
    overlaps: readonly (readonly SchemaNode[])[],
  ): readonly SchemaNode[] {
    const { negations } = this.#host;
    try {
      return options.map((option, index) => {
        const others = overlaps[index]!;
        if (others.length === 0) return option;
        this.#host.spend(others.length * 50);
        for (const other of others) negations.check(other);
        const allOf = [option.schema, ...others.map(({ schema }) => not(schema))];
        return this.#made(node, madeOf({ allOf }), "oneOf", String(index));
      });
    } catch (error) {
      if (!(error instanceof NoNegation)) throw error;
      const message = `is treated as anyOf, since its schemas may overlap and ${error.message}; a value may satisfy several`;
      this.#host.report(node, "oneOf", message);
      return options;
    }
  }

  /** The opposite of a schema under a keyword; undefined where there is none and the mode lets that pass. */
  #negation(node: SchemaNode, keyword: string, child: SchemaNode): RawSchema | undefined {
    try {
      return this.#host.negations.of(child);
    } catch (error) {
      if (!(error instanceof NoNegation)) throw error;
      // What was made is nowhere to be found in the document, but what it was made for is.
      const at = isMade(node.schema) ? error : { node, keyword };
      this.#host.refuse(at.node, at.keyword, `cannot be expressed: ${error.message}`);
      return undefined;
    }
  }

  #made(node: SchemaNode, schema: unknown, ...steps: string[]): SchemaNode {
    return this.#host.keywords.document.node(node, schema, ...steps);
  }

  #once(node: SchemaNode, key: string, make: () => readonly SchemaNode[]): readonly SchemaNode[] {
    const whole = `${node.id} ${key}`;
    let options = this.#kept.get(whole);
    if (!options) {
      options = make();
      this.#kept.set(whole, options);
    }
    return options;
  }

  #required(node: SchemaNode, keyword: string, name: string, others: unknown): RawSchema {
    if (!Array.isArray(others) || !others.every((other) => typeof other === "string")) {
      throw new JsonSchemaError(
        node.pointer + pointerStep(keyword) + pointerStep(name),
        keyword,
        `${keyword} must list names`,
      );
    }
    return having(...others);
  }

  #dependent(node: SchemaNode, keyword: string, name: string, then: RawSchema): readonly SchemaNode[] {
    return this.#once(node, `${keyword} ${name}`, () => [
      this.#made(node, madeOf({ allOf: [not(having(name))] }), keyword, name),
      this.#made(node, madeOf({ allOf: [having(name), then] }), keyword, name),
    ]);
  }

  #condition(node: SchemaNode): readonly SchemaNode[] | undefined {
    const { keywords } = this.#host;
    const condition = keywords.schema(node, "if");
    const [yes, no] = [keywords.schema(node, "then"), keywords.schema(node, "else")];
    if (!condition || (!yes && !no)) return undefined;
    return this.#once(node, "if", () => {
      const negation = this.#negation(node, "if", condition);
      if (negation === undefined) return [this.#made(node, true, "if")];
      return [
        this.#made(node, madeOf({ allOf: [condition.schema, yes?.schema ?? true] }), "if"),
        this.#made(node, madeOf({ allOf: [negation, no?.schema ?? true] }), "if"),
      ];
    });
  }
}

export function circular(node: SchemaNode): JsonSchemaError {
  return new JsonSchemaError(
    node.pointer,
    undefined,
    "the schema refers to itself without going into the value, so that it never ends; " +
      "put the reference under properties or items",
  );
}
