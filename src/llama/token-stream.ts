import { Answer, type LlamaParts } from "./answer.ts";
import type { Prompt } from "./engine-request.ts";
import type { GenerationParams } from "./types.ts";

/** The tokens of one generation, as they come. The prompt is computed from the first call of `next` on. */
export class TokenStream implements AsyncGenerator<number, void, undefined> {
  readonly #begin: () => Answer;
  #answer: Answer | undefined;
  #ended = false;
  /** Calls made without waiting are answered one after the other, as those of an async generator are. */
  #last: Promise<unknown> | undefined;

  constructor(parts: LlamaParts, prompt: Prompt, params: GenerationParams) {
    this.#begin = () => new Answer(parts, prompt, { params });
  }

  next(): Promise<IteratorResult<number, void>> {
    const step = () => this.#step();
    const result = this.#last ? this.#last.then(step, step) : step();
    this.#last = result;
    const settled = () => {
      if (this.#last === result) this.#last = undefined;
    };
    result.then(settled, settled);
    return result;
  }

  async return(): Promise<IteratorResult<number, void>> {
    this.#ended = true;
    await this.#answer?.return();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<number, void>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async #step(): Promise<IteratorResult<number, void>> {
    if (this.#ended) return { done: true, value: undefined };
    try {
      this.#answer ??= this.#begin();
      for (;;) {
        const event = await this.#answer.next();
        if (!event) break;
        if (event.type === "token") return { done: false, value: event.token };
      }
    } catch (error) {
      this.#ended = true;
      throw error;
    }
    this.#ended = true;
    return { done: true, value: undefined };
  }
}
