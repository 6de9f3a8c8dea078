import { pointerStep } from "../../lib/json-pointer.ts";
import { JsonSchemaError } from "./json-schema-error.ts";
import { schemaLimits } from "./limits.ts";

export type JsonObject = { readonly [name: string]: unknown };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A member of an object that is its own, whatever the name. */
export function member(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Members of an object as JSON has them: those that are undefined are none. */
function membersOf(object: JsonObject): [string, unknown][] {
  return Object.entries(object).filter(([, item]) => item !== undefined);
}

/** A text that equal JSON values share: names sorted, and no difference between 1 and 1.0. */
export function equalityKey(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(equalityKey).join()}]`;
  if (isObject(value)) {
    const members = membersOf(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([name, item]) => `${JSON.stringify(name)}:${equalityKey(item)}`).join()}}`;
  }
  if (typeof value === "bigint") return equalityKey(Number(value));
  return JSON.stringify(value === 0 ? 0 : value);
}

/** A value as JSON; unlike `JSON.stringify`, it knows integers of any size. */
export function jsonText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(jsonText).join()}]`;
  if (isObject(value)) {
    return `{${membersOf(value)
      .map(([name, item]) => `${JSON.stringify(name)}:${jsonText(item)}`)
      .join()}}`;
  }
  return typeof value === "bigint" ? String(value) : JSON.stringify(value);
}

/** A value inside the one that is checked, and how it was come by. */
interface Place {
  readonly value: unknown;
  readonly name: string;
  readonly up: Place | undefined;
  readonly depth: number;
}

/**
 * Refuses what is no JSON, and what is too large or too deep to be worked on. Walks without recursion, so that depth
 * cannot exhaust the stack. Members that are undefined are left out, as `JSON.stringify` does.
 * @throws JsonSchemaError
 */
export function checkSize(schema: unknown): void {
  let values = 0;
  let length = 0;
  const tooLarge = (message: string) => new JsonSchemaError("", undefined, message);
  const queue: Place[] = [{ value: schema, name: "", up: undefined, depth: 0 }];
  for (let place = queue.pop(); place; place = queue.pop()) {
    const { value, depth } = place;
    if (++values > schemaLimits.values) {
      throw tooLarge(`the schema has more than ${schemaLimits.values} values; split it or leave parts out`);
    }
    if (depth > schemaLimits.depth) {
      const message = `the schema is nested more than ${schemaLimits.depth} deep; use $ref for what recurs`;
      throw new JsonSchemaError(pointerOf(place), undefined, message);
    }
    if (typeof value === "string") length += value.length;
    else if (typeof value === "object" && value !== null) {
      for (const [name, item] of Object.entries(value)) {
        length += name.length;
        if (item === undefined && !Array.isArray(value)) continue;
        queue.push({ value: item, name, up: place, depth: depth + 1 });
      }
    } else if (typeof value === "number" ? !Number.isFinite(value) : !isScalar(value)) {
      throw new JsonSchemaError(pointerOf(place), undefined, `${String(value)} is no JSON value`);
    }
    if (length > schemaLimits.textLength) {
      throw tooLarge(
        `the schema has more than ${schemaLimits.textLength} characters; leave descriptions out`,
      );
    }
  }
}

function pointerOf(place: Place): string {
  let pointer = "";
  for (let at = place; at.up; at = at.up) pointer = pointerStep(at.name) + pointer;
  return pointer;
}

function isScalar(value: unknown): boolean {
  return value === null || typeof value === "boolean" || typeof value === "bigint";
}
