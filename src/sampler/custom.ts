/** What a sampler in TypeScript is told beside the logits. */
export interface CustomSamplerInfo {
  /** Prompt and generated tokens so far; a borrowed view. */
  readonly tokens: Int32Array;
}

/** A sampler written in TypeScript. */
export interface CustomSamplerOptions {
  readonly name: string;
  /** Changes logits in place; -Infinity rules a token out. Shape [vocabulary], borrowed for the call. */
  apply(logits: Float32Array, info: CustomSamplerInfo): void;
  accept?(token: number): void;
  reset?(): void;
}

/** A link of a chain that runs in JavaScript. Made by `Sampler.custom`. */
export class CustomSampler {
  readonly name: string;
  readonly #options: CustomSamplerOptions;

  constructor(options: CustomSamplerOptions) {
    if (typeof options.apply !== "function") throw new TypeError("a custom sampler needs an apply function");
    this.name = options.name;
    this.#options = options;
  }

  /** @throws TypeError where the sampler left NaN behind, which libllama would sort into nonsense. */
  apply(logits: Float32Array, info: CustomSamplerInfo): void {
    this.#options.apply(logits, info);
    for (let token = 0; token < logits.length; token++) {
      if (Number.isNaN(logits[token]))
        throw new TypeError(`the sampler "${this.name}" made the logit of token ${token} NaN`);
    }
  }

  accept(token: number): void {
    this.#options.accept?.(token);
  }

  reset(): void {
    this.#options.reset?.();
  }
}
