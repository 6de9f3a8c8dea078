import { IndexBuilder } from "../grammar/vocabulary-index.ts";
import type { GrammarMatcher } from "../grammar.ts";
import type { Vocab } from "../vocab.ts";

/** What wakes a lazy grammar. */
export interface GrammarTriggers {
  /** Texts, as UTF-8. */
  readonly words: readonly Uint8Array[];
  readonly tokens: ReadonlySet<number>;
}

/** A trigger that was found: the tokens from it on, each with that part of its bytes that the grammar must match. */
type Woken = readonly (readonly [token: number, piece: Uint8Array])[];

/**
 * Says which tokens libllama's grammar sampler may be given: with any other it ends the process. A lazy grammar sleeps
 * until a trigger comes up in the text, and must then match from the trigger on.
 */
export class GrammarGuard {
  readonly #matcher: GrammarMatcher;
  readonly #vocab: Vocab;
  readonly #triggers: GrammarTriggers | undefined;
  #asleep: boolean;
  #text = new Uint8Array(0);
  /** Tokens since the start, with the ends of their bytes in {@link #text}. */
  #tokens: { readonly token: number; readonly end: number }[] = [];

  constructor(matcher: GrammarMatcher, vocab: Vocab, triggers?: GrammarTriggers) {
    this.#matcher = matcher;
    this.#vocab = vocab;
    this.#triggers = triggers;
    this.#asleep = triggers !== undefined;
  }

  /** Whether every token may come, since no trigger has come up yet. */
  get asleep(): boolean {
    return this.#asleep;
  }

  allows(token: number): boolean {
    if (!this.#asleep) return this.#matcher.allows(token);
    const woken = this.#wake(token);
    return woken === undefined || replay(this.#matcher.clone(), woken);
  }

  /**
   * All tokens that {@link allows} lets pass; undefined where they are more than `most`, or not known one by one: the first calls
   * for a vocabulary make an index of it, each a part.
   */
  allowedTokens(most: number): number[] | undefined {
    const index = this.#asleep ? undefined : IndexBuilder.of(this.#vocab).advance();
    const allowed = index && this.#matcher.allowedTokens(index, most);
    if (!allowed || !this.#matcher.canEnd) return allowed;
    return [...allowed, ...this.#vocab.endOfGenerationTokens];
  }

  /** Moves past a token that {@link allows} has let pass. */
  accept(token: number): void {
    if (!this.#asleep) {
      this.#matcher.accept(token);
      return;
    }
    const woken = this.#wake(token);
    if (woken) {
      this.#asleep = false;
      replay(this.#matcher, woken);
      this.#forget();
      return;
    }
    this.#text = this.#textWith(token);
    this.#tokens.push({ token, end: this.#text.length });
    this.#trim();
  }

  reset(): void {
    this.#matcher.reset();
    this.#asleep = this.#triggers !== undefined;
    this.#forget();
  }

  clone(): GrammarGuard {
    const copy = new GrammarGuard(this.#matcher.clone(), this.#vocab, this.#triggers);
    copy.copyFrom(this);
    return copy;
  }

  copyFrom(other: GrammarGuard): void {
    this.#matcher.copyFrom(other.#matcher);
    this.#asleep = other.#asleep;
    this.#text = other.#text;
    this.#tokens = [...other.#tokens];
  }

  #forget(): void {
    this.#text = new Uint8Array(0);
    this.#tokens = [];
  }

  /** Drops tokens that no trigger to come can reach back to. */
  #trim(): void {
    const longest = Math.max(0, ...this.#triggers!.words.map((word) => word.length));
    const kept = this.#tokens.findIndex(({ end }) => this.#text.length - end < longest - 1);
    const dropped = kept < 0 ? this.#tokens.length : kept;
    const cut = this.#tokens[dropped - 1]?.end ?? 0;
    this.#text = this.#text.slice(cut);
    this.#tokens = this.#tokens.slice(dropped).map(({ token, end }) => ({ token, end: end - cut }));
  }

  #textWith(token: number): Uint8Array<ArrayBuffer> {
    const piece = this.#vocab.pieceBytes(token, { special: true });
    const text = new Uint8Array(this.#text.length + piece.length);
    text.set(this.#text);
    text.set(piece, this.#text.length);
    return text;
  }

  /** What the grammar is given where `token` triggers it. */
  #wake(token: number): Woken | undefined {
    const { words, tokens } = this.#triggers!;
    if (tokens.has(token)) return [[token, this.#vocab.pieceBytes(token, { special: true })]];
    const text = this.#textWith(token);
    // The first word in order that occurs counts, where it first occurs, as in libllama.
    const start = words.map((word) => indexOf(text, word)).find((at) => at >= 0);
    if (start === undefined) return undefined;
    const all = [...this.#tokens, { token, end: text.length }];
    return all
      .map(({ token: id, end }, index) => {
        const begin = all[index - 1]?.end ?? 0;
        return { id, end, begin };
      })
      .filter(({ end }) => end > start)
      .map(({ id, begin, end }) => [id, text.subarray(Math.max(begin, start), end)] as const);
  }
}

function replay(matcher: GrammarMatcher, woken: Woken): boolean {
  return woken.every(([token, piece]) => piece.length === 0 || matcher.acceptPiece(token, piece));
}

function indexOf(text: Uint8Array, word: Uint8Array): number {
  outer: for (let start = 0; start + word.length <= text.length; start++) {
    for (let index = 0; index < word.length; index++) if (text[start + index] !== word[index]) continue outer;
    return start;
  }
  return -1;
}
