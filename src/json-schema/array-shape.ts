import { evaluatedFor, type Leaf } from "./alternatives.ts";
import type { Compiler } from "./compiler.ts";
import { everyType, typeBits } from "./keywords.ts";
import { schemaLimits } from "./limits.ts";
import { NoNegation } from "./negation.ts";
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

/** The most subsets of values that are written out for `uniqueItems`, a rule for each: those of ten, or pairs of more. */
const distinctSubsets = 1024;
/** The most values of which subsets are told apart, by the bits of an integer. */
const distinctValues = 30;

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
    const parts = [
      ...nodes.map((node) => keywords.items(node)),
      ...leaves.flatMap((leaf) => this.#unevaluated(leaf, leaves)),
    ];
    compiler.spend(leaves.length * 10);
    this.#parts = parts.filter(({ prefix, rest }) => prefix.length > 0 || rest);
    this.prefixLength = Math.max(0, ...this.#parts.map(({ prefix }) => prefix.length));
    this.min = Math.max(0, ...nodes.map((node) => keywords.count(node, "minItems") ?? 0));
    const tooMany = nodes.find((node) => (keywords.count(node, "minItems") ?? 0) > schemaLimits.repetitions);
    if (tooMany) throw keywords.error(tooMany, "minItems", `is above ${schemaLimits.repetitions}`);
    this.max = this.#most(nodes);
    this.contains = this.#contained(nodes);
    this.distinctValues = this.#distinct(nodes);
  }

  schemasAt(index: number): readonly SchemaNode[] {
    this.#compiler.spend(2 + this.#parts.length);
    return this.#parts.flatMap(({ prefix, rest }) => {
      const schema = index < prefix.length ? prefix[index] : rest;
      return schema ? [schema] : [];
    });
  }

  #most(nodes: readonly SchemaNode[]): number {
    const counts = nodes.flatMap((node) => this.#compiler.keywords.count(node, "maxItems") ?? []);
    const most = Math.min(Number.POSITIVE_INFINITY, ...counts);
    for (let index = 0; index <= this.prefixLength && index < most; index++) {
      if (this.schemasAt(index).some(({ schema }) => schema === false)) return index;
    }
    // More cannot be written out, and leaving the bound away would admit longer ones.
    return most === Number.POSITIVE_INFINITY ? most : Math.min(most, schemaLimits.repetitions);
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
        `can be guaranteed only where ${distinctSubsets} subsets of values at most are possible (ten listed values, or few of them at a time), or there is at most one item`,
      );
    }
    return values;
  }

  /** All values of the items, where they are listed and there are few ways to take some of them. */
  #fewValues(): readonly unknown[] | undefined {
    const { instances } = this.#compiler;
    const schemas = this.schemasAt(0);
    const values = this.#candidates(schemas)?.filter((value) =>
      schemas.every((schema) => instances.satisfies(schema, value)),
    );
    return values && subsets(values.length, this.max) <= distinctSubsets ? values : undefined;
  }

  /** Values among which are all that satisfy these schemas; undefined where they are not listed. */
  #candidates(schemas: readonly SchemaNode[]): readonly unknown[] | undefined {
    const { keywords } = this.#compiler;
    const nodes = this.#compiler.certain(schemas)?.map(({ node }) => node);
    if (!nodes) return [];
    const listed = nodes.map((node) => keywords.finite(node)).find(Boolean)?.values;
    if (listed) return listed.size <= schemaLimits.countingRules ? [...listed.values()] : undefined;
    const types = nodes.reduce((bits, node) => bits & keywords.types(node), everyType);
    return (types & ~(typeBits.boolean | typeBits.null)) === 0 ? [true, false, null] : undefined;
  }

  /** `unevaluatedItems` as if it stood behind the items of all that its schema leads to. */
  #unevaluated({ node }: Leaf, leaves: readonly Leaf[]): ArrayPart[] {
    const { keywords } = this.#compiler;
    const rest = keywords.schema(node, "unevaluatedItems");
    if (!rest || rest.schema === true) return [];
    const inside = evaluatedFor(this.#compiler, node, leaves);
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

/** How many sets of at most `most` there are of so many values. */
function subsets(values: number, most: number): number {
  if (values > distinctValues) return Number.POSITIVE_INFINITY;
  let sets = 1;
  let ofLength = 1;
  for (let length = 1; length <= Math.min(values, most); length++) {
    ofLength *= (values - length + 1) / length;
    sets += ofLength;
  }
  return sets;
}
