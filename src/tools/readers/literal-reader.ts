import { isSpace, type Reader, type Verdict } from "./reader.ts";

/** Reads one of some literals, each without the white space around it, after any white space. */
export class LiteralReader implements Reader {
  readonly #literals: readonly string[];
  #candidates: readonly string[];
  #position = 0;

  constructor(...literals: readonly string[]) {
    this.#literals = literals.map((literal) => literal.trim());
    this.#candidates = this.#literals;
  }

  /** Which of the literals it was, once done; of two that end alike the first. */
  get found(): number {
    return this.#literals.indexOf(this.#candidates[0]!);
  }

  read(unit: string): Verdict {
    if (this.#position === 0) {
      if (isSpace(unit)) return "more";
      // A literal of white space alone takes as much of it as there is.
      if (this.#literals.length === 1 && this.#literals[0] === "") return "before";
    }
    const matching = this.#candidates.filter((literal) => literal[this.#position] === unit);
    if (matching.length === 0) return "refused";
    this.#position++;
    const whole = matching.filter((literal) => literal.length === this.#position);
    this.#candidates = whole.length > 0 ? whole : matching;
    return whole.length > 0 ? "done" : "more";
  }
}
