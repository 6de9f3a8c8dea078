import type { Budget } from "./scheduler.ts";

/** Prompt tokens of a step before anything was measured. */
const firstChunk = 32;
/** Fewest prompt tokens of a step: less would cost more in overhead than it saves in time. */
const leastChunk = 8;
/** What an observation counts for when the next has come. */
const memory = 0.97;
/** How unsure a coefficient may become. */
const mostVariance = 1e4;
/** A step that takes longer than this many times what was expected was disturbed. */
const disturbed = 2;

type Vector = [number, number, number];

/**
 * How long steps take, and so how many prompt tokens a step may compute while others wait for their next token: a step
 * takes so much, so much more for each sequence that decodes, and for each prompt token. A part of the machine may be
 * slow for a while, and attention grows with what has been computed, so that what was measured counts less with time.
 *
 * Source: recursive least squares with exponential forgetting (Plackett, 1950).
 */
export class StepRates {
  /** Milliseconds that a gap between two tokens of a stream may last. */
  readonly bound: number;
  /** Milliseconds of any step, of each sequence that decodes, and of each prompt token. */
  readonly #cost: Vector = [0, 0, 0];
  readonly #covariance: [Vector, Vector, Vector] = [
    [mostVariance, 0, 0],
    [0, mostVariance, 0],
    [0, 0, mostVariance],
  ];
  /** Milliseconds per token of steps that computed prompts, whatever else they did. */
  #crude: number | undefined;
  #decoded = 0;

  constructor(bound: number) {
    this.bound = bound;
  }

  /** Milliseconds of the last kind of step that only decoded. */
  get decodeMs(): number {
    return this.expected({ decoded: this.#decoded, prefilled: 0 });
  }
  get prefillTokensPerSecond(): number {
    return this.#crude === undefined ? 0 : 1000 / this.#perPromptToken;
  }

  /** Milliseconds that a step is expected to take. */
  expected({ decoded, prefilled }: { decoded: number; prefilled: number }): number {
    const [step, decode] = this.#cost;
    const prompt = prefilled > 0 ? prefilled * this.#perPromptToken : 0;
    return Math.max(0, (decoded > 0 || prefilled > 0 ? step : 0) + decode * decoded + prompt);
  }

  /** Notes what a step computed and how long it took. */
  measured(step: { decoded: number; prefilled: number; milliseconds: number }): void {
    const { decoded, prefilled, milliseconds } = step;
    if (decoded > 0) this.#decoded = decoded;
    if (prefilled > 0) {
      const crude = milliseconds / (decoded + prefilled);
      this.#crude = this.#crude === undefined ? crude : this.#crude + (crude - this.#crude) / 4;
    }
    const expected = this.expected(step);
    const most = expected > 0 && this.#crude !== undefined ? disturbed * expected : milliseconds;
    this.#learn([1, decoded, prefilled], Math.min(milliseconds, most));
  }

  /**
   * The bound on gaps or two decode steps, whichever is more; four times that where nobody is waiting for a token.
   * @param decoding sequences that wait for their next token.
   */
  budget(batch: number, decoding: number): Budget {
    const decodeMs = this.expected({ decoded: decoding, prefilled: 0 });
    const gap = Math.max(this.bound, 2 * decodeMs);
    const tokens = (milliseconds: number) =>
      this.#crude === undefined
        ? Math.min(batch, firstChunk)
        : Math.max(
            Math.min(batch, leastChunk),
            Math.min(batch, Math.floor(milliseconds / this.#perPromptToken)),
          );
    return { batch, prefill: tokens(gap - decodeMs), idlePrefill: tokens(4 * gap) };
  }

  /** Never so little that a wrong guess could make a step last for ages. */
  get #perPromptToken(): number {
    return Math.max(this.#cost[2], (this.#crude ?? 0) / 2, 1e-6);
  }

  #learn(input: Vector, milliseconds: number): void {
    const spread = this.#covariance.map((row) => dot(row, input)) as Vector;
    // What steps do not vary is forgotten without being learned anew, up to a point.
    const unsure = Math.max(...this.#covariance.map((row, index) => row[index]!));
    const kept = unsure > memory * mostVariance ? 1 : memory;
    const scale = kept + dot(input, spread);
    const error = milliseconds - dot(this.#cost, input);
    for (let row = 0; row < 3; row++) {
      this.#cost[row]! += (spread[row]! * error) / scale;
      for (let column = 0; column < 3; column++) {
        const learned = (spread[row]! * spread[column]!) / scale;
        this.#covariance[row]![column] = (this.#covariance[row]![column]! - learned) / kept;
      }
    }
  }
}

function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
