import type { Native } from "../../ffi/index.ts";
import { entryWords } from "../../lib/logits-kernel.ts";
import { allocateEntries, type EntryRoom, type LogitsScan } from "../../lib/logits-scan.ts";
import { Candidates } from "./candidates.ts";

/** Most tokens that are handed on; where there would be more, all are. */
const mostSurvivors = 2 ** 16;
/** Larger ones may be shifted before they are sorted, after which many are equal. */
const mostLogit = 1e5;

/** Room for the candidates that may be picked. Nobody keeps them beyond the choice that they are for. */
export class Survivors {
  readonly candidates: Candidates;
  readonly #room: EntryRoom;
  readonly #values: Float32Array;

  private constructor(native: Native) {
    this.#room = allocateEntries(mostSurvivors);
    const { words } = this.#room;
    this.#values = new Float32Array(words.buffer, words.byteOffset, words.length);
    this.candidates = new Candidates(native, words);
  }

  static readonly #ofThread = new WeakMap<Native, Survivors>();

  /** All chains of a thread share one. */
  static for(native: Native): Survivors {
    let survivors = Survivors.#ofThread.get(native);
    if (!survivors) {
      survivors = new Survivors(native);
      Survivors.#ofThread.set(native, survivors);
    }
    return survivors;
  }

  /** Whether fewer than all candidates can be enough: what is wrong with NaN and the like is told where all are looked at. */
  static canNarrow(scan: LogitsScan, changed: readonly number[]): boolean {
    const { largest } = scan;
    return largest > Number.NEGATIVE_INFINITY && largest < mostLogit && changed.length <= mostSurvivors / 2;
  }

  /**
   * Takes the tokens whose logits are not less than `threshold`, and of the `changed` ones those that are not ruled out, in the
   * order of tokens.
   * @returns how many there are; undefined where they are too many.
   */
  gather(scan: LogitsScan, threshold: number, changed: readonly number[]): number | undefined {
    const count = scan.gatherFrom(threshold, this.#room);
    const least = Math.fround(threshold);
    const { logits } = scan;
    const others = changed.filter((token) => logits[token]! < least && isLeft(logits[token]!));
    if (count + others.length > mostSurvivors) return undefined;
    this.#insert(count, others, logits);
    this.candidates.take(count + others.length, scan.largest);
    return count + others.length;
  }

  /** Takes these tokens, each given once, but those that are ruled out. */
  list(scan: LogitsScan, tokens: readonly number[]): { candidates: Candidates; count: number } {
    const { logits } = scan;
    const left = tokens.filter((token) => isLeft(logits[token]!));
    this.#insert(0, left, logits);
    this.candidates.take(left.length, scan.largest);
    return { candidates: this.candidates, count: left.length };
  }

  /** Leaves those of the gathered that pass, in their order. @returns how many are left. */
  keep(count: number, passes: (index: number) => boolean, largest: number): number {
    const { words } = this.#room;
    let kept = 0;
    for (let index = 0; index < count; index++) {
      if (!passes(index)) continue;
      words.copyWithin(entryWords * kept++, entryWords * index, entryWords * (index + 1));
    }
    this.candidates.take(kept, largest);
    return kept;
  }

  /** Puts tokens in their places among the first `count` entries, which are in order: from the end on, so that each moves once. */
  #insert(count: number, tokens: number[], logits: Float32Array): void {
    const { words } = this.#room;
    const values = this.#values;
    tokens.sort((a, b) => a - b);
    let from = entryWords * (count - 1);
    let to = from + entryWords * tokens.length;
    for (const token of tokens.toReversed()) {
      for (; from >= 0 && words[from]! > token; from -= entryWords, to -= entryWords) {
        words[to] = words[from]!;
        words[to + 1] = words[from + 1]!;
        words[to + 2] = 0;
      }
      words[to] = token;
      values[to + 1] = logits[token]!;
      words[to + 2] = 0;
      to -= entryWords;
    }
  }
}

function isLeft(logit: number): boolean {
  return logit > Number.NEGATIVE_INFINITY;
}

/** What `look` finds while some tokens have another logit. */
export function withLogit<T>(scan: LogitsScan, tokens: readonly number[], logit: number, look: () => T): T {
  const originals = tokens.map((token) => scan.logits[token]!);
  for (const token of tokens) scan.set(token, logit);
  const found = look();
  for (const [index, token] of tokens.entries()) scan.set(token, originals[index]!);
  return found;
}
