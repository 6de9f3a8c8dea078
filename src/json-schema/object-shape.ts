import { evaluatedFor, type Leaf } from "./alternatives.ts";
import type { Compiler } from "./compiler.ts";
import { schemaLimits } from "./limits.ts";
import type { SchemaNode } from "./schema-document.ts";
import type { Term } from "./term.ts";

/** What one schema says about the members of an object. */
interface ObjectPart {
  readonly properties: ReadonlyMap<string, SchemaNode>;
  readonly patterns: readonly { readonly term: Term; readonly child: SchemaNode }[];
  /** For names that neither of them covers; undefined for no limit. */
  readonly others: SchemaNode | undefined;
}

/** What several schemas together say about the members of an object. */
export class ObjectShape {
  readonly #compiler: Compiler;
  readonly #nodes: readonly SchemaNode[];
  readonly #parts: readonly ObjectPart[];
  /** Strings that may be names. */
  readonly #names: Term;
  /** Names that the schemas give, in their order. */
  readonly named: readonly string[];
  readonly required: ReadonlySet<string>;
  /** Whether names that no schema gives are left out by option, though the schemas would allow them. */
  readonly #closed: boolean;

  constructor(compiler: Compiler, leaves: readonly Leaf[]) {
    this.#compiler = compiler;
    const { keywords, terms } = compiler;
    const nodes = leaves.map(({ node }) => node);
    this.#nodes = nodes;
    const own = nodes.map((node) => this.#part(node));
    const parts = [...own, ...leaves.flatMap((leaf) => this.#unevaluated(leaf, leaves))];
    this.#parts = parts.filter(
      ({ properties, patterns, others }) => properties.size > 0 || patterns.length > 0 || others,
    );
    this.required = new Set(nodes.flatMap((node) => [...keywords.names(node, "required")]));
    const nameSchemas = nodes.flatMap((node) => keywords.schema(node, "propertyNames") ?? []);
    this.#names = terms.intersection(...nameSchemas.map((node) => compiler.strings.language([node])));
    const listed = nameSchemas.flatMap((node) =>
      (compiler.certain([node]) ?? []).flatMap((leaf) => [
        ...(keywords.finite(leaf.node)?.values.values() ?? []),
      ]),
    );
    const given = [...own.flatMap(({ properties }) => [...properties.keys()]), ...this.required];
    compiler.spend(given.length + listed.length + leaves.length * 10);
    this.named = [...new Set([...given, ...listed.filter((name) => typeof name === "string")])];
    const open = nodes.every((node) =>
      ["additionalProperties", "unevaluatedProperties"].every(
        (keyword) => keywords.value(node, keyword) === undefined,
      ),
    );
    this.#closed = compiler.options.additionalProperties === "refused" && open && this.named.length > 0;
  }

  /** Schemas for the value under a name. */
  schemasOf(name: string): readonly SchemaNode[] {
    this.#compiler.spend(5 + this.#parts.length * 2);
    return this.#parts.flatMap((part) => {
      const property = part.properties.get(name);
      const found = part.patterns.filter(({ term }) => this.#compiler.terms.matches(term, name));
      return covering(part, [...(property ? [property] : []), ...found.map(({ child }) => child)]);
    });
  }

  /** Whether `propertyNames` allows a name. */
  allowsName(name: string): boolean {
    return this.#compiler.terms.matches(this.#names, name);
  }

  /** Names that no schema gives, divided by the patterns that they match; and the schemas for their values. */
  otherNames(): { names: Term; schemas: readonly SchemaNode[] }[] {
    const { terms, keywords } = this.#compiler;
    const patterns = [...new Set(this.#parts.flatMap((part) => part.patterns.map(({ term }) => term)))];
    const refused = this.#closed || this.#parts.some(({ others }) => others?.schema === false);
    if (refused && patterns.length === 0) return [];
    const given = terms.union(...this.named.map((name) => terms.literal(name)));
    let kinds: { names: Term; matched: readonly Term[] }[] = [
      { names: terms.intersection(this.#names, terms.complement(given)), matched: [] },
    ];
    for (const pattern of patterns) {
      kinds = kinds.flatMap(({ names, matched }) => [
        { names: terms.intersection(names, pattern), matched: [...matched, pattern] },
        { names: terms.intersection(names, terms.complement(pattern)), matched },
      ]);
      kinds = kinds.filter(({ names }) => this.#compiler.strings.isPossible(names));
      if (kinds.length > schemaLimits.keyKinds) {
        const node = this.#nodes.find((one) => keywords.map(one, "patternProperties").length > 0)!;
        throw keywords.error(
          node,
          "patternProperties",
          `divides names into more than ${schemaLimits.keyKinds} kinds; use fewer patterns that overlap`,
        );
      }
    }
    return kinds
      .filter(({ matched }) => !this.#closed || matched.length > 0)
      .map(({ names, matched }) => ({
        names,
        schemas: this.#parts.flatMap((part) =>
          covering(
            part,
            part.patterns.filter(({ term }) => matched.includes(term)).map(({ child }) => child),
          ),
        ),
      }));
  }

  #part(node: SchemaNode): ObjectPart {
    const { keywords, strings, terms } = this.#compiler;
    return {
      properties: keywords.schemaMap(node, "properties"),
      patterns: Array.from(keywords.schemaMap(node, "patternProperties"), ([pattern, child]) => ({
        term: strings.pattern(node, "patternProperties", pattern) ?? terms.never,
        child,
      })),
      others: keywords.schema(node, "additionalProperties"),
    };
  }

  /** `unevaluatedProperties` as if it were `additionalProperties` beside all that its schema leads to. */
  #unevaluated({ node }: Leaf, leaves: readonly Leaf[]): ObjectPart[] {
    const { keywords } = this.#compiler;
    const others = keywords.schema(node, "unevaluatedProperties");
    if (!others) return [];
    const inside = evaluatedFor(this.#compiler, node, leaves);
    const covers = inside.some(
      (leaf) =>
        keywords.value(leaf.node, "additionalProperties") !== undefined ||
        (leaf.node !== node && keywords.value(leaf.node, "unevaluatedProperties") !== undefined),
    );
    if (covers) return [];
    const any = keywords.document.node(node, true, "unevaluatedProperties");
    const parts = inside.map((leaf) => this.#part(leaf.node));
    return [
      {
        properties: new Map(
          parts.flatMap(({ properties }) => [...properties.keys()].map((name) => [name, any])),
        ),
        patterns: parts.flatMap(({ patterns }) => patterns.map(({ term }) => ({ term, child: any }))),
        others,
      },
    ];
  }
}

/** Schemas for a value that a part has found by its name; else what it says of other names. */
function covering({ others }: ObjectPart, found: readonly SchemaNode[]): readonly SchemaNode[] {
  if (found.length > 0) return found;
  return others ? [others] : [];
}
