import type { LiteralAutomaton } from "../../lib/literal-automaton.ts";
import { isSpace } from "./readers/reader.ts";

/** Whether white space is held back until it is known what follows. */
export type Spaces = "held" | "passed";

/** Runs over text that arrives unit by unit and holds back what may be the beginning of a marker, and white space before it. */
export class MarkerScanner {
  readonly #automaton: LiteralAutomaton;
  readonly #spaces: Spaces;
  #state = 0;
  #held = "";
  #marker: string | undefined;

  constructor(automaton: LiteralAutomaton, spaces: Spaces) {
    this.#automaton = automaton;
    this.#spaces = spaces;
  }

  /** The marker that the last unit ended. */
  get marker(): string | undefined {
    return this.#marker;
  }

  /** White space that stands before whatever comes. */
  hold(space: string): void {
    this.#held += space;
  }

  /** @returns text that is certain now; with a marker all that stands before it but held white space. */
  read(unit: string): string {
    this.#held += unit;
    this.#state = this.#automaton.step(this.#state, unit.charCodeAt(0));
    this.#marker = this.#automaton.literal(this.#state);
    const depth = this.#marker?.length ?? this.#automaton.depth(this.#state);
    let safe = this.#held.length - depth;
    if (this.#spaces === "held") {
      // Every unit that goes out but the last was stepped over before; a run of white space is looked at again once.
      if (this.#marker === undefined && safe > 0 && isSpace(this.#held[safe - 1]!)) return "";
      while (safe > 0 && isSpace(this.#held[safe - 1]!)) safe--;
    }
    if (this.#marker !== undefined) this.#state = 0;
    const text = this.#held.slice(0, safe);
    this.#held = this.#held.slice(safe);
    return text;
  }

  /** What was held back: white space, and the marker or the beginning of one. */
  flush(): string {
    const held = this.#held;
    this.#held = "";
    this.#state = 0;
    this.#marker = undefined;
    return held;
  }
}
