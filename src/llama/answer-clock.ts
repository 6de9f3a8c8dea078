import type { ProgressEvent } from "./answer.ts";
import type { Timings } from "./types.ts";
import { timingsOf } from "./usage.ts";

/** Timings of an answer that has not ended, from when its events came. */
export class AnswerClock {
  readonly #started = performance.now();
  #cached = 0;
  #computed = 0;
  #tokens = 0;
  #admitted = this.#started;
  #first = 0;
  #last = 0;

  progress({ cachedLength, computedLength }: ProgressEvent): void {
    if (this.#computed === 0 && this.#cached === 0) this.#admitted = performance.now();
    this.#cached = cachedLength;
    this.#computed = computedLength - cachedLength;
  }

  token(): void {
    this.#last = performance.now();
    if (this.#tokens++ === 0) this.#first = this.#last;
  }

  get elapsedMs(): number {
    return performance.now() - this.#started;
  }

  get timings(): Timings {
    return timingsOf({
      cachedLength: this.#cached,
      computedLength: this.#computed,
      promptMs: this.#tokens > 0 ? this.#first - this.#admitted : 0,
      generatedLength: this.#tokens,
      predictedMs: this.#last - this.#first,
    });
  }
}
