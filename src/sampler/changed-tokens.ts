import type { RecentTokens } from "./recent-tokens.ts";

/** The tokens whose logits the first samplers of a chain may change: those with a bias, and for penalties the recent ones. */
export class ChangedTokens {
  readonly #biased: ReadonlySet<number>;
  readonly #recent: RecentTokens | undefined;

  constructor(biased: ReadonlySet<number>, recent: RecentTokens | undefined) {
    this.#biased = biased;
    this.#recent = recent;
  }

  /** Each once. */
  list(): number[] {
    const recent = this.#recent?.distinct.keys() ?? [];
    return this.#biased.size === 0 ? [...recent] : [...new Set([...this.#biased, ...recent])];
  }
}
