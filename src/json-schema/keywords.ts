import { pointerStep } from "../../lib/json-pointer.ts";
import { JsonSchemaError } from "./json-schema-error.ts";
import { equalityKey, isObject, type JsonObject, member } from "./json-value.ts";
import { isMade, type MadeSchema, notInteger } from "./made-schema.ts";
import { type SchemaDocument, type SchemaNode, typeOf } from "./schema-document.ts";

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

/** Values that a schema lists, by what equal ones share, and the keyword that does. */
export interface Listed {
  readonly keyword: string;
  readonly values: ReadonlyMap<string, unknown>;
}

const none: ReadonlyMap<string, never> = new Map<string, never>();
const nameless: ReadonlySet<string> = new Set<string>();

/** Reads the keywords of schema objects, and refuses wrong values by name. */
export class Keywords {
  readonly document: SchemaDocument;
  readonly #names = new Readings<ReadonlySet<string>>();
  readonly #lists = new Readings<readonly SchemaNode[]>();
  readonly #maps = new Readings<ReadonlyMap<string, SchemaNode>>();
  readonly #listed = new Readings<Listed>();

  constructor(document: SchemaDocument) {
    this.document = document;
  }

  /** A keyword's value; undefined where it is missing or the draft does not know it. */
  value({ schema }: SchemaNode, keyword: string): unknown {
    if (typeof schema === "boolean") return undefined;
    const value = member(schema, keyword);
    return value === undefined || this.#isUnknown(schema, keyword) ? undefined : value;
  }

  #isUnknown(schema: JsonObject, keyword: string): boolean {
    const { draft } = this.document;
    if (draft === undefined || isMade(schema)) return false;
    if (draft === "draft-07")
      return laterKeywords.has(keyword) || (Object.hasOwn(schema, "$ref") && keyword !== "$ref");
    if (keyword === "prefixItems" || keyword === "$dynamicRef") return draft === "2019-09";
    if (keyword === "$recursiveRef" || keyword === "additionalItems") return draft === "2020-12";
    return false;
  }

  /** Keywords of a schema that say something about values; the others are notes, or unknown. */
  assertions({ schema }: SchemaNode): readonly string[] {
    return typeof schema === "boolean"
      ? []
      : Object.keys(schema).filter((keyword) => assertions.has(keyword));
  }

  /** Whether a schema plainly allows everything. */
  allowsAll(node: SchemaNode): boolean {
    if (typeof node.schema === "boolean") return node.schema;
    return !isMade(node.schema) && this.assertions(node).length === 0;
  }

  error(node: SchemaNode, keyword: string, message: string): JsonSchemaError {
    return new JsonSchemaError(pointerTo(node, keyword), keyword, `${keyword} ${message}`);
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

  names(node: SchemaNode, keyword: string): ReadonlySet<string> {
    const list = this.list(node, keyword);
    if (!list) return nameless;
    return this.#names.of(node, keyword, () => {
      if (!list.every((name) => typeof name === "string"))
        throw this.error(node, keyword, "must be a list of strings");
      return new Set(list);
    });
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
    if (!list) return undefined;
    return this.#lists.of(node, keyword, () => {
      if (list.length === 0 && !emptyLists.has(keyword)) throw this.error(node, keyword, "must not be empty");
      return list.map((schema, index) => this.document.node(node, schema, keyword, index));
    });
  }

  schemaMap(node: SchemaNode, keyword: string): ReadonlyMap<string, SchemaNode> {
    if (this.value(node, keyword) === undefined) return none;
    return this.#maps.of(node, keyword, () => {
      const entries = this.map(node, keyword);
      return new Map(entries.map(([name, value]) => [name, this.document.node(node, value, keyword, name)]));
    });
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
  finite(node: SchemaNode): Listed | undefined {
    const [only, list] = [this.value(node, "const"), this.list(node, "enum")];
    if (only === undefined && list === undefined) return undefined;
    return this.#listed.of(node, "enum", () => {
      const all = list && new Map(list.map((value) => [equalityKey(value), value]));
      if (all && only === undefined) return { keyword: "enum", values: all };
      const key = equalityKey(only);
      return { keyword: "const", values: new Map(!all || all.has(key) ? [[key, only]] : []) };
    });
  }

  /** Schemas of the first items of an array, and of those behind them. */
  items(node: SchemaNode): { prefix: readonly SchemaNode[]; rest: SchemaNode | undefined } {
    if (Array.isArray(this.value(node, "items"))) {
      if (this.document.draft === "2020-12")
        throw this.error(node, "items", "must be a schema; use prefixItems");
      return {
        prefix: this.schemaList(node, "items") ?? [],
        rest: this.schema(node, "additionalItems"),
      };
    }
    return { prefix: this.schemaList(node, "prefixItems") ?? [], rest: this.schema(node, "items") };
  }
}

/** What was read of keywords, so that each is checked once. */
class Readings<T> {
  readonly #known = new Map<SchemaNode, Map<string, T>>();

  of(node: SchemaNode, keyword: string, read: () => T): T {
    let known = this.#known.get(node);
    if (!known) {
      known = new Map();
      this.#known.set(node, known);
    }
    let value = known.get(keyword);
    if (value === undefined) {
      value = read();
      known.set(keyword, value);
    }
    return value;
  }
}

/** JSON pointer to a keyword; what was made stands for the place that it was made for. */
export function pointerTo({ schema, pointer }: SchemaNode, keyword: string): string {
  return isMade(schema) ? pointer : pointer + pointerStep(keyword);
}

/** Lists of schemas that may be empty, in the standard or as tools write them. */
const emptyLists = new Set(["items", "prefixItems", "allOf"]);

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

const assertions = new Set([
  "$ref",
  "$dynamicRef",
  "$recursiveRef",
  "allOf",
  "anyOf",
  "oneOf",
  "not",
  "if",
  "type",
  "enum",
  "const",
  "multipleOf",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "minLength",
  "maxLength",
  "pattern",
  "format",
  "items",
  "prefixItems",
  "additionalItems",
  "contains",
  "minItems",
  "maxItems",
  "uniqueItems",
  "unevaluatedItems",
  "properties",
  "patternProperties",
  "additionalProperties",
  "propertyNames",
  "required",
  "minProperties",
  "maxProperties",
  "dependentRequired",
  "dependentSchemas",
  "dependencies",
  "unevaluatedProperties",
]);

/** A value for messages, cut where it is long. */
export function show(value: unknown): string {
  const text = typeof value === "bigint" ? String(value) : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
