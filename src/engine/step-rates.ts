import type { Budget } from "./scheduler.ts";

/** Prompt tokens of a step before anything was measured. */
const firstChunk = 32;
/** Fewest prompt tokens of a step: less would cost more in overhead than it saves in time. */
const leastChunk = 8;
/** What an observation counts for when the next has come. */
const memory = 0.97;
/** How unsure a coefficient may become. */
const mostVariance = 1e4;
/** Part of its prompt tokens that every other step does without: only what varies can be told apart. */
const variation = 0.4;
/** One of so many steps computes no prompt, to see what the others take without. */
const probeInterval = 16;
/** A step that takes longer than this many times what was expected was disturbed. */
const disturbed = 2;

/**
 * A line through what was measured, by least squares; what is old counts less.
 *
 * Source: recursive least squares with exponential forgetting (Plackett, 1950).
 */
class Line {
  #start = 0;
  #slope = 0;
  #known = 0;
  /** Covariance of the two: at first all is said to come from the start, until what is measured at other places tells. */
  #variance = { start: mostVariance, both: 0, slope: mostVariance / 1000 };

  get known(): boolean {
    return this.#known > 0;
  }
  get start(): number {
    return Math.max(0, this.#start);
  }
  get slope(): number {
    return Math.max(0, this.#slope);
  }

  at(x: number): number {
    return Math.max(0, this.#start + this.#slope * x);
  }

  learn(x: number, value: number): void {
    const { start, both, slope } = this.#variance;
    const expected = this.#start + this.#slope * x;
    // The first few may be far from anything expected.
    const y = ++this.#known > 8 && expected > 0 ? Math.min(value, disturbed * expected) : value;
    const [byStart, bySlope] = [start + both * x, both + slope * x];
    // What does not vary is forgotten without being learned anew, up to a point.
    const kept = Math.max(start, slope) > memory * mostVariance ? 1 : memory;
    const scale = kept + byStart + bySlope * x;
    this.#start += (byStart * (y - expected)) / scale;
    this.#slope += (bySlope * (y - expected)) / scale;
    this.#variance = {
      start: (start - (byStart * byStart) / scale) / kept,
      both: (both - (byStart * bySlope) / scale) / kept,
      slope: (slope - (bySlope * bySlope) / scale) / kept,
    };
  }
}

/** Numbers of sequences within a power of two are alike. */
const sizeOf = (sequences: number) => (sequences < 1 ? 0 : 31 - Math.clz32(sequences));

/**
 * How long steps take, and so how many prompt tokens a step may compute while others wait for their next token. Attention
 * grows with what has been computed, and a machine may be slow for a while, so that what was measured counts less with time.
 */
export class StepRates {
  /** Milliseconds that a gap between two tokens of a stream may last. */
  readonly bound: number;
  /** Milliseconds of steps that only decode, by the number of sequences. */
  readonly #decode = new Line();
  /** Milliseconds that prompts add to a step, by their tokens. */
  readonly #prompts = new Line();
  /** Milliseconds that a prompt token added, all in all. */
  #crude: number | undefined;
  #decoded = 0;
  /** Sequences of the largest step that only decoded, less with every such step since. */
  #seen = 0;
  /** Milliseconds of steps that only decoded, by the size of their number: how long they were is not forgotten. */
  readonly #bySize: (number | undefined)[] = [];
  #steps = 0;
  #sinceProbe = 0;

  constructor(bound: number) {
    this.bound = bound;
  }

  /** Milliseconds of the last kind of step that decoded, without the prompts in it. */
  get decodeMs(): number {
    return this.#decoded > 0 ? this.#decode.at(this.#decoded) : 0;
  }
  /** 0 before anything was measured. */
  get prefillMsPerToken(): number {
    return this.#crude ?? 0;
  }
  get prefillTokensPerSecond(): number {
    return this.#crude === undefined ? 0 : 1000 / this.#crude;
  }

  /** Milliseconds that a step is expected to take. */
  expected({ decoded, prefilled }: { decoded: number; prefilled: number }): number {
    return (decoded > 0 ? this.#decode.at(decoded) : 0) + (prefilled > 0 ? this.#prompts.at(prefilled) : 0);
  }

  /** Notes what a step computed and how long it took. */
  measured(step: { decoded: number; prefilled: number; milliseconds: number }): void {
    const { decoded, prefilled, milliseconds } = step;
    this.#steps++;
    if (decoded > 0) this.#decoded = decoded;
    if (prefilled === 0) {
      this.#decode.learn(decoded, milliseconds);
      this.#seen = Math.max(decoded, memory * this.#seen);
      const size = sizeOf(decoded);
      const known = this.#bySize[size];
      this.#bySize[size] = known === undefined ? milliseconds : known + (milliseconds - known) / 4;
      this.#sinceProbe = 0;
      return;
    }
    this.#sinceProbe++;
    const added = Math.max(milliseconds / 4, milliseconds - this.expected({ decoded, prefilled: 0 }));
    this.#prompts.learn(prefilled, added);
    const crude = added / prefilled;
    this.#crude = this.#crude === undefined ? crude : this.#crude + (crude - this.#crude) / 4;
  }

  /**
   * The bound on gaps or two decode steps, whichever is more; four times that where nobody is waiting for a token. Where
   * prompts make a step much longer however few their tokens are, up to twice the bound goes to tokens that are worth it.
   * @param decoding sequences that wait for their next token.
   * @param running those and the ones whose prompts are computed: once all of them decode, that is how long steps will be.
   */
  budget(batch: number, decoding: number, running = decoding): Budget {
    const decodeMs = this.expected({ decoded: decoding, prefilled: 0 });
    // A line may go anywhere beyond what was measured: what it says there must not allow longer gaps.
    const seenMs = this.expected({ decoded: Math.min(decoding, this.#seen), prefilled: 0 });
    const gap = Math.max(this.bound, 2 * Math.min(decodeMs, seenMs), 2 * this.#steadyMs(running));
    const part = this.#steps % 2 === 0 ? 1 : 1 - variation;
    const probing = decoding > 0 && this.#sinceProbe >= probeInterval;
    const overhead = this.#prompts.start;
    const worthIt = Math.min(2 * overhead, 2 * gap - decodeMs);
    const prompts = Math.max(gap - decodeMs, worthIt);
    return {
      batch,
      prefill: probing ? 0 : this.#tokens(overhead + part * (prompts - overhead), batch),
      idlePrefill: this.#tokens(4 * gap, batch),
    };
  }

  /** Milliseconds of a step that decodes so many sequences, as far as that was measured; 0 where it was not. */
  #steadyMs(sequences: number): number {
    const measured = this.#bySize.slice(0, sizeOf(sequences) + 1).filter((ms) => ms !== undefined);
    return Math.max(0, ...measured);
  }

  /** Prompt tokens that a step may have for so many milliseconds. */
  #tokens(milliseconds: number, batch: number): number {
    if (this.#crude === undefined) return Math.min(batch, firstChunk);
    // Never so many that a wrong guess could make a step last for ages.
    const each = Math.max(this.#prompts.slope, this.#crude / 2, 1e-6);
    const most = Math.floor((milliseconds - this.#prompts.start) / each);
    return Math.min(batch, Math.max(leastChunk, most));
  }
}
