import type { Leaf } from "./alternatives.ts";
import type { Compiler } from "./compiler.ts";
import { equalityKey } from "./json-value.ts";
import { typeBits } from "./keywords.ts";
import { schemaLimits } from "./limits.ts";
import { NoNegation } from "./negation.ts";
import { evaluatedFor } from "./object-shape.ts";
import type { SchemaNode } from "./schema-document.ts";

interface ArrayPart {
  readonly prefix: readonly SchemaNode[];
  readonly rest: SchemaNode | undefined;
}

interface Contained {
  readonly node: SchemaNode;
  readonly schema: SchemaNode;
  /** What items have to satisfy that do not count; undefined where it does not matter if they do. */
  readonly negation: SchemaNode | undefined;
  readonly min: number;
  readonly max: number;
}

/** The most values whose orders are written out for `uniqueItems`: a rule for each subset. */
const distinctLimit = 8;

/** What several schemas together say about the items of an array. */
export class ArrayShape {
  readonly #compiler: Compiler;
  readonly #parts: readonly ArrayPart[];
  /** Items that have schemas of their own. */
  readonly prefixLength: number;
  readonly min: number;
  readonly max: number;
  readonly contains: Contained | undefined;
  /** The values of items that must all differ; undefined where they need not. */
  readonly distinctValues: readonly unknown[] | undefined;

  constructor(compiler: Compiler, leaves: readonly Leaf[]) {
    this.#compiler = compiler;
    const { keywords } = compiler;
    const nodes = leaves.map(({ node }) => node);
    this.#parts = [
      ...nodes.map((node) => keywords.items(node)),
      ...leaves.flatMap((leaf) => this.#unevaluated(leaf, leaves)),
    ];
    this.prefixLength = Math.max(0, ...this.#parts.map(({ prefix }) => prefix.length));
    this.min = Math.max(0, ...nodes.map((node) => keywords.count(node, "minItems") ?? 0));
    let max = Math.min(...nodes.map((node) => keywords.count(node, "maxItems") ?? Number.POSITIVE_INFINITY));
    for (let index = 0; index <= this.prefixLength && index < max; index++) {
      if (this.schemasAt(index).some(({ schema }) => schema === false)) max = index;
    }
    this.max = max;
    this.#checkLengths(nodes);
    this.contains = this.#contained(nodes);
    this.distinctValues = this.#distinct(nodes);
  }

  schemasAt(index: number): readonly SchemaNode[] {
    return this.#parts.flatMap(({ prefix, rest }) => {
      const schema = index < prefix.length ? prefix[index] : rest;
      return schema ? [schema] : [];
    });
  }

  #checkLengths(nodes: readonly SchemaNode[]): void {
    for (const [keyword, bound] of [
      ["minItems", this.min],
      ["maxItems", this.max],
    ] as const) {
      if (bound === Number.POSITIVE_INFINITY || bound <= schemaLimits.repetitions) continue;
      const node = nodes.find((one) => this.#compiler.keywords.count(one, keyword) === bound);
      if (node) throw this.#compiler.keywords.error(node, keyword, `is above ${schemaLimits.repetitions}`);
    }
  }

  #contained(nodes: readonly SchemaNode[]): Contained | undefined {
    const { keywords, negations } = this.#compiler;
    let found: Contained | undefined;
    for (const node of nodes) {
      const schema = keywords.schema(node, "contains");
      if (!schema) continue;
      const min = keywords.count(node, "minContains") ?? 1;
      const max = keywords.count(node, "maxContains") ?? Number.POSITIVE_INFINITY;
      if (min === 0 && max === Number.POSITIVE_INFINITY) continue;
      if (found) {
        this.#compiler.refuse(node, "contains", "more than once for one array cannot be expressed");
        continue;
      }
      let negation: SchemaNode | undefined;
      if (max !== Number.POSITIVE_INFINITY) {
        try {
          negations.check(schema);
          negation = keywords.document.node(node, negations.of(schema), "contains");
        } catch (error) {
          if (!(error instanceof NoNegation)) throw error;
          this.#compiler.refuse(node, "maxContains", `cannot be expressed: ${error.message}`);
          continue;
        }
      }
      found = { node, schema, negation, min, max };
    }
    return found;
  }

  #distinct(nodes: readonly SchemaNode[]): readonly unknown[] | undefined {
    const { keywords } = this.#compiler;
    const node = nodes.find((one) => keywords.flag(one, "uniqueItems"));
    if (!node || this.max <= 1) return undefined;
    const values = this.prefixLength === 0 && !this.contains ? this.#fewValues() : undefined;
    if (!values) {
      this.#compiler.refuse(
        node,
        "uniqueItems",
        `can be guaranteed only where items have at most ${distinctLimit} values, or there is at most one item`,
      );
    }
    return values;
  }

  /** All values of the items, where they are listed and few. */
  #fewValues(): readonly unknown[] | undefined {
    const { keywords, instances } = this.#compiler;
    const schemas = this.schemasAt(0);
    const leaves = this.#compiler.certain(schemas);
    const bits = leaves.reduce(
      (types, { node }) => types & keywords.types(node),
      typeBits.boolean | typeBits.null,
    );
    const listed = leaves.map(({ node }) => keywords.finite(node)).find(Boolean)?.values;
    const onlyScalars = leaves.some(
      ({ node }) => (keywords.types(node) & ~(typeBits.boolean | typeBits.null)) === 0,
    );
    const candidates = listed ?? (onlyScalars && bits !== 0 ? [true, false, null] : undefined);
    const values = candidates?.filter((value) =>
      schemas.every((schema) => instances.satisfies(schema, value)),
    );
    const different = values && [...new Map(values.map((value) => [equalityKey(value), value])).values()];
    return different && different.length <= distinctLimit ? different : undefined;
  }

  /** `unevaluatedItems` as if it stood behind the items of all that its schema leads to. */
  #unevaluated({ node }: Leaf, leaves: readonly Leaf[]): ArrayPart[] {
    const { keywords } = this.#compiler;
    const rest = keywords.schema(node, "unevaluatedItems");
    if (!rest || rest.schema === true) return [];
    const inside = evaluatedFor(node, leaves);
    if (inside.some((leaf) => keywords.value(leaf.node, "contains") !== undefined)) {
      this.#compiler.refuse(node, "unevaluatedItems", "beside contains cannot be expressed");
      return [];
    }
    const items = inside.map((leaf) => keywords.items(leaf.node));
    const covers = inside.some(
      (leaf) => leaf.node !== node && keywords.value(leaf.node, "unevaluatedItems") !== undefined,
    );
    if (covers || items.some((part) => part.rest)) return [];
    const any = keywords.document.node(node, true, "unevaluatedItems");
    const length = Math.max(0, ...items.map(({ prefix }) => prefix.length));
    return [{ prefix: Array.from({ length }, () => any), rest }];
  }
}
