import { emptyFormats, exactFormats } from "./formats.ts";
import type { JsonObject } from "./json-value.ts";
import { everyType, fractionBit, type Keywords, type TypeName, typeBits } from "./keywords.ts";
import {
  excludedText,
  excludedValues,
  having,
  type MadeSchema,
  madeOf,
  not,
  notInteger,
  oppositeOf,
  type RawSchema,
  without,
  withProperty,
} from "./made-schema.ts";
import type { SchemaNode } from "./schema-document.ts";

/** A keyword of which the opposite cannot be said. */
export class NoNegation extends Error {
  readonly node: SchemaNode;
  readonly keyword: string;

  constructor(node: SchemaNode, keyword: string) {
    super(`the opposite of ${keyword} cannot be expressed`);
    this.node = node;
    this.keyword = keyword;
  }
}

/** The most schemas under a `oneOf` of which the opposite is written: a way for each two that hold at once. */
const negatedOptions = 12;
/** The most items of which one is wrong, in an opposite of `prefixItems`. */
const negatedPrefix = 64;

/** Makes schemas for the values that other schemas refuse. */
export class Negations {
  readonly #keywords: Keywords;
  readonly #known = new Map<SchemaNode, RawSchema>();

  constructor(keywords: Keywords) {
    this.#keywords = keywords;
  }

  /** @throws NoNegation */
  of(node: SchemaNode): RawSchema {
    if (typeof node.schema === "boolean") return !node.schema;
    let negation = this.#known.get(node);
    if (negation === undefined) {
      negation = oppositeOf(this.#options(node, node.schema));
      this.#known.set(node, negation);
    }
    return negation;
  }

  /**
   * Looks through a schema and those under it for what has no opposite.
   * @throws NoNegation
   */
  check(node: SchemaNode): void {
    const seen = new Set([node]);
    for (const next of seen) {
      this.of(next);
      for (const child of this.#children(next)) seen.add(child);
    }
  }

  /** The schemas that a negation goes on to negate. */
  #children(node: SchemaNode): SchemaNode[] {
    if (typeof node.schema === "boolean") return [];
    const keywords = this.#keywords;
    const { prefix, rest } = keywords.items(node);
    const single = ["contains", "if", "then", "else"].flatMap(
      (keyword) => keywords.schema(node, keyword) ?? [],
    );
    const lists = ["allOf", "anyOf", "oneOf"].flatMap((keyword) => keywords.schemaList(node, keyword) ?? []);
    const maps = ["properties", "dependentSchemas"].flatMap((keyword) => [
      ...keywords.schemaMap(node, keyword).values(),
    ]);
    const references = ["$ref", "$dynamicRef", "$recursiveRef"].flatMap((keyword) =>
      this.#referenced(node, keyword),
    );
    return [...lists, ...maps, ...prefix, ...(rest ? [rest] : []), ...single, ...references];
  }

  #referenced(node: SchemaNode, keyword: string): SchemaNode[] {
    const { document } = this.#keywords;
    const reference = this.#keywords.string(node, keyword);
    if (reference === undefined) return [];
    if (keyword !== "$ref" && document.hasSeveralResources) throw new NoNegation(node, keyword);
    return [document.resolve(node, keyword, reference)];
  }

  /** Schemas one of which a refused value satisfies: one of the keywords does not hold. */
  #options(node: SchemaNode, schema: JsonObject): RawSchema[] {
    const { [excludedValues]: values, [excludedText]: text } = schema as MadeSchema;
    const options: RawSchema[] = [];
    if (values) options.push(madeOf({ enum: [...values.values()] }));
    if (text) options.push(madeOf({ type: "string", ...text }));
    if ((schema as MadeSchema)[notInteger])
      options.push(madeOf({ type: ["null", "boolean", "integer", "string", "array", "object"] }));
    for (const keyword of Object.keys(schema)) {
      if (this.#keywords.value(node, keyword) !== undefined) options.push(...this.#negated(node, keyword));
    }
    return options;
  }

  #negated(node: SchemaNode, keyword: string): RawSchema[] {
    const { document } = this.#keywords;
    const raw = (child: SchemaNode | undefined) => not(child?.schema ?? true);
    switch (keyword) {
      case "type":
        return complementOfTypes(this.#keywords.types(node));
      case "const":
      case "enum":
        return [madeOf({ [excludedValues]: this.#keywords.finite(node)!.values })];
      case "minimum":
        return [madeOf({ type: "number", exclusiveMaximum: this.#keywords.number(node, keyword) })];
      case "maximum":
        return [madeOf({ type: "number", exclusiveMinimum: this.#keywords.number(node, keyword) })];
      case "exclusiveMinimum":
        return [madeOf({ type: "number", maximum: this.#keywords.number(node, keyword) })];
      case "exclusiveMaximum":
        return [madeOf({ type: "number", minimum: this.#keywords.number(node, keyword) })];
      case "minLength":
      case "minItems":
      case "minProperties":
      case "maxLength":
      case "maxItems":
      case "maxProperties":
        return outOfBound(keyword, this.#keywords.count(node, keyword)!);
      case "pattern":
      case "format":
        return this.#negatedText(node, keyword);
      case "required":
        return [...this.#keywords.names(node, keyword)].map((name) => without(name));
      case "properties":
        return [...this.#keywords.schemaMap(node, keyword)].flatMap(([name, child]) =>
          this.#keywords.allowsAll(child) ? [] : [withProperty(name, not(child.schema))],
        );
      case "items":
        return this.#negatedItems(node);
      case "prefixItems":
        return this.#negatedPrefix(node, keyword);
      case "allOf":
        return this.#keywords.schemaList(node, keyword)!.map(raw);
      case "anyOf":
        return [madeOf({ allOf: this.#keywords.schemaList(node, keyword)!.map(raw) })];
      case "not":
        return [document.node(node, this.#keywords.value(node, keyword), keyword).schema];
      case "oneOf":
        return this.#negatedChoice(node, this.#keywords.schemaList(node, keyword)!);
      case "$ref":
      case "$dynamicRef":
      case "$recursiveRef":
        return this.#referenced(node, keyword).map(raw);
      case "if":
        return this.#negatedCondition(node);
      case "dependentRequired":
      case "dependentSchemas":
      case "dependencies":
        return this.#keywords.map(node, keyword).flatMap(([name, then]) => negatedDependency(name, then));
      case "uniqueItems":
        if (!this.#keywords.flag(node, keyword)) return [];
        throw new NoNegation(node, keyword);
      case "additionalProperties":
      case "unevaluatedProperties":
      case "unevaluatedItems":
      case "additionalItems":
      case "propertyNames":
        // What refuses nothing has no opposite.
        if (this.#keywords.allowsAll(this.#keywords.schema(node, keyword)!)) return [];
        throw new NoNegation(node, keyword);
      case "contains": {
        const counted = ["minContains", "maxContains"].some(
          (other) => this.#keywords.value(node, other) !== undefined,
        );
        if (counted) throw new NoNegation(node, keyword);
        return [madeOf({ type: "array", items: raw(this.#keywords.schema(node, keyword)) })];
      }
      case "multipleOf":
      case "patternProperties":
        throw new NoNegation(node, keyword);
      default:
        return [];
    }
  }

  #negatedText(node: SchemaNode, keyword: string): RawSchema[] {
    const value = this.#keywords.string(node, keyword)!;
    if (keyword === "format" && emptyFormats.has(value)) return [];
    if (keyword === "format" && !exactFormats.has(value)) throw new NoNegation(node, keyword);
    return [madeOf({ type: "string", [excludedText]: { [keyword]: value } })];
  }

  #negatedItems(node: SchemaNode): RawSchema[] {
    const { prefix, rest } = this.#keywords.items(node);
    if (Array.isArray(this.#keywords.value(node, "items"))) return this.#negatedPrefix(node, "items");
    if (!rest || this.#keywords.allowsAll(rest)) return [];
    if (prefix.length > 0) throw new NoNegation(node, "items");
    return [madeOf({ type: "array", contains: not(rest.schema) })];
  }

  #negatedPrefix(node: SchemaNode, keyword: string): RawSchema[] {
    const { prefix } = this.#keywords.items(node);
    if (prefix.length > negatedPrefix) throw new NoNegation(node, keyword);
    return prefix.flatMap((child, index) => {
      if (this.#keywords.allowsAll(child)) return [];
      const prefixItems = [...Array.from({ length: index }, () => true), not(child.schema)];
      return [madeOf({ type: "array", minItems: index + 1, prefixItems })];
    });
  }

  /** None of the schemas holds, or two of them do. */
  #negatedChoice(node: SchemaNode, options: readonly SchemaNode[]): RawSchema[] {
    if (options.length > negatedOptions) throw new NoNegation(node, "oneOf");
    const pairs = options.flatMap(({ schema }, index) =>
      options.slice(index + 1).map((other) => madeOf({ allOf: [schema, other.schema] })),
    );
    return [madeOf({ allOf: options.map(({ schema }) => not(schema)) }), ...pairs];
  }

  #negatedCondition(node: SchemaNode): RawSchema[] {
    const condition = this.#keywords.schema(node, "if")!;
    const [yes, no] = [this.#keywords.schema(node, "then"), this.#keywords.schema(node, "else")];
    return [
      ...(yes ? [madeOf({ allOf: [condition.schema, not(yes.schema)] })] : []),
      ...(no ? [madeOf({ allOf: [not(condition.schema), not(no.schema)] })] : []),
    ];
  }
}

function negatedDependency(name: string, then: unknown): RawSchema[] {
  if (Array.isArray(then))
    return then.map((other) => madeOf({ allOf: [having(name), without(String(other))] }));
  return [madeOf({ allOf: [having(name), not(then as RawSchema)] })];
}

function complementOfTypes(bits: number): RawSchema[] {
  const rest = everyType & ~bits;
  const whole = (rest & typeBits.number) === typeBits.number;
  const skipped = whole ? "integer" : "number";
  const names = (Object.keys(typeBits) as TypeName[]).filter(
    (name) => name !== skipped && (rest & typeBits[name]) !== 0,
  );
  const options: RawSchema[] = names.length > 0 ? [madeOf({ type: names })] : [];
  if ((rest & typeBits.number) === fractionBit) options.push(madeOf({ type: "number", [notInteger]: true }));
  return options;
}

function outOfBound(keyword: string, bound: number): RawSchema[] {
  const measure = keyword.slice(3);
  const type = measure === "Length" ? "string" : measure === "Items" ? "array" : "object";
  if (keyword.startsWith("max")) return [madeOf({ type, [`min${measure}`]: bound + 1 })];
  return bound === 0 ? [] : [madeOf({ type, [`max${measure}`]: bound - 1 })];
}
