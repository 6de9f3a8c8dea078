import { JsonSchemaError, pointerStep } from "./json-schema-error.ts";
import { isObject, type JsonObject, member } from "./json-value.ts";
import { type SchemaDocument, type SchemaNode, typeOf } from "./schema-document.ts";

/**
 * Keywords of schemas that are made here, to say what JSON schema has no keyword for. Symbols, so that no schema from
 * outside can hold them.
 */
export const excludedValues = Symbol("values that are not allowed");
export const excludedText = Symbol("keywords that no string may satisfy");
export const notInteger = Symbol("no integer");
/** Marks schemas made here: what their keywords name does not count as evaluated. */
export const made = Symbol("made");
/** Marks those for what another schema refuses, under which nothing counts as evaluated. */
export const opposite = Symbol("opposite");

export type MadeSchema = JsonObject & {
  readonly [excludedValues]?: readonly unknown[];
  readonly [excludedText]?: JsonObject;
  readonly [notInteger]?: true;
  readonly [made]?: true;
  readonly [opposite]?: true;
};

export function madeOf(schema: MadeSchema): JsonObject {
  return { ...schema, [made]: true };
}

/** Bits of the JSON types; a number that is no integer and one that is are two. */
export const typeBits = {
  null: 1,
  boolean: 2,
  integer: 4,
  number: 12,
  string: 16,
  array: 32,
  object: 64,
} as const;
export const everyType = 127;
/** What `number` has and `integer` has not. */
export const fractionBit = 8;

export type TypeName = keyof typeof typeBits;

/** Reads the keywords of schema objects, and refuses wrong values by name. */
export class Keywords {
  readonly document: SchemaDocument;

  constructor(document: SchemaDocument) {
    this.document = document;
  }

  /** A keyword's value; undefined where it is missing or the draft does not know it. */
  value({ schema }: SchemaNode, keyword: string): unknown {
    if (typeof schema === "boolean" || this.#isUnknown(schema, keyword)) return undefined;
    return member(schema, keyword);
  }

  #isUnknown(schema: JsonObject, keyword: string): boolean {
    const { draft } = this.document;
    if ((schema as MadeSchema)[made]) return false;
    if (draft === "draft-07")
      return laterKeywords.has(keyword) || (Object.hasOwn(schema, "$ref") && keyword !== "$ref");
    if (keyword === "prefixItems" || keyword === "$dynamicRef") return draft === "2019-09";
    if (keyword === "$recursiveRef" || keyword === "additionalItems") return draft === "2020-12";
    return false;
  }

  error(node: SchemaNode, keyword: string, message: string): JsonSchemaError {
    return new JsonSchemaError(node.pointer + pointerStep(keyword), keyword, `${keyword} ${message}`);
  }

  #typed<T>(
    node: SchemaNode,
    keyword: string,
    is: (value: unknown) => value is T,
    what: string,
  ): T | undefined {
    const value = this.value(node, keyword);
    if (value === undefined) return undefined;
    if (!is(value)) throw this.error(node, keyword, `must be ${what}, got ${typeOf(value)}`);
    return value;
  }

  count(node: SchemaNode, keyword: string): number | undefined {
    const value = this.value(node, keyword);
    if (value === undefined) return undefined;
    const number = typeof value === "bigint" ? Number(value) : value;
    if (typeof number !== "number" || !Number.isInteger(number) || number < 0) {
      throw this.error(node, keyword, `must be an integer of at least 0, got ${show(value)}`);
    }
    return number;
  }

  number(node: SchemaNode, keyword: string): number | bigint | undefined {
    const isNumber = (value: unknown): value is number | bigint =>
      typeof value === "number" || typeof value === "bigint";
    return this.#typed(node, keyword, isNumber, "a number");
  }

  string(node: SchemaNode, keyword: string): string | undefined {
    return this.#typed(node, keyword, (value) => typeof value === "string", "a string");
  }

  flag(node: SchemaNode, keyword: string): boolean {
    return this.#typed(node, keyword, (value) => typeof value === "boolean", "true or false") ?? false;
  }

  list(node: SchemaNode, keyword: string): readonly unknown[] | undefined {
    return this.#typed(node, keyword, Array.isArray, "a list");
  }

  names(node: SchemaNode, keyword: string): readonly string[] {
    const list = this.list(node, keyword) ?? [];
    if (!list.every((name) => typeof name === "string"))
      throw this.error(node, keyword, "must be a list of strings");
    return [...new Set(list)];
  }

  map(node: SchemaNode, keyword: string): readonly (readonly [string, unknown])[] {
    return Object.entries(this.#typed(node, keyword, isObject, "an object") ?? {});
  }

  schema(node: SchemaNode, keyword: string): SchemaNode | undefined {
    const value = this.value(node, keyword);
    return value === undefined ? undefined : this.document.node(node, value, keyword);
  }

  schemaList(node: SchemaNode, keyword: string): readonly SchemaNode[] | undefined {
    const list = this.list(node, keyword);
    if (list && list.length === 0 && keyword !== "items")
      throw this.error(node, keyword, "must not be empty");
    return list?.map((schema, index) => this.document.node(node, schema, keyword, index));
  }

  schemaMap(node: SchemaNode, keyword: string): readonly (readonly [string, SchemaNode])[] {
    return this.map(node, keyword).map(
      ([name, schema]) => [name, this.document.node(node, schema, keyword, name)] as const,
    );
  }

  /** Bits of the types that `type` and `nullable` allow. */
  types(node: SchemaNode): number {
    const value = this.value(node, "type");
    const fraction =
      typeof node.schema === "object" && (node.schema as MadeSchema)[notInteger] ? ~typeBits.integer : -1;
    if (value === undefined) return everyType & fraction;
    const names = Array.isArray(value) ? value : [value];
    let bits = this.flag(node, "nullable") ? typeBits.null : 0;
    for (const name of names) {
      if (typeof name !== "string" || !Object.hasOwn(typeBits, name)) {
        throw this.error(node, "type", `has ${show(name)}; types are ${Object.keys(typeBits).join(", ")}`);
      }
      bits |= typeBits[name as TypeName];
    }
    return bits & fraction;
  }

  /** Values that `const` and `enum` leave; undefined where there is neither. */
  finite(node: SchemaNode): { keyword: string; values: readonly unknown[] } | undefined {
    if (typeof node.schema === "object" && this.value(node, "const") !== undefined) {
      return { keyword: "const", values: [this.value(node, "const")] };
    }
    const values = this.list(node, "enum");
    return values && { keyword: "enum", values };
  }

  /** Schemas of the first items of an array, and of those behind them. */
  items(node: SchemaNode): { prefix: readonly SchemaNode[]; rest: SchemaNode | undefined; keyword: string } {
    if (Array.isArray(this.value(node, "items"))) {
      if (this.document.draft === "2020-12")
        throw this.error(node, "items", "must be a schema; use prefixItems");
      const prefix = this.schemaList(node, "items") ?? [];
      return { prefix, rest: this.schema(node, "additionalItems"), keyword: "additionalItems" };
    }
    const prefix = this.schemaList(node, "prefixItems") ?? [];
    return { prefix, rest: this.schema(node, "items"), keyword: "items" };
  }
}

/** Keywords that draft 7 has not. */
const laterKeywords = new Set([
  "$anchor",
  "$recursiveRef",
  "$dynamicRef",
  "prefixItems",
  "minContains",
  "maxContains",
  "dependentRequired",
  "dependentSchemas",
  "unevaluatedProperties",
  "unevaluatedItems",
]);

/** A value for messages, cut where it is long. */
export function show(value: unknown): string {
  const text = typeof value === "bigint" ? String(value) : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
