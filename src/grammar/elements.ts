/**
 * Kinds of the elements that a grammar is compiled to. A rule is a flat run of elements: alternatives separated by
 * `alternative`, closed by `end`. A character class is one `char` or `charNot` with `charAlternative`s behind it, each of
 * them with a `rangeEnd` where it is a range.
 */
export const kind = {
  end: 0,
  alternative: 1,
  rule: 2,
  char: 3,
  charNot: 4,
  rangeEnd: 5,
  charAlternative: 6,
  anyChar: 7,
  token: 8,
  tokenNot: 9,
} as const;

/** A token named in a grammar: by id, `<[42]>`, or by its text, `<think>`, which only a vocabulary can resolve. */
export interface TokenReference {
  readonly text: string;
  readonly id: number | undefined;
  /** Where it stands in the source, in UTF-16 units. */
  readonly offset: number;
}

/** A grammar ready to be matched. Elements of all rules lie behind one another. */
export interface CompiledGrammar {
  /** Shape [elements]. */
  readonly kinds: Uint8Array;
  /** Shape [elements]: a code point, a rule's index, or an index into {@link tokens}. */
  readonly values: Uint32Array;
  /** First element of each rule. Shape [rules]. */
  readonly starts: Int32Array;
  readonly root: number;
  /** Shape [rules]; a rule made for a group or repetition has the name of the rule it stands in. */
  readonly names: readonly string[];
  readonly tokens: readonly TokenReference[];
}

/** Whether an element closes an alternative. */
export function isEnd(kinds: Uint8Array, position: number): boolean {
  return kinds[position]! <= kind.alternative;
}
