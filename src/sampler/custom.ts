/** What a sampler in TypeScript is told beside the logits. */
export interface CustomSamplerInfo {
  /** Prompt and generated tokens so far; a borrowed view. */
  readonly tokens: Int32Array;
}

/** A sampler written in TypeScript. */
export interface CustomSamplerOptions {
  readonly name: string;
  /**
   * Changes logits in place; -Infinity rules a token out. Shape [vocabulary], borrowed for the call. A token that samplers
   * before have removed has -Infinity, and stays removed whatever is written.
   */
  apply(logits: Float32Array, info: CustomSamplerInfo): void;
  accept?(token: number): void;
  reset?(): void;
  /** State for a clone of the chain; without, the clone shares this sampler. */
  clone?(): CustomSamplerOptions;
}

/** A link of a chain that runs in JavaScript. Made by `Sampler.custom`. */
export class CustomSampler {
  readonly name: string;
  readonly #options: CustomSamplerOptions;

  constructor(options: CustomSamplerOptions) {
    if (typeof options.name !== "string" || options.name === "") {
      throw new TypeError("a custom sampler needs a name");
    }
    if (typeof options.apply !== "function")
      throw new TypeError(`the sampler "${options.name}" needs apply()`);
    this.name = options.name;
    this.#options = options;
  }

  /** @throws RangeError where the sampler left NaN or +Infinity behind, which libllama would sort into nonsense. */
  apply(logits: Float32Array, info: CustomSamplerInfo): void {
    this.#options.apply(logits, info);
    for (let token = 0; token < logits.length; token++) {
      if (!(logits[token]! < Number.POSITIVE_INFINITY)) {
        throw new RangeError(`the sampler "${this.name}" made the logit of token ${token} ${logits[token]}`);
      }
    }
  }

  accept(token: number): void {
    this.#options.accept?.(token);
  }

  reset(): void {
    this.#options.reset?.();
  }

  clone(): CustomSampler {
    return this.#options.clone ? new CustomSampler(this.#options.clone()) : this;
  }
}
