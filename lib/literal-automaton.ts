interface State {
  readonly next: Map<number, number>;
  fail: number;
  readonly depth: number;
  literal: string | undefined;
}

/**
 * Follows a text unit by unit and tells which of some literals ends there; immutable once made, a reader keeps the number of the
 * state it is in and starts with 0.
 *
 * Source: the automaton of Aho and Corasick, "Efficient string matching" (1975).
 */
export class LiteralAutomaton {
  readonly #states: State[] = [{ next: new Map(), fail: 0, depth: 0, literal: undefined }];

  /** @param literals None of them empty. */
  constructor(literals: readonly string[]) {
    for (const literal of literals) this.#insert(literal);
    this.#link();
  }

  /** The state behind one more UTF-16 unit. */
  step(from: number, unit: number): number {
    for (let at = from; ; at = this.#states[at]!.fail) {
      const next = this.#states[at]!.next.get(unit);
      if (next !== undefined) return next;
      if (at === 0) return 0;
    }
  }

  /** How many of the last units may be the beginning of a literal. */
  depth(state: number): number {
    return this.#states[state]!.depth;
  }

  /** The longest literal that ends here. */
  literal(state: number): string | undefined {
    return this.#states[state]!.literal;
  }

  #insert(literal: string): void {
    let at = 0;
    for (let index = 0; index < literal.length; index++) {
      const unit = literal.charCodeAt(index);
      let next = this.#states[at]!.next.get(unit);
      if (next === undefined) {
        next = this.#states.length;
        this.#states.push({ next: new Map(), fail: 0, depth: index + 1, literal: undefined });
        this.#states[at]!.next.set(unit, next);
      }
      at = next;
    }
    this.#states[at]!.literal = literal;
  }

  #link(): void {
    const queue = [...this.#states[0]!.next.values()];
    for (const at of queue) {
      const state = this.#states[at]!;
      for (const [unit, child] of state.next) {
        queue.push(child);
        this.#states[child]!.fail = this.step(state.fail, unit);
      }
      // A shorter literal may end inside a longer one's prefix.
      state.literal ??= this.#states[state.fail]!.literal;
    }
  }
}
