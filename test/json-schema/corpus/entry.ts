/** A schema, values that it allows in its order of properties, and values that it refuses. */
export interface Entry {
  readonly schema: unknown;
  readonly valid: readonly unknown[];
  readonly invalid: readonly unknown[];
}

/** Rows of a schema, valid values and invalid values. */
export type Row = readonly [schema: unknown, valid: readonly unknown[], invalid: readonly unknown[]];

export function entries(rows: readonly Row[]): readonly Entry[] {
  return rows.map(([schema, valid, invalid]) => ({ schema, valid, invalid }));
}

/** One value of each kind. */
export const anything: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -7,
  2.5,
  "",
  "text",
  [],
  [1],
  {},
  { a: 1 },
];
