import { decodePiece, wholeSequence } from "./code-points.ts";

/** What an index is made of. */
export interface IndexedVocab {
  readonly size: number;
  /** Bytes of a token, control tokens spelled out. */
  pieceBytes(token: number, options: { special: true }): Uint8Array;
  isEndOfGeneration(token: number): boolean;
}

const lastPoint = 0x10ffff;
/** Tokens read, or sorted, at a time. */
const portion = 8192;

interface Spelled {
  readonly token: number;
  readonly text: string;
}

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

  constructor(lists: {
    readonly tokens: readonly number[];
    readonly points: readonly number[];
    readonly starts: readonly number[];
    readonly common: readonly number[];
    readonly partial: readonly number[];
  }) {
    this.tokens = Int32Array.from(lists.tokens);
    this.points = Int32Array.from(lists.points);
    this.starts = Int32Array.from(lists.starts);
    this.common = Int32Array.from(lists.common);
    this.partial = Int32Array.from(lists.partial);
  }
}

/** Makes an index bit by bit, for a thread that others wait for. */
export class IndexBuilder {
  readonly #vocab: IndexedVocab;
  /** By their beginnings, so that none takes long to sort. */
  readonly #whole = new Map<string, Spelled[]>();
  #lists = {
    tokens: [] as number[],
    points: [] as number[],
    starts: [0],
    common: [] as number[],
    partial: [] as number[],
  };
  #read = 0;
  #beginnings: readonly string[] | undefined;
  /** The beginning to be sorted next. */
  #next = 0;
  #index: VocabularyIndex | undefined;

  constructor(vocab: IndexedVocab) {
    this.#vocab = vocab;
  }

  static readonly #known = new WeakMap<IndexedVocab, IndexBuilder>();

  /** The one builder of a vocabulary. */
  static of(vocab: IndexedVocab): IndexBuilder {
    let builder = IndexBuilder.#known.get(vocab);
    if (!builder) {
      builder = new IndexBuilder(vocab);
      IndexBuilder.#known.set(vocab, builder);
    }
    return builder;
  }

  /** Does a part of the work, some milliseconds of it. @returns the index once it is done. */
  advance(): VocabularyIndex | undefined {
    if (this.#index) return this.#index;
    if (this.#read < this.#vocab.size) this.#readSome();
    else this.#sortSome();
    return this.#index;
  }

  /** Does all that is left of the work. */
  finish(): VocabularyIndex {
    for (;;) {
      const index = this.advance();
      if (index) return index;
    }
  }

  #readSome(): void {
    const end = Math.min(this.#vocab.size, this.#read + portion);
    for (; this.#read < end; this.#read++) {
      const token = this.#read;
      if (this.#vocab.isEndOfGeneration(token)) continue;
      const piece = this.#vocab.pieceBytes(token, { special: true });
      // No grammar generates a token without text.
      if (piece.length === 0 || piece[0] === 0) continue;
      const { points, rest } = decodePiece(piece, wholeSequence);
      if (rest.missing !== 0 || points.some(isOdd)) this.#lists.partial.push(token);
      else {
        const text = String.fromCodePoint(...points);
        const beginning = text.slice(0, 2);
        const bucket = this.#whole.get(beginning);
        if (bucket) bucket.push({ token, text });
        else this.#whole.set(beginning, [{ token, text }]);
      }
    }
  }

  #sortSome(): void {
    this.#beginnings ??= [...this.#whole.keys()].sort();
    let done = 0;
    while (this.#next < this.#beginnings.length) {
      const beginning = this.#beginnings[this.#next++]!;
      const bucket = this.#whole.get(beginning)!;
      bucket.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : a.token - b.token));
      for (const spelled of bucket) this.#list(spelled);
      this.#whole.delete(beginning);
      done += bucket.length;
      if (done >= portion) return;
    }
    this.#index = new VocabularyIndex(this.#lists);
    this.#lists = { tokens: [], points: [], starts: [0], common: [], partial: [] };
  }

  #list({ token, text }: Spelled): void {
    const { tokens, points, starts, common } = this.#lists;
    const before = starts.at(-2) ?? 0;
    const start = points.length;
    for (const character of text) points.push(character.codePointAt(0)!);
    let shared = 0;
    const most = Math.min(start - before, points.length - start);
    while (shared < most && points[before + shared] === points[start + shared]) shared++;
    tokens.push(token);
    starts.push(points.length);
    common.push(shared);
  }
}

/** A code point that a string does not keep apart, or cannot hold. */
function isOdd(point: number): boolean {
  return point > lastPoint || (point >= 0xd800 && point < 0xe000);
}
