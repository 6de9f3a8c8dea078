import { LiteralAutomaton } from "./literal-automaton.ts";

/** Text that is safe to show, and the stop string that ended it. */
export interface StopMatch {
  readonly text: string;
  readonly stop: string | undefined;
}

/**
 * Finds stop strings in text that arrives in pieces, whatever the boundaries, looking at each character once.
 * Of several stop strings the one that ends first wins, then the one that begins first.
 */
export class StopMatcher {
  readonly #automaton: LiteralAutomaton;
  #state = 0;
  #held = "";
  #stopped = false;

  /** @throws RangeError for an empty stop string, which would end every text at once. */
  constructor(stops: readonly string[]) {
    for (const [index, stop] of stops.entries()) {
      if (stop === "") throw new RangeError(`stop[${index}] is empty; leave it out`);
    }
    this.#automaton = new LiteralAutomaton(stops);
  }

  /** @returns what can be shown now. After a stop nothing more comes. */
  push(text: string): StopMatch {
    if (this.#stopped) return { text: "", stop: undefined };
    const whole = this.#held + text;
    for (let index = this.#held.length; index < whole.length; index++) {
      this.#state = this.#automaton.step(this.#state, whole.charCodeAt(index));
      const stop = this.#automaton.literal(this.#state);
      if (stop !== undefined) {
        this.#stopped = true;
        this.#held = "";
        return { text: whole.slice(0, index + 1 - stop.length), stop };
      }
    }
    const safe = whole.length - this.#automaton.depth(this.#state);
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
}
