/** Bounds on grammars, so that neither our parser nor libllama's can be made to exhaust the process. */
export const grammarLimits = {
  /** UTF-16 units of source. */
  sourceLength: 1 << 20,
  /** Rules written down. */
  rules: 10_000,
  /** Groups inside one another. */
  nesting: 256,
  /** libllama's own bound on what one item is repeated; a larger upper bound, `{0,5000}`, means no upper bound to it. */
  repetitions: 2000,
  /** Elements after repetitions are written out. */
  elements: 500_000,
  /** Rules that refer to one another at their beginnings: depth, and ways through them. libllama recurses along all. */
  leftDepth: 4096,
  leftPaths: 1_000_000,
  /** Ways in which one text can be read at once. */
  ambiguity: 20_000,
} as const;
