import { JsonSchemaError, pointerStep } from "./json-schema-error.ts";
import { schemaLimits } from "./limits.ts";

export type JsonObject = { readonly [name: string]: unknown };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A member of an object that is its own, whatever the name. */
export function member(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** A text that equal JSON values share: names sorted, and no difference between 1 and 1.0. */
export function equalityKey(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(equalityKey).join()}]`;
  if (isObject(value)) {
    const names = Object.keys(value).sort();
    return `{${names.map((name) => `${JSON.stringify(name)}:${equalityKey(value[name])}`).join()}}`;
  }
  if (typeof value === "bigint") return equalityKey(Number(value));
  return JSON.stringify(value === 0 ? 0 : value);
}

/** A value as JSON; unlike `JSON.stringify`, it knows integers of any size. */
export function jsonText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(jsonText).join()}]`;
  if (isObject(value)) {
    const members = Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}:${jsonText(item)}`);
    return `{${members.join()}}`;
  }
  return typeof value === "bigint" ? String(value) : JSON.stringify(value);
}

/**
 * Refuses what is no JSON, and what is too large or too deep to be worked on. Walks without recursion, so that depth
 * cannot exhaust the stack.
 * @throws JsonSchemaError
 */
export function checkSize(schema: unknown): void {
  let values = 0;
  let length = 0;
  const tooLarge = (message: string) => new JsonSchemaError("", undefined, message);
  const queue: { value: unknown; pointer: string; depth: number }[] = [
    { value: schema, pointer: "", depth: 0 },
  ];
  for (let next = queue.pop(); next; next = queue.pop()) {
    const { value, pointer, depth } = next;
    const fail = (message: string) => new JsonSchemaError(pointer, undefined, message);
    if (++values > schemaLimits.values) {
      throw tooLarge(`the schema has more than ${schemaLimits.values} values; split it or leave parts out`);
    }
    if (depth > schemaLimits.depth) {
      throw fail(`the schema is nested more than ${schemaLimits.depth} deep; use $ref for what recurs`);
    }
    if (typeof value === "string") length += value.length;
    else if (typeof value === "object" && value !== null) {
      for (const [name, item] of Object.entries(value)) {
        length += name.length;
        queue.push({ value: item, pointer: pointer + pointerStep(name), depth: depth + 1 });
      }
    } else if (typeof value === "number" ? !Number.isFinite(value) : !isScalar(value)) {
      throw fail(`${String(value)} is no JSON value`);
    }
    if (length > schemaLimits.textLength) {
      throw tooLarge(
        `the schema has more than ${schemaLimits.textLength} characters; leave descriptions out`,
      );
    }
  }
}

function isScalar(value: unknown): boolean {
  return value === null || typeof value === "boolean" || typeof value === "bigint";
}
