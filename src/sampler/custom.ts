/** What a sampler in TypeScript is told beside the candidates. */
export interface CustomSamplerInfo {
  /** Prompt and generated tokens so far; a borrowed view. */
  readonly tokens: Int32Array;
}

/** The candidates at a sampler's place in the chain; borrowed for the call. */
export interface CandidateView {
  /** Those that samplers before have left, in their order: by token, or the likeliest first. Shape [count]. */
  readonly tokens: Int32Array;
  /** Their logits, to be changed in place; -Infinity rules a token out. Shape [count]. */
  readonly logits: Float32Array;
  /**
   * The logits of the whole vocabulary, -Infinity for tokens that are no candidates, to be changed in place instead of
   * {@link logits}. A token that samplers before have removed stays removed whatever is written. Shape [vocabulary].
   */
  whole(): Float32Array;
}

/** A sampler written in TypeScript. */
export interface CustomSamplerOptions {
  readonly name: string;
  /**
   * Changes the candidates' logits in place. Behind a sampler that leaves tokens out (top-k, top-p, min-p) there are few
   * candidates; ahead of it there is the whole vocabulary, none of which is copied.
   */
  apply(candidates: CandidateView, info: CustomSamplerInfo): void;
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

  apply(candidates: CandidateView, info: CustomSamplerInfo): void {
    this.#options.apply(candidates, info);
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

  /** What libllama would sort into nonsense: NaN or +Infinity that the sampler left behind. */
  broken(token: number, logit: number): RangeError {
    return new RangeError(`the sampler "${this.name}" made the logit of token ${token} ${logit}`);
  }
}
