import { decodePiece, wholeSequence } from "./code-points.ts";

/** What an index is made of. */
export interface IndexedVocab {
  readonly size: number;
  /** Bytes of a token, control tokens spelled out. */
  pieceBytes(token: number, options: { special: true }): Uint8Array;
  isEndOfGeneration(token: number): boolean;
}

const lastPoint = 0x10ffff;

/**
 * The tokens of a vocabulary in the order of their code points, each with how many of them it shares with the token before:
 * a walk along them needs to look at each prefix once.
 */
export class VocabularyIndex {
  /** Tokens that are whole UTF-8, sorted. */
  readonly tokens: Int32Array;
  /** Code points of all of them, one after another. */
  readonly points: Int32Array;
  /** Where those of each begin; one more at the end. */
  readonly starts: Int32Array;
  /** So many code points each has in common with the one before. */
  readonly common: Int32Array;
  /** Tokens that begin or end within a character, or are no UTF-8. */
  readonly partial: Int32Array;

  private constructor(vocab: IndexedVocab) {
    const whole: { readonly token: number; readonly points: readonly number[]; readonly text: string }[] = [];
    const partial: number[] = [];
    for (let token = 0; token < vocab.size; token++) {
      if (vocab.isEndOfGeneration(token)) continue;
      const piece = vocab.pieceBytes(token, { special: true });
      // No grammar generates a token without text.
      if (piece.length === 0 || piece[0] === 0) continue;
      const { points, rest } = decodePiece(piece, wholeSequence);
      if (rest.missing !== 0 || points.some((point) => point > lastPoint)) partial.push(token);
      else whole.push({ token, points, text: String.fromCodePoint(...points) });
    }
    whole.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : a.token - b.token));
    const length = whole.reduce((sum, { points }) => sum + points.length, 0);
    this.tokens = Int32Array.from(whole, ({ token }) => token);
    this.points = new Int32Array(length);
    this.starts = new Int32Array(whole.length + 1);
    this.common = new Int32Array(whole.length);
    this.partial = Int32Array.from(partial);
    let at = 0;
    for (const [index, { points }] of whole.entries()) {
      this.starts[index] = at;
      this.points.set(points, at);
      at += points.length;
      const before = whole[index - 1]?.points ?? [];
      const most = Math.min(before.length, points.length);
      let shared = 0;
      while (shared < most && before[shared] === points[shared]) shared++;
      this.common[index] = shared;
    }
    this.starts[whole.length] = at;
  }

  static readonly #known = new WeakMap<IndexedVocab, VocabularyIndex>();

  /** Made when it is first asked for, which takes about 2 µs a token. */
  static of(vocab: IndexedVocab): VocabularyIndex {
    let index = VocabularyIndex.#known.get(vocab);
    if (!index) {
      index = new VocabularyIndex(vocab);
      VocabularyIndex.#known.set(vocab, index);
    }
    return index;
  }
}
