import type { CoreOptions } from "../../src/engine/core.ts";
import type { AdapterScale } from "../../src/engine/request.ts";
import type { Model } from "../../src/model.ts";
import { CoreHarness } from "./engine-core.ts";

/** Nearer than this, the shape of a batch may decide which of two logits is the larger. */
const tie = 5e-3;

export interface FreshAnswer {
  readonly tokens: readonly number[];
  /** How many of them, from the first on, are larger than all others beyond doubt. */
  readonly certain: number;
}

/** Greedy answers of contexts that have never seen anything else: what any engine must answer. */
export class FreshAnswers {
  readonly #model: Model;
  readonly #options: Partial<CoreOptions>;
  readonly #length: number;
  readonly #known = new Map<string, FreshAnswer>();

  /** @param length tokens of each answer. */
  constructor(model: Model, options: Partial<CoreOptions>, length: number) {
    this.#model = model;
    this.#options = options;
    this.#length = length;
  }

  to(prompt: readonly number[], adapters: readonly AdapterScale[] = []): FreshAnswer {
    const key = JSON.stringify([prompt, adapters]);
    const known = this.#known.get(key);
    if (known) return known;
    using engine = new CoreHarness(this.#model, { ...this.#options, parallel: 1, checkIntegrity: false });
    // Log-probabilities know nothing of what is ruled out: the two best of those that may be chosen are among the first.
    const ends = new Set(this.#model.vocab.endOfGenerationTokens);
    const topLogprobs = 2 + ends.size;
    const id = engine.submit(prompt, { maxTokens: this.#length, ignoreEos: true, topLogprobs, adapters });
    engine.run();
    const { tokens } = engine.of(id);
    const close = tokens.findIndex(({ top }) => {
      const [best, next] = top.filter(({ token }) => !ends.has(token));
      return best!.logprob - next!.logprob < tie;
    });
    const answer = {
      tokens: tokens.map(({ token }) => token),
      certain: close < 0 ? tokens.length : close,
    };
    this.#known.set(key, answer);
    return answer;
  }
}
