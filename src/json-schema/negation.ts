import { exactFormats } from "./formats.ts";
import type { JsonObject } from "./json-value.ts";
import {
  everyType,
  excludedText,
  excludedValues,
  fractionBit,
  type Keywords,
  type MadeSchema,
  madeOf,
  notInteger,
  opposite,
  type TypeName,
  typeBits,
} from "./keywords.ts";
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

type Raw = boolean | JsonObject;

/** Makes schemas for the values that other schemas refuse. */
export class Negations {
  readonly #keywords: Keywords;
  readonly #known = new Map<SchemaNode, Raw>();

  constructor(keywords: Keywords) {
    this.#keywords = keywords;
  }

  /** @throws NoNegation */
  of(node: SchemaNode): Raw {
    if (typeof node.schema === "boolean") return !node.schema;
    let negation = this.#known.get(node);
    if (negation === undefined) {
      const options = this.#options(node, node.schema);
      negation = options.length === 0 ? false : madeOf({ anyOf: options, [opposite]: true });
      this.#known.set(node, negation);
    }
    return negation;
  }

  /**
   * Looks through a schema and those under it for what has no opposite.
   * @throws NoNegation
   */
  check(node: SchemaNode, seen = new Set<SchemaNode>()): void {
    if (seen.has(node)) return;
    seen.add(node);
    this.of(node);
    for (const child of childrenOf(this.#keywords, node)) this.check(child, seen);
  }

  /** Schemas one of which a refused value satisfies: one of the keywords does not hold. */
  #options(node: SchemaNode, schema: JsonObject): Raw[] {
    const { [excludedValues]: values, [excludedText]: text } = schema as MadeSchema;
    const options: Raw[] = [];
    if (values) options.push({ enum: values });
    if (text) options.push(madeOf({ type: "string", ...text }));
    if ((schema as MadeSchema)[notInteger])
      options.push({ type: ["null", "boolean", "integer", "string", "array", "object"] });
    for (const keyword of Object.keys(schema)) {
      if (this.#keywords.value(node, keyword) !== undefined) options.push(...this.#negated(node, keyword));
    }
    return options;
  }

  #negated(node: SchemaNode, keyword: string): Raw[] {
    const { document } = this.#keywords;
    const raw = (child: SchemaNode | undefined) => not(child?.schema ?? true);
    switch (keyword) {
      case "type":
        return complementOfTypes(this.#keywords.types(node));
      case "const":
      case "enum":
        return [madeOf({ [excludedValues]: this.#keywords.finite(node)!.values })];
      case "minimum":
        return [{ type: "number", exclusiveMaximum: this.#keywords.number(node, keyword) }];
      case "maximum":
        return [{ type: "number", exclusiveMinimum: this.#keywords.number(node, keyword) }];
      case "exclusiveMinimum":
        return [{ type: "number", maximum: this.#keywords.number(node, keyword) }];
      case "exclusiveMaximum":
        return [{ type: "number", minimum: this.#keywords.number(node, keyword) }];
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
        return this.#keywords.names(node, keyword).map((name) => without(name));
      case "properties":
        return this.#keywords
          .schemaMap(node, keyword)
          .flatMap(([name, child]) => (child.schema === true ? [] : [withProperty(name, not(child.schema))]));
      case "items":
        return this.#negatedItems(node);
      case "prefixItems":
        return this.#negatedPrefix(node);
      case "allOf":
        return this.#keywords.schemaList(node, keyword)!.map(raw);
      case "anyOf":
        return [madeOf({ allOf: this.#keywords.schemaList(node, keyword)!.map(raw) })];
      case "not":
        return [document.node(node, this.#keywords.value(node, keyword), keyword).schema];
      case "$ref":
        return [raw(document.resolve(node, keyword, this.#keywords.string(node, keyword)!))];
      case "if":
        return this.#negatedCondition(node);
      case "dependentRequired":
        return this.#keywords
          .map(node, keyword)
          .flatMap(([name, others]) =>
            (Array.isArray(others) ? others : []).map((other) =>
              madeOf({ allOf: [having(name), without(String(other))] }),
            ),
          );
      case "uniqueItems":
      case "additionalProperties":
      case "unevaluatedProperties":
      case "unevaluatedItems":
      case "additionalItems":
        // What refuses nothing has no opposite.
        if (this.#keywords.value(node, keyword) === (keyword !== "uniqueItems")) return [];
        throw new NoNegation(node, keyword);
      case "contains": {
        const counted = ["minContains", "maxContains"].some(
          (other) => this.#keywords.value(node, other) !== undefined,
        );
        if (counted) throw new NoNegation(node, keyword);
        return [madeOf({ type: "array", items: raw(this.#keywords.schema(node, keyword)) })];
      }
      case "oneOf":
      case "multipleOf":
      case "patternProperties":
      case "propertyNames":
      case "dependencies":
      case "dependentSchemas":
      case "$dynamicRef":
      case "$recursiveRef":
        throw new NoNegation(node, keyword);
      default:
        return [];
    }
  }

  #negatedText(node: SchemaNode, keyword: string): Raw[] {
    const value = this.#keywords.string(node, keyword)!;
    if (keyword === "format" && !exactFormats.has(value)) throw new NoNegation(node, keyword);
    return [madeOf({ type: "string", [excludedText]: { [keyword]: value } })];
  }

  #negatedItems(node: SchemaNode): Raw[] {
    const { prefix, rest } = this.#keywords.items(node);
    if (rest?.schema === true || (!rest && prefix.length === 0)) return [];
    if (prefix.length > 0) throw new NoNegation(node, "items");
    return [madeOf({ type: "array", contains: not(rest!.schema) })];
  }

  #negatedPrefix(node: SchemaNode): Raw[] {
    return this.#keywords.items(node).prefix.map((child, index) =>
      madeOf({
        type: "array",
        minItems: index + 1,
        prefixItems: [...Array.from({ length: index }, () => true), not(child.schema)],
      }),
    );
  }

  #negatedCondition(node: SchemaNode): Raw[] {
    const condition = this.#keywords.schema(node, "if")!;
    const [yes, no] = [this.#keywords.schema(node, "then"), this.#keywords.schema(node, "else")];
    return [
      ...(yes ? [madeOf({ allOf: [condition.schema, not(yes.schema)] })] : []),
      ...(no ? [madeOf({ allOf: [not(condition.schema), not(no.schema)] })] : []),
    ];
  }
}

export function not(schema: Raw): Raw {
  return typeof schema === "boolean" ? !schema : madeOf({ not: schema });
}

/** Objects with a property. */
export function having(...names: readonly string[]): JsonObject {
  return madeOf({ type: "object", required: names });
}

/** Objects without a property. */
export function without(name: string): JsonObject {
  return madeOf({ type: "object", properties: Object.fromEntries([[name, false]]) });
}

function withProperty(name: string, schema: Raw): JsonObject {
  return madeOf({ type: "object", required: [name], properties: Object.fromEntries([[name, schema]]) });
}

function complementOfTypes(bits: number): Raw[] {
  const rest = everyType & ~bits;
  const whole = (rest & typeBits.number) === typeBits.number;
  const skipped = whole ? "integer" : "number";
  const names = (Object.keys(typeBits) as TypeName[]).filter(
    (name) => name !== skipped && (rest & typeBits[name]) !== 0,
  );
  const options: Raw[] = names.length > 0 ? [{ type: names }] : [];
  if ((rest & typeBits.number) === fractionBit) options.push(madeOf({ type: "number", [notInteger]: true }));
  return options;
}

function outOfBound(keyword: string, bound: number): Raw[] {
  const measure = keyword.slice(3);
  const type = measure === "Length" ? "string" : measure === "Items" ? "array" : "object";
  if (keyword.startsWith("max")) return [{ type, [`min${measure}`]: bound + 1 }];
  return bound === 0 ? [] : [{ type, [`max${measure}`]: bound - 1 }];
}

/** The schemas that a negation goes on to negate. */
function childrenOf(keywords: Keywords, node: SchemaNode): SchemaNode[] {
  if (typeof node.schema === "boolean") return [];
  const children = ["allOf", "anyOf"].flatMap((keyword) => keywords.schemaList(node, keyword) ?? []);
  children.push(...keywords.schemaMap(node, "properties").map(([, child]) => child));
  const { prefix, rest } = keywords.items(node);
  children.push(...prefix, ...(rest ? [rest] : []));
  for (const keyword of ["contains", "if", "then", "else"]) {
    const child = keywords.schema(node, keyword);
    if (child) children.push(child);
  }
  const reference = keywords.string(node, "$ref");
  if (reference !== undefined) children.push(keywords.document.resolve(node, "$ref", reference));
  return children;
}
