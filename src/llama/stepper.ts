import { RequestError } from "../../lib/errors.ts";
import type { Engine } from "../engine/engine.ts";
import type { SamplerChain } from "../sampler.ts";
import { createSampler, type SamplingParams } from "../sampling-params.ts";
import type { LlamaState } from "./state.ts";

/**
 * A text that its caller computes step by step and samples by hand. It holds nothing in the engine: each step is a request
 * whose prompt is the whole text, of which the cache has all but what is new.
 */
export class Stepper {
  readonly #engine: Engine;
  #tokens = new Int32Array(0);
  #logits: Float32Array | undefined;
  #sampler: { params: SamplingParams; chain: SamplerChain } | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  get tokens(): Int32Array {
    return this.#tokens;
  }

  get logits(): Float32Array {
    if (!this.#logits) throw new RequestError("there are no logits; call eval() with some tokens first");
    return this.#logits;
  }

  /** Goes on with another text. */
  take(tokens: Int32Array): void {
    this.#tokens = tokens.slice();
    this.#logits = undefined;
    this.#forgetSampler();
  }

  async eval(tokens: ArrayLike<number>, { signal }: { signal?: AbortSignal | undefined }): Promise<void> {
    const { contextLength, model } = this.#engine;
    const before = this.#tokens;
    for (let index = 0; index < tokens.length; index++)
      model.vocab.checkToken(tokens[index]!, `tokens[${index}]`);
    if (before.length + tokens.length > contextLength) {
      throw new RequestError(
        `${tokens.length} more tokens do not fit the context of ${contextLength}`,
        "tokens",
      );
    }
    if (tokens.length === 0) return;
    const whole = new Int32Array(before.length + tokens.length);
    whole.set(before);
    whole.set(tokens, before.length);
    this.#logits = await this.#compute(whole, signal);
    this.#tokens = whole;
  }

  sample(params: SamplingParams): number {
    const { logits } = this;
    if (this.#sampler?.params !== params) {
      this.#forgetSampler();
      const { model, contextLength } = this.#engine;
      const chain = createSampler(model, params, { contextLength });
      chain.acceptPrompt(this.#tokens);
      this.#sampler = { params, chain };
    }
    const { chain } = this.#sampler as { chain: SamplerChain };
    // The chain may change what it is given.
    return chain.sample({ checkOutput: () => {}, logits: () => logits.slice() });
  }

  async save(): Promise<LlamaState> {
    const tokens = this.#tokens;
    if (tokens.length === 0) return { tokens, data: new Uint8Array(0) };
    const saved = await this.#engine.saveState(tokens);
    if (saved.tokens.length === tokens.length) return saved;
    // It was evicted, or is part of a longer text only.
    await this.#compute(tokens, undefined);
    return this.#engine.saveState(tokens);
  }

  dispose(): void {
    this.take(new Int32Array(0));
  }

  /** Logits behind a text. */
  async #compute(tokens: Int32Array, signal: AbortSignal | undefined): Promise<Float32Array> {
    let logits: Float32Array | undefined;
    const sample = (values: Float32Array) => {
      logits = values.slice();
      return undefined;
    };
    for await (const event of this.#engine.submit({ prompt: tokens, sample, signal }))
      if (event.type === "error") throw event.error;
    return logits!;
  }

  #forgetSampler(): void {
    this.#sampler?.chain.dispose();
    this.#sampler = undefined;
  }
}
