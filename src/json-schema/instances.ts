import type { Compiler } from "./compiler.ts";
import { compareNumbers } from "./decimal.ts";
import { integerFormats } from "./formats.ts";
import { equalityKey, isObject, type JsonObject } from "./json-value.ts";
import { excludedText, excludedValues, type MadeSchema, typeBits } from "./keywords.ts";
import type { SchemaNode } from "./schema-document.ts";

/** Schemas inside one another while a value is checked; reached only by references that go round without end. */
const depthLimit = 1000;

/** Checks values that a schema lists against its other keywords. */
export class Instances {
  readonly #compiler: Compiler;
  readonly #listed = new Map<SchemaNode, ReadonlySet<string>>();
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
    this.#compiler.spend(1);
    const holds =
      this.#combined(node, value) &&
      this.#scalar(node, value) &&
      (!Array.isArray(value) || this.#array(node, value)) &&
      (!isObject(value) || this.#object(node, value));
    this.#depth--;
    return holds;
  }

  #combined(node: SchemaNode, value: unknown): boolean {
    const { keywords, document } = this.#compiler;
    const holds = (child: SchemaNode) => this.satisfies(child, value);
    for (const keyword of ["$ref", "$dynamicRef", "$recursiveRef"]) {
      const reference = keywords.string(node, keyword);
      if (reference !== undefined && !holds(document.resolve(node, keyword, reference))) return false;
    }
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
    const listed = this.#keysOf(node);
    if (listed && !listed.has(equalityKey(value))) return false;
    const excluded = (node.schema as MadeSchema)[excludedValues];
    if (excluded?.some((other) => equalityKey(other) === equalityKey(value))) return false;
    if (typeof value === "string") return this.#string(node, value);
    return (typeof value !== "number" && typeof value !== "bigint") || this.#number(node, value);
  }

  /** Keys of the values that a schema lists; undefined where it lists none. */
  #keysOf(node: SchemaNode): ReadonlySet<string> | undefined {
    const finite = this.#compiler.keywords.finite(node);
    if (!finite) return undefined;
    let keys = this.#listed.get(node);
    if (!keys) {
      keys = new Set(finite.values.map(equalityKey));
      this.#listed.set(node, keys);
    }
    return keys;
  }

  #string(node: SchemaNode, value: string): boolean {
    const { keywords, strings, terms } = this.#compiler;
    const length = Array.from(value).length;
    if (length < (keywords.count(node, "minLength") ?? 0)) return false;
    if (length > (keywords.count(node, "maxLength") ?? length)) return false;
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
    const fits = value.every((item, index) => {
      const child = index < prefix.length ? prefix[index] : rest;
      return !child || this.satisfies(child, item);
    });
    if (!fits) return false;
    if (keywords.flag(node, "uniqueItems") && new Set(value.map(equalityKey)).size < value.length)
      return false;
    this.#refuseUnevaluated(node, "unevaluatedItems");
    const contained = keywords.schema(node, "contains");
    if (!contained) return true;
    const count = value.filter((item) => this.satisfies(contained, item)).length;
    return (
      count >= (keywords.count(node, "minContains") ?? 1) &&
      count <= (keywords.count(node, "maxContains") ?? count)
    );
  }

  #object(node: SchemaNode, value: JsonObject): boolean {
    const { keywords } = this.#compiler;
    const names = Object.keys(value);
    if (names.length < (keywords.count(node, "minProperties") ?? 0)) return false;
    if (names.length > (keywords.count(node, "maxProperties") ?? names.length)) return false;
    if (!keywords.names(node, "required").every((name) => Object.hasOwn(value, name))) return false;
    this.#refuseUnevaluated(node, "unevaluatedProperties");
    return this.#properties(node, value) && this.#dependencies(node, value);
  }

  #properties(node: SchemaNode, value: JsonObject): boolean {
    const { keywords, strings, terms } = this.#compiler;
    const properties = new Map(keywords.schemaMap(node, "properties"));
    const patterns = keywords.schemaMap(node, "patternProperties");
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
    const lists = ["dependentRequired", "dependencies"].flatMap((keyword) => keywords.map(node, keyword));
    const missing = lists.some(
      ([name, others]) =>
        Object.hasOwn(value, name) &&
        Array.isArray(others) &&
        !others.every((other) => Object.hasOwn(value, String(other))),
    );
    const schemas = keywords.schemaMap(node, "dependentSchemas").concat(
      keywords
        .map(node, "dependencies")
        .filter(([, child]) => !Array.isArray(child))
        .map(([name, child]) => [name, keywords.document.node(node, child, "dependencies", name)] as const),
    );
    return (
      !missing &&
      schemas.every(([name, child]) => !Object.hasOwn(value, name) || this.satisfies(child, value))
    );
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
