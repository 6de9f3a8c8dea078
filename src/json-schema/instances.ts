import type { Compiler } from "./compiler.ts";
import { compareNumbers } from "./decimal.ts";
import { integerFormats } from "./formats.ts";
import { equalityKey, isObject, type JsonObject } from "./json-value.ts";
import { typeBits } from "./keywords.ts";
import { excludedText, excludedValues, type MadeSchema } from "./made-schema.ts";
import type { SchemaNode } from "./schema-document.ts";

/** Schemas inside one another while a value is checked; reached only by references that go round without end. */
const depthLimit = 1000;

/** Checks values that a schema lists against its other keywords. */
export class Instances {
  readonly #compiler: Compiler;
  #depth = 0;

  constructor(compiler: Compiler) {
    this.#compiler = compiler;
  }

  /** Whether a value satisfies a schema. @throws JsonSchemaError where the schema is wrong. */
  satisfies(node: SchemaNode, value: unknown): boolean {
    if (typeof node.schema === "boolean") return node.schema;
    if (++this.#depth > depthLimit) {
      throw this.#compiler.keywords.error(node, "$ref", "goes round without end");
    }
    this.#compiler.spend(12);
    const holds =
      this.#scalar(node, value) &&
      this.#combined(node, value) &&
      (!Array.isArray(value) || this.#array(node, value)) &&
      (!isObject(value) || this.#object(node, value));
    this.#depth--;
    return holds;
  }

  #combined(node: SchemaNode, value: unknown): boolean {
    const { keywords } = this.#compiler;
    const holds = (child: SchemaNode) => this.satisfies(child, value);
    if (!this.#compiler.references(node).every(holds)) return false;
    if (keywords.schemaList(node, "allOf")?.every(holds) === false) return false;
    if (keywords.schemaList(node, "anyOf")?.some(holds) === false) return false;
    const one = keywords.schemaList(node, "oneOf");
    if (one && one.filter(holds).length !== 1) return false;
    const negated = keywords.schema(node, "not");
    if (negated && holds(negated)) return false;
    const condition = keywords.schema(node, "if");
    const next = condition && keywords.schema(node, holds(condition) ? "then" : "else");
    return !next || holds(next);
  }

  #scalar(node: SchemaNode, value: unknown): boolean {
    const { keywords } = this.#compiler;
    if ((keywords.types(node) & typeOfValue(value)) === 0) return false;
    const listed = keywords.finite(node)?.values;
    const excluded = (node.schema as MadeSchema)[excludedValues];
    if (listed || excluded) {
      const key = equalityKey(value);
      this.#compiler.spend(key.length / 16);
      if (listed?.has(key) === false || excluded?.has(key)) return false;
    }
    if (typeof value === "string") return this.#string(node, value);
    return (typeof value !== "number" && typeof value !== "bigint") || this.#number(node, value);
  }

  #string(node: SchemaNode, value: string): boolean {
    const { keywords, strings, terms } = this.#compiler;
    const [min, max] = [keywords.count(node, "minLength"), keywords.count(node, "maxLength")];
    if (min !== undefined || max !== undefined) {
      this.#compiler.spend(value.length / 8);
      const length = Array.from(value).length;
      if (length < (min ?? 0) || length > (max ?? length)) return false;
    }
    const pattern = keywords.string(node, "pattern");
    const format = keywords.string(node, "format");
    const languages = [
      pattern === undefined ? undefined : strings.pattern(node, "pattern", pattern),
      format === undefined ? undefined : strings.format(node, format),
    ];
    if (!languages.every((term) => term === undefined || terms.matches(term, value))) return false;
    const refused = (node.schema as MadeSchema)[excludedText];
    return !refused || !this.satisfies(keywords.document.node(node, refused), value);
  }

  #number(node: SchemaNode, value: number | bigint): boolean {
    const { keywords } = this.#compiler;
    const compared = (keyword: string) => {
      const bound = keywords.number(node, keyword);
      return bound === undefined ? undefined : compareNumbers(value, bound);
    };
    if ((compared("minimum") ?? 0) < 0 || (compared("maximum") ?? 0) > 0) return false;
    if ((compared("exclusiveMinimum") ?? 1) <= 0 || (compared("exclusiveMaximum") ?? -1) >= 0) return false;
    const range = integerFormats.get(keywords.string(node, "format") ?? "");
    if (range && (!isInteger(value) || value < range.low || value > range.high)) return false;
    const divisor = keywords.number(node, "multipleOf");
    return divisor === undefined || Number.isInteger(Number(value) / Number(divisor));
  }

  #array(node: SchemaNode, value: readonly unknown[]): boolean {
    const { keywords } = this.#compiler;
    if (value.length < (keywords.count(node, "minItems") ?? 0)) return false;
    if (value.length > (keywords.count(node, "maxItems") ?? value.length)) return false;
    const { prefix, rest } = keywords.items(node);
    this.#compiler.spend(value.length / 4);
    const fits = value.every((item, index) => {
      const child = index < prefix.length ? prefix[index] : rest;
      return !child || this.satisfies(child, item);
    });
    if (!fits) return false;
    if (keywords.flag(node, "uniqueItems") && this.#hasEqual(value)) return false;
    this.#refuseUnevaluated(node, "unevaluatedItems");
    const contained = keywords.schema(node, "contains");
    if (!contained) return true;
    const count = value.filter((item) => this.satisfies(contained, item)).length;
    return (
      count >= (keywords.count(node, "minContains") ?? 1) &&
      count <= (keywords.count(node, "maxContains") ?? count)
    );
  }

  #hasEqual(values: readonly unknown[]): boolean {
    const keys = new Set<string>();
    for (const value of values) {
      const key = equalityKey(value);
      this.#compiler.spend(1 + key.length / 16);
      keys.add(key);
    }
    return keys.size < values.length;
  }

  #object(node: SchemaNode, value: JsonObject): boolean {
    const { keywords } = this.#compiler;
    const names = Object.keys(value);
    this.#compiler.spend(names.length + keywords.names(node, "required").size / 8);
    if (names.length < (keywords.count(node, "minProperties") ?? 0)) return false;
    if (names.length > (keywords.count(node, "maxProperties") ?? names.length)) return false;
    for (const name of keywords.names(node, "required")) if (!Object.hasOwn(value, name)) return false;
    this.#refuseUnevaluated(node, "unevaluatedProperties");
    return this.#properties(node, value) && this.#dependencies(node, value);
  }

  #properties(node: SchemaNode, value: JsonObject): boolean {
    const { keywords, strings, terms } = this.#compiler;
    const properties = keywords.schemaMap(node, "properties");
    const patterns = [...keywords.schemaMap(node, "patternProperties")];
    const others = keywords.schema(node, "additionalProperties");
    const nameSchema = keywords.schema(node, "propertyNames");
    return Object.entries(value).every(([name, item]) => {
      if (nameSchema && !this.satisfies(nameSchema, name)) return false;
      const own = properties.get(name);
      const matching = patterns.filter(([pattern]) => {
        const term = strings.pattern(node, "patternProperties", pattern);
        return term !== undefined && terms.matches(term, name);
      });
      const children = [...(own ? [own] : []), ...matching.map(([, child]) => child)];
      if (children.length === 0 && others) children.push(others);
      return children.every((child) => this.satisfies(child, item));
    });
  }

  #dependencies(node: SchemaNode, value: JsonObject): boolean {
    const { keywords } = this.#compiler;
    const has = (name: string) => Object.hasOwn(value, name);
    for (const keyword of ["dependentRequired", "dependencies"]) {
      for (const [name, others] of keywords.map(node, keyword)) {
        this.#compiler.spend(0.5);
        if (!has(name)) continue;
        const holds = Array.isArray(others)
          ? others.every((other) => has(String(other)))
          : this.satisfies(keywords.document.node(node, others, keyword, name), value);
        if (!holds) return false;
      }
    }
    for (const [name, child] of keywords.schemaMap(node, "dependentSchemas")) {
      if (has(name) && !this.satisfies(child, value)) return false;
    }
    return true;
  }

  #refuseUnevaluated(node: SchemaNode, keyword: string): void {
    const value = this.#compiler.keywords.value(node, keyword);
    if (value === undefined || value === true) return;
    this.#compiler.refuse(node, keyword, "beside enum or const is not checked");
  }
}

function isInteger(value: number | bigint): boolean {
  return typeof value === "bigint" || Number.isInteger(value);
}

function typeOfValue(value: unknown): number {
  if (value === null) return typeBits.null;
  if (Array.isArray(value)) return typeBits.array;
  if (typeof value === "number" || typeof value === "bigint") {
    return isInteger(value) ? typeBits.integer : typeBits.number & ~typeBits.integer;
  }
  if (typeof value === "string") return typeBits.string;
  return typeof value === "boolean" ? typeBits.boolean : typeBits.object;
}
