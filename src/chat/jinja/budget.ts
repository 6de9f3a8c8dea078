import type { RenderLimits } from "../types.ts";

/** Thrown inside the interpreter when a template asks for too much; never leaves `src/chat`. */
export class LimitExceeded extends Error {}

const CHARACTERS_PER_STEP = 64;
// Searching m characters in n may compare n × m of them; the engines' fast paths make each cheap.
const SEARCH_PAIRS_PER_STEP = 2048;

/** Nesting of evaluation; a macro that calls itself ends here, before the stack does. */
const MAX_DEPTH = 400;

/** Counts down what one render may still do. */
export class RenderBudget {
  readonly limits: RenderLimits;
  #steps: number;
  #characters: number;
  #depth = 0;

  constructor(limits: RenderLimits) {
    this.limits = limits;
    this.#steps = limits.steps;
    this.#characters = limits.characters;
  }

  spend(steps: number): void {
    this.#steps -= steps;
    // Written so that NaN fails as well.
    if (!(this.#steps >= 0)) {
      throw new LimitExceeded(`it needs more than ${this.limits.steps} evaluation steps`);
    }
  }

  /** A pass over `length` characters. */
  touch(length: number): void {
    this.spend(length / CHARACTERS_PER_STEP);
  }

  /** A search for `needle` characters in `haystack` characters. */
  search(needle: number, haystack: number): void {
    this.touch(haystack);
    this.spend((needle * haystack) / SEARCH_PAIRS_PER_STEP);
  }

  /** A string of `length` characters is about to be made. */
  allocate(length: number): void {
    if (!(length <= this.limits.characters)) {
      throw new LimitExceeded(`it makes a string of more than ${this.limits.characters} characters`);
    }
    this.touch(length);
  }

  /** `length` characters are written to the output, or to a block that may become output. */
  emit(length: number): void {
    this.#characters -= length;
    if (!(this.#characters >= 0)) {
      throw new LimitExceeded(`it writes more than ${this.limits.characters} characters`);
    }
  }

  enter(): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new LimitExceeded(`it nests deeper than ${MAX_DEPTH} levels`);
  }

  leave(): void {
    this.#depth -= 1;
  }
}
