import type { Budget } from "./scheduler.ts";

/** Weight of the newest measurement. */
const weight = 0.25;
/** Prompt tokens of a step before anything was measured. */
const firstChunk = 32;
/** Fewest prompt tokens of a step: less would cost more in overhead than it saves in time. */
const leastChunk = 8;

/**
 * How long steps take, and so how many prompt tokens a step may compute while others wait for their next token.
 */
export class StepRates {
  /** Milliseconds that a gap between two tokens of a stream may last. */
  readonly bound: number;
  /** Milliseconds of a step that only decodes. */
  #decodeMs: number | undefined;
  /** Milliseconds of each prompt token in a step. */
  #prefillMs: number | undefined;

  constructor(bound: number) {
    this.bound = bound;
  }

  get decodeMs(): number {
    return this.#decodeMs ?? 0;
  }
  get prefillTokensPerSecond(): number {
    return this.#prefillMs ? 1000 / this.#prefillMs : 0;
  }

  /** Notes what a step computed and how long it took. */
  measured(step: { decoded: number; prefilled: number; milliseconds: number }): void {
    const { decoded, prefilled, milliseconds } = step;
    if (prefilled === 0) this.#decodeMs = blend(this.#decodeMs, milliseconds);
    else if (prefilled >= leastChunk) {
      const rest = decoded > 0 ? Math.max(milliseconds / 2, milliseconds - this.decodeMs) : milliseconds;
      this.#prefillMs = blend(this.#prefillMs, rest / prefilled);
    }
  }

  /** The bound on gaps or two decode steps, whichever is more; four times that where nobody is waiting for a token. */
  budget(batch: number): Budget {
    const gap = Math.max(this.bound, 2 * this.decodeMs);
    const tokens = (milliseconds: number) =>
      this.#prefillMs === undefined
        ? Math.min(batch, firstChunk)
        : Math.max(Math.min(batch, leastChunk), Math.min(batch, Math.floor(milliseconds / this.#prefillMs)));
    return { batch, prefill: tokens(gap - this.decodeMs), idlePrefill: tokens(4 * gap) };
  }
}

function blend(average: number | undefined, value: number): number {
  return average === undefined ? value : average + weight * (value - average);
}
