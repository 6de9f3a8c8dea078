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
   * Takes the tokens whose logits are not less than `threshold`, and the `changed` ones, in the order of tokens.
   * @returns how many there are; undefined where they are too many.
   */
  gather(scan: LogitsScan, threshold: number, changed: readonly number[]): number | undefined {
    const { largest } = scan;
    const count = withLogit(scan, changed, Number.POSITIVE_INFINITY, () =>
      scan.gatherFrom(threshold, this.#room),
    );
    if (count > mostSurvivors) return undefined;
    const kept = changed.length > 0 ? this.#putBack(scan.logits, count) : count;
    this.candidates.take(kept, largest);
    return kept;
  }

  /** Takes these tokens, but those that are ruled out. */
  list(scan: LogitsScan, tokens: readonly number[]): { candidates: Candidates; count: number } {
    const { words } = this.#room;
    const sorted = Int32Array.from(tokens).sort();
    for (const [index, token] of sorted.entries()) words[entryWords * index] = token;
    const count = this.#putBack(scan.logits, sorted.length);
    this.candidates.take(count, scan.largest);
    return { candidates: this.candidates, count };
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

  /** Gives entries of changed tokens the logits they had, and drops those that are ruled out. @returns how many are left. */
  #putBack(logits: Float32Array, count: number): number {
    const { words } = this.#room;
    const values = this.#values;
    let kept = 0;
    for (let index = 0; index < count; index++) {
      const word = entryWords * index;
      const token = words[word]!;
      const logit = logits[token]!;
      if (logit === Number.NEGATIVE_INFINITY) continue;
      const to = entryWords * kept++;
      words[to] = token;
      values[to + 1] = logit;
      words[to + 2] = 0;
    }
    return kept;
  }
}

/** What `look` finds while some tokens have another logit. */
export function withLogit<T>(scan: LogitsScan, tokens: readonly number[], logit: number, look: () => T): T {
  const originals = tokens.map((token) => scan.logits[token]!);
  for (const token of tokens) scan.set(token, logit);
  const found = look();
  for (const [index, token] of tokens.entries()) scan.set(token, originals[index]!);
  return found;
}
