import { RequestError } from "../../lib/errors.ts";
import type { Json } from "./types.ts";

const MAX_DEPTH = 100;

/**
 * Copies JSON data into objects without a prototype, so that a template sees data and nothing else.
 * Properties that are `undefined` are left out.
 *
 * @throws RequestError for what JSON cannot carry, and for data nested deeper than 100 levels.
 */
export function copyJson(value: unknown, field: string, depth = 0): Json {
  if (depth > MAX_DEPTH)
    throw new RequestError(`${field} nests deeper than ${MAX_DEPTH} levels; flatten it`, field);
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") {
    if (Number.isFinite(value)) return value;
    throw new RequestError(`${field} is ${value}; use a finite number or null`, field);
  }
  if (Array.isArray(value)) {
    return value.map((item, index) => copyJson(item, `${field}[${index}]`, depth + 1));
  }
  if (isPlainObject(value)) {
    const copy: Record<string, Json> = Object.create(null);
    for (const [key, item] of Object.entries(value)) {
      if (item !== undefined) copy[key] = copyJson(item, `${field}.${key}`, depth + 1);
    }
    return copy;
  }
  throw new RequestError(
    `${field} is ${describe(value)}; use JSON data (string, number, boolean, null, array, object)`,
    field,
  );
}

/** True for `{…}`, also when it comes from another realm, and false for arrays, dates, maps and the like. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** @throws RequestError that names the field, its value and what is allowed. */
export function refuse(field: string, value: unknown, allowed: string): never {
  throw new RequestError(`${field} is ${describe(value)}; allowed: ${allowed}`, field);
}

/** Names a value's kind for an error; strings are shown, cut to 40 characters. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object")
    return isPlainObject(value) ? "an object" : `a ${value.constructor?.name ?? "object"}`;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : `a ${typeof value}`;
}

/** Characters of all strings and keys, and number of values, in a piece of JSON. */
export function sizeOfJson(value: Json): { characters: number; values: number } {
  if (typeof value === "string") return { characters: value.length, values: 1 };
  const size = { characters: 0, values: 1 };
  if (typeof value !== "object" || value === null) return size;
  for (const [key, item] of Object.entries(value)) {
    const inner = sizeOfJson(item);
    size.characters += inner.characters + (Array.isArray(value) ? 0 : key.length);
    size.values += inner.values;
  }
  return size;
}
