import type { LlamaCore, PreparedRun, Prompt } from "./core.ts";
import type { GenerationParams } from "./types.ts";

/**
 * The tokens of one generation, as they come. The prompt is computed on the first call of `next`; from then to the end, or
 * to `return`, no other generation can run on the same `Llama`.
 */
export class TokenStream implements AsyncGenerator<number, void, undefined> {
  readonly #core: LlamaCore;
  readonly #prompt: Prompt;
  readonly #params: GenerationParams;
  #occupied: { release(): void } | undefined;
  #run: PreparedRun | undefined;
  #ended = false;
  /** Whether `#last` has not been settled yet. */
  #stepping = false;
  #last: Promise<IteratorResult<number, void>> | undefined;

  constructor(core: LlamaCore, prompt: Prompt, params: GenerationParams) {
    this.#core = core;
    this.#prompt = prompt;
    this.#params = params;
  }

  next(): Promise<IteratorResult<number, void>> {
    const step = () => this.#step();
    // Calls made without waiting are answered one after the other, as those of an async generator are.
    this.#last = this.#stepping && this.#last ? this.#last.then(step, step) : step();
    return this.#last;
  }

  async return(): Promise<IteratorResult<number, void>> {
    if (this.#stepping) await this.#last?.catch(() => {});
    this.#end();
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
    this.#stepping = true;
    try {
      this.#run ??= await this.#begin();
      const token = await this.#run.generation.next(this.#run.sampler, this.#params);
      if (token !== undefined) return { done: false, value: token };
    } catch (error) {
      this.#end();
      throw error;
    } finally {
      this.#stepping = false;
    }
    this.#end();
    return { done: true, value: undefined };
  }

  async #begin(): Promise<PreparedRun> {
    this.#occupied = this.#core.occupy();
    this.#core.writePrompt(this.#prompt);
    return await this.#core.prepare(this.#params);
  }

  #end(): void {
    this.#ended = true;
    this.#run?.[Symbol.dispose]();
    this.#run = undefined;
    this.#occupied?.release();
  }
}
