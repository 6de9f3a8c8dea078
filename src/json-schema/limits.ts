/** Bounds on schemas, so that no schema can exhaust the process or make a grammar that would. */
export const schemaLimits = {
  /** Values in the schema, at any depth. */
  values: 50_000,
  /** UTF-16 units of all names and strings in the schema. */
  textLength: 4_000_000,
  /** Arrays and objects inside one another in the schema. */
  depth: 256,
  /** References that lead to one another without going into the value. */
  references: 1000,
  /** Ways in which `anyOf`, `oneOf`, `if` and the like combine at one place. */
  alternatives: 1000,
  /** Sets of subschemas that some value has to satisfy at once. */
  conjunctions: 5000,
  /** UTF-16 units of a `pattern`. */
  patternLength: 10_000,
  /** States of the automaton for one kind of text. */
  states: 4000,
  /** Upper bound for what a text or array is repeated. */
  repetitions: 1_000_000,
  /** Rules that count, for one object or array: members times what is counted. */
  countingRules: 4000,
  /** Kinds of keys that `patternProperties` divide the others into. */
  keyKinds: 64,
  /** Steps of all that costs time, counted rather than timed: some 100 to 300 ns each. */
  work: 6_000_000,
} as const;
