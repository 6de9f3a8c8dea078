import fc from "fast-check";
import { unitLength } from "../../src/cache/block.ts";
import { commonLength } from "../../src/cache/block-tree.ts";

/** A list of tokens that begins as an earlier one, and the lengths of its blocks. */
export interface GrowingList {
  readonly tokens: Int32Array;
  readonly length: number;
}

const growth = fc.record({
  of: fc.nat({ max: 20 }),
  keep: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constant(1)),
  more: fc.array(fc.nat({ max: 1 }), { maxLength: 70 }),
  units: fc.integer({ min: 1, max: 4 }),
});

/** Lists each of which branches off from one before, at any token. */
export const tokenLists = fc.array(growth, { minLength: 1, maxLength: 12 }).map((growths) => {
  const lists: GrowingList[] = [];
  for (const { of, keep, more, units } of growths) {
    const base = lists[of % Math.max(1, lists.length)]?.tokens ?? new Int32Array(0);
    const kept = base.subarray(0, Math.round(keep * base.length));
    lists.push({ tokens: Int32Array.of(...kept, ...more), length: units * unitLength });
  }
  return lists;
});

/** The naive model: lists that were kept, each looked at for whatever is asked. */
export class NaiveLists {
  readonly #lists: Int32Array[] = [];

  add(tokens: Int32Array): void {
    this.#lists.push(tokens);
  }

  /** Most tokens that `tokens` has in common with a list. */
  commonLength(tokens: Int32Array): number {
    return Math.max(0, ...this.#lists.map((list) => commonLength(list, tokens)));
  }

  /** Whole units, each counted once whichever lists begin with it and all before it. */
  get units(): number {
    const prefixes = this.#lists.flatMap((list) =>
      Array.from({ length: Math.floor(list.length / unitLength) }, (_, unit) =>
        list.subarray(0, (unit + 1) * unitLength).join(),
      ),
    );
    return new Set(prefixes).size;
  }
}
