import { decodeFragment, pointed, pointerNames } from "../../lib/json-pointer.ts";

/** A JSON schema; anything that is no object allows everything. */
export type Schema = unknown;

type SchemaObject = Readonly<Record<string, unknown>>;

/** How a value is written where strings stand bare: always as text, always as JSON, or as either, which only the value tells. */
export type ValueKind = "text" | "json" | "either";

function isObject(value: unknown): value is SchemaObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Schemas of an object's properties, in their order; of a reference, those of what it points to inside the schema itself. */
export function propertiesOf(schema: Schema): ReadonlyMap<string, Schema> {
  const at = resolve(schema, schema);
  const properties = isObject(at) ? at.properties : undefined;
  return new Map(isObject(properties) ? Object.entries(properties) : []);
}

/** Names of the properties that an object must have, as {@link propertiesOf} tells those that it may have. */
export function requiredOf(schema: Schema): ReadonlySet<string> {
  const at = resolve(schema, schema);
  const required = isObject(at) ? at.required : undefined;
  return new Set(Array.isArray(required) ? required.filter((name) => typeof name === "string") : []);
}

/** Follows `$ref` to a place inside `root`; undefined where it leads nowhere or around in a circle. */
export function resolve(schema: Schema, root: Schema): Schema {
  let at = schema;
  for (let hops = 0; isObject(at) && typeof at.$ref === "string"; hops++) {
    const pointer = at.$ref.startsWith("#") ? decodeFragment(at.$ref.slice(1)) : undefined;
    // Anchors, which are fragments without a slash, are not looked for.
    if (hops > 32 || pointer === undefined || (pointer !== "" && !pointer.startsWith("/"))) return undefined;
    at = pointerNames(pointer).reduce(pointed, root);
  }
  return at;
}

const jsonTypes = ["string", "number", "boolean", "null", "object", "array"] as const;
type JsonType = (typeof jsonTypes)[number] | "integer";

function typeOf(value: unknown): JsonType {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : (typeof value as JsonType);
}

/** The values that a schema lists; undefined where it lists none. */
export function valuesOf(schema: Schema): readonly unknown[] | undefined {
  if (!isObject(schema)) return undefined;
  if (Object.hasOwn(schema, "const")) return [schema.const];
  return Array.isArray(schema.enum) && schema.enum.length > 0 ? schema.enum : undefined;
}

/** The schemas one of which a value must fit; undefined where there is no such choice. */
export function choicesOf(schema: Schema): readonly Schema[] | undefined {
  const choices = isObject(schema) ? (schema.anyOf ?? schema.oneOf) : undefined;
  return Array.isArray(choices) && choices.length > 0 ? choices : undefined;
}

/** Schema of an array's items. */
export function itemsOf(schema: Schema): Schema {
  return isObject(schema) ? schema.items : undefined;
}

/** Types that a schema allows; all of them where it does not say. `root` holds what `$ref` points to. */
export function typesOf(schema: Schema, root: Schema, depth = 0): ReadonlySet<JsonType> {
  const at = resolve(schema, root);
  if (!isObject(at) || depth > 16) return new Set(jsonTypes);
  const values = valuesOf(at);
  if (values) return new Set(values.map(typeOf));
  if (at.type !== undefined) return new Set((Array.isArray(at.type) ? at.type : [at.type]) as JsonType[]);
  const choices = choicesOf(at);
  if (choices) return new Set(choices.flatMap((choice) => [...typesOf(choice, root, depth + 1)]));
  return new Set(jsonTypes);
}

/** The strings that a schema lists, where it lists strings only. */
export function bareStrings(schema: Schema, root: Schema): readonly string[] | undefined {
  const values = valuesOf(resolve(schema, root));
  return values?.every((value) => typeof value === "string") ? values : undefined;
}

function allows(types: ReadonlySet<JsonType>, type: JsonType): boolean {
  return types.has(type) || (type === "number" && types.has("integer"));
}

/** @param root The schema that `schema` is part of. */
export function valueKind(schema: Schema, root: Schema): ValueKind {
  const types = typesOf(schema, root);
  if (!types.has("string")) return "json";
  return types.size === 1 ? "text" : "either";
}

/** The JSON of a value that was written bare: itself where it is JSON of a type that the schema allows, else a string. */
export function bareToJson(text: string, schema: Schema, root: Schema): string {
  try {
    const type = typeOf(JSON.parse(text));
    const isAllowed = type !== "string" && allows(typesOf(schema, root), type);
    if (isAllowed || valueKind(schema, root) === "json") return text.trim();
  } catch {
    // Not JSON: then it is a string, or a word of Python.
  }
  const word = pythonWords.get(text.trim());
  if (word !== undefined && allows(typesOf(schema, root), typeOf(JSON.parse(word)))) return word;
  return JSON.stringify(text);
}

/** Python's words for what JSON has words for. */
export const pythonWords: ReadonlyMap<string, string> = new Map([
  ["True", "true"],
  ["False", "false"],
  ["None", "null"],
]);

/** A unit as it stands inside a JSON string. */
export function escapeUnit(unit: string): string {
  return unit < " " || unit === '"' || unit === "\\" ? JSON.stringify(unit).slice(1, -1) : unit;
}

/** {@link escapeUnit} for a text. */
export function escapeText(text: string): string {
  let escaped = "";
  for (const unit of text) escaped += escapeUnit(unit);
  return escaped;
}
