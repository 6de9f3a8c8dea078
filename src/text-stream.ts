import { StopMatcher, Utf8Stream } from "../lib/index.ts";
import type { Vocab } from "./vocab.ts";

/**
 * Turns tokens into text that may be shown: whole characters only, and nothing of a stop string.
 * What a token adds may come out with a later token.
 */
export class TextStream {
  readonly #vocab: Vocab;
  readonly #utf8 = new Utf8Stream();
  readonly #stops: StopMatcher | undefined;
  readonly #special: boolean | ReadonlySet<number>;
  /** The stop string that ended the text. */
  stop: string | undefined;

  constructor(
    vocab: Vocab,
    {
      stops = [],
      special = false,
    }: { stops?: readonly string[]; special?: boolean | ReadonlySet<number> } = {},
  ) {
    this.#vocab = vocab;
    this.#stops = stops.length > 0 ? new StopMatcher([...stops]) : undefined;
    this.#special = special;
  }

  /** @returns the text that became certain with this token. Once {@link stop} is set there is no more. */
  push(token: number): string {
    const special = typeof this.#special === "boolean" ? this.#special : this.#special.has(token);
    return this.#emit(this.#utf8.push(this.#vocab.pieceBytes(token, { special })));
  }

  /** @returns what was held back, after the last token. */
  flush(): string {
    if (this.stop !== undefined) return "";
    const text = this.#emit(this.#utf8.flush());
    return this.stop === undefined ? text + (this.#stops?.flush() ?? "") : text;
  }

  #emit(text: string): string {
    if (!this.#stops || text === "") return text;
    const result = this.#stops.push(text);
    this.stop = result.stop;
    return result.text;
  }
}
