import type { JsonObject } from "./json-value.ts";

/**
 * Keywords of schemas that are made here, to say what JSON schema has no keyword for. Symbols, so that no schema from
 * outside can hold them.
 */
export const excludedValues = Symbol("values that are not allowed");
export const excludedText = Symbol("keywords that no string may satisfy");
export const notInteger = Symbol("no integer");
/** Marks schemas made here: they stand nowhere in the document, and what their keywords name does not count as evaluated. */
const made = Symbol("made");
/** Marks those for what another schema refuses, under which nothing counts as evaluated. */
const opposite = Symbol("opposite");

export type RawSchema = boolean | JsonObject;

export type MadeSchema = JsonObject & {
  /** The values by what equal ones share. */
  readonly [excludedValues]?: ReadonlyMap<string, unknown>;
  readonly [excludedText]?: JsonObject;
  readonly [notInteger]?: true;
  readonly [made]?: true;
  readonly [opposite]?: true;
};

export function madeOf(schema: MadeSchema): JsonObject {
  return { ...schema, [made]: true };
}

/** What satisfies one of these, where they together are the opposite of another schema. */
export function oppositeOf(options: readonly RawSchema[]): RawSchema {
  return options.length === 0 ? false : madeOf({ anyOf: options, [opposite]: true });
}

export function isMade(schema: RawSchema): boolean {
  return typeof schema === "object" && (schema as MadeSchema)[made] === true;
}

export function isOpposite(schema: RawSchema): boolean {
  return typeof schema === "object" && (schema as MadeSchema)[opposite] === true;
}

export function not(schema: RawSchema): RawSchema {
  return typeof schema === "boolean" ? !schema : madeOf({ not: schema });
}

/** Objects with some properties. */
export function having(...names: readonly string[]): JsonObject {
  return madeOf({ type: "object", required: names });
}

/** Objects without a property. */
export function without(name: string): JsonObject {
  return madeOf({ type: "object", properties: Object.fromEntries([[name, false]]) });
}

/** Objects with a property whose value satisfies a schema. */
export function withProperty(name: string, schema: RawSchema): JsonObject {
  return madeOf({ type: "object", required: [name], properties: Object.fromEntries([[name, schema]]) });
}
