/** Text that is safe to show, and the stop string that ended it. */
export interface StopMatch {
  readonly text: string;
  readonly stop: string | undefined;
}

interface State {
  readonly next: Map<number, number>;
  fail: number;
  /** Length of the longest stop string that is a prefix of the text here; how much must be held back. */
  readonly depth: number;
  /** The longest stop string that ends here. */
  stop: string | undefined;
}

/**
 * Finds stop strings in text that arrives in pieces, whatever the boundaries, looking at each character once.
 * Of several stop strings the one that ends first wins, then the one that begins first.
 *
 * Source: the automaton of Aho and Corasick, "Efficient string matching" (1975).
 */
export class StopMatcher {
  readonly #states: State[] = [{ next: new Map(), fail: 0, depth: 0, stop: undefined }];
  #state = 0;
  #held = "";
  #stopped = false;

  /** @throws RangeError for an empty stop string, which would end every text at once. */
  constructor(stops: readonly string[]) {
    for (const [index, stop] of stops.entries()) {
      if (stop === "") throw new RangeError(`stop[${index}] is empty; leave it out`);
      this.#insert(stop);
    }
    this.#link();
  }

  /** @returns what can be shown now. After a stop nothing more comes. */
  push(text: string): StopMatch {
    if (this.#stopped) return { text: "", stop: undefined };
    const whole = this.#held + text;
    for (let index = this.#held.length; index < whole.length; index++) {
      this.#state = this.#step(this.#state, whole.charCodeAt(index));
      const { stop } = this.#states[this.#state]!;
      if (stop !== undefined) {
        this.#stopped = true;
        this.#held = "";
        return { text: whole.slice(0, index + 1 - stop.length), stop };
      }
    }
    const safe = whole.length - this.#states[this.#state]!.depth;
    this.#held = whole.slice(safe);
    return { text: whole.slice(0, safe), stop: undefined };
  }

  /** @returns what was held back as the possible beginning of a stop string; for the end of the text. */
  flush(): string {
    const text = this.#held;
    this.#held = "";
    this.#state = 0;
    return text;
  }

  #insert(stop: string): void {
    let at = 0;
    for (let index = 0; index < stop.length; index++) {
      const unit = stop.charCodeAt(index);
      let next = this.#states[at]!.next.get(unit);
      if (next === undefined) {
        next = this.#states.length;
        this.#states.push({ next: new Map(), fail: 0, depth: index + 1, stop: undefined });
        this.#states[at]!.next.set(unit, next);
      }
      at = next;
    }
    this.#states[at]!.stop = stop;
  }

  #link(): void {
    const queue = [...this.#states[0]!.next.values()];
    for (const at of queue) {
      const state = this.#states[at]!;
      for (const [unit, child] of state.next) {
        queue.push(child);
        this.#states[child]!.fail = this.#step(state.fail, unit);
      }
      // A shorter stop string may end inside a longer one's prefix.
      state.stop ??= this.#states[state.fail]!.stop;
    }
  }

  #step(from: number, unit: number): number {
    for (let at = from; ; at = this.#states[at]!.fail) {
      const next = this.#states[at]!.next.get(unit);
      if (next !== undefined) return next;
      if (at === 0) return 0;
    }
  }
}
