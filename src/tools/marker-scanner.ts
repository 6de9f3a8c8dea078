import type { LiteralAutomaton } from "../../lib/literal-automaton.ts";
import { isSpace } from "./readers/reader.ts";

/** Whether white space is held back until it is known what follows. */
export type Spaces = "held" | "passed";

/** Runs over text that arrives unit by unit and holds back what may be the beginning of a marker, and white space before it. */
export class MarkerScanner {
  readonly #automaton: LiteralAutomaton;
  readonly #spaces: Spaces;
  #state = 0;
  /** White space, then what may be the beginning of a marker. */
  #held = "";
  /** How much of it is that white space, as far as it is known to be. */
  #spaceLength = 0;
  #marker: string | undefined;

  constructor(automaton: LiteralAutomaton, spaces: Spaces) {
    this.#automaton = automaton;
    this.#spaces = spaces;
  }

  /** The marker that the last unit ended. */
  get marker(): string | undefined {
    return this.#marker;
  }

  /** White space that stands before whatever comes; for when nothing is held. */
  hold(space: string): void {
    this.#held = space;
    this.#spaceLength = space.length;
  }

  /** @returns text that is certain now; with a marker all that stands before it but held white space. */
  read(unit: string): string {
    this.#held += unit;
    this.#state = this.#automaton.step(this.#state, unit.charCodeAt(0));
    this.#marker = this.#automaton.literal(this.#state);
    const certain = this.#held.length - (this.#marker?.length ?? this.#automaton.depth(this.#state));
    if (this.#marker !== undefined) this.#state = 0;
    const length = this.#spaces === "held" ? this.#withoutSpace(certain, unit) : certain;
    if (length === 0) return "";
    const text = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    return text;
  }

  /** What was held back: white space, and the marker or the beginning of one. */
  flush(): string {
    const held = this.#held;
    this.#held = "";
    this.#spaceLength = 0;
    this.#state = 0;
    this.#marker = undefined;
    return held;
  }

  /** How much of the text's beginning, of this length, can go out; notes the white space behind it. */
  #withoutSpace(certain: number, unit: string): number {
    // One more unit of a run of white space must cost the same however long the run is: no look at the held text.
    if (certain === this.#held.length && certain === this.#spaceLength + 1 && isSpace(unit)) {
      this.#spaceLength = certain;
      return 0;
    }
    let length = certain;
    while (length > this.#spaceLength && isSpace(this.#held[length - 1]!)) length--;
    if (length <= this.#spaceLength) length = 0;
    this.#spaceLength = certain - length;
    return length;
  }
}
