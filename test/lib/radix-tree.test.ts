import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { longestCommonPrefixNaive } from "../../lib/prefix-match.ts";
import { RadixTree, type TokenOwner } from "../../lib/radix-tree.ts";

interface Holder {
  readonly name: number;
  /** What can be used of it, as the computed part of a prompt. */
  readonly usable: number;
}

/** Tokens that are overwritten once the tree says that it no longer refers to them. */
class Owner implements TokenOwner {
  dropped = 0;
  readonly #tokens: Int32Array;
  constructor(tokens: Int32Array) {
    this.#tokens = tokens;
  }
  drop(): void {
    this.dropped++;
    this.#tokens.fill(-1);
  }
}

const list = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 12 });
const usable = fc.integer({ min: 0, max: 12 });
const operation = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), tokens: list, usable }),
  fc.record({ kind: fc.constant("grow" as const), index: fc.nat(), tokens: list }),
  fc.record({ kind: fc.constant("remove" as const), index: fc.nat() }),
  fc.record({ kind: fc.constant("find" as const), tokens: list }),
);

test("finds what a search through all lists finds, after any operations", () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const tree = new RadixTree<Holder>(longestCommonPrefixNaive);
      // Of each holder: its own buffer with room to grow, and how much of it is filled.
      const held: { holder: Holder; buffer: Int32Array; length: number; owner: Owner }[] = [];
      const owners: Owner[] = [];
      const usableOf = (holder: Holder, overlap: number) => Math.min(holder.usable, overlap);
      for (const step of operations) {
        const chosen =
          step.kind === "find" || step.kind === "add"
            ? undefined
            : held.at(step.index % Math.max(1, held.length));
        if (step.kind === "add") {
          const buffer = new Int32Array(200);
          buffer.set(step.tokens);
          const entry = {
            holder: { name: held.length, usable: step.usable },
            buffer,
            length: step.tokens.length,
            owner: new Owner(buffer),
          };
          const known = Math.max(
            0,
            ...held.map((other) =>
              longestCommonPrefixNaive(other.buffer.subarray(0, other.length), Int32Array.from(step.tokens)),
            ),
          );
          expect(tree.extend(entry.holder, buffer.subarray(0, entry.length), entry.owner)).toBe(known);
          held.push(entry);
          owners.push(entry.owner);
        } else if (step.kind === "grow" && chosen && chosen.owner.dropped === 0 && chosen.length < 180) {
          chosen.buffer.set(step.tokens, chosen.length);
          chosen.length += step.tokens.length;
          tree.extend(chosen.holder, chosen.buffer.subarray(0, chosen.length), chosen.owner);
        } else if (step.kind === "remove" && chosen) {
          tree.remove(chosen.holder);
          held.splice(held.indexOf(chosen), 1);
          tree.remove(chosen.holder);
        } else if (step.kind === "find") {
          const tokens = Int32Array.from(step.tokens);
          const lengths = held.map(({ holder, buffer, length }) =>
            usableOf(holder, longestCommonPrefixNaive(buffer.subarray(0, length), tokens)),
          );
          const found = tree.find(tokens, usableOf);
          expect(found?.length ?? 0).toBe(Math.max(0, ...lengths));
          if (found) {
            const entry = held.find(({ holder }) => holder === found.holder)!;
            expect(
              longestCommonPrefixNaive(entry.buffer.subarray(0, entry.length), tokens),
            ).toBeGreaterThanOrEqual(found.length);
          }
        }
        tree.check();
        for (const { holder, length } of held) expect(tree.lengthOf(holder)).toBe(length);
      }
      for (const { holder } of held) tree.remove(holder);
      tree.check();
      expect([tree.nodeCount, tree.size]).toEqual([0, 0]);
      // An owner whose tokens were all known already was never referred to.
      for (const owner of owners) expect(owner.dropped).toBeLessThanOrEqual(1);
    }),
    { numRuns: 1500 },
  );
});

describe("by hand", () => {
  const owner = () => ({
    drops: 0,
    drop() {
      this.drops++;
    },
  });
  const tokens = (...values: number[]) => Int32Array.from(values);

  test("a prefix that ends inside an edge counts", () => {
    const tree = new RadixTree<string>(longestCommonPrefixNaive);
    tree.extend("a", tokens(1, 2, 3, 4, 5), owner());
    expect(tree.find(tokens(1, 2, 3, 9), (_, overlap) => overlap)).toEqual({ holder: "a", length: 3 });
    expect(tree.nodeCount).toBe(1);
    expect(tree.find(tokens(9), (_, overlap) => overlap)).toBeUndefined();
  });

  test("growing at the end of an edge makes it longer, and branching splits it", () => {
    const tree = new RadixTree<string>(longestCommonPrefixNaive);
    const [mine, theirs] = [owner(), owner()];
    const buffer = new Int32Array(10).map((_, index) => index + 1);
    for (let length = 3; length <= 6; length++) tree.extend("a", buffer.subarray(0, length), mine);
    expect(tree.nodeCount).toBe(1);
    expect(tree.extend("b", tokens(1, 2, 7), theirs)).toBe(2);
    expect(tree.nodeCount).toBe(3);
    tree.remove("a");
    expect([mine.drops, theirs.drops]).toEqual([0, 0]);
    tree.remove("b");
    expect([mine.drops, theirs.drops]).toEqual([1, 1]);
  });

  test("a longer path that is not computed yet does not hide a shorter one that is", () => {
    const tree = new RadixTree<{ computed: number }>(longestCommonPrefixNaive);
    const [running, parked] = [{ computed: 1 }, { computed: 3 }];
    tree.extend(parked, tokens(1, 2, 3), owner());
    tree.extend(running, tokens(1, 2, 3, 4, 5), owner());
    const best = tree.find(tokens(1, 2, 3, 4, 5), ({ computed }, overlap) => Math.min(computed, overlap));
    expect(best).toEqual({ holder: parked, length: 3 });
  });

  test("a path cannot be cut by extending it", () => {
    const tree = new RadixTree<string>(longestCommonPrefixNaive);
    tree.extend("a", tokens(1, 2, 3), owner());
    expect(() => tree.extend("a", tokens(1, 2), owner())).toThrow(RangeError);
    expect(tree.lengthOf("b")).toBe(0);
  });
});
