import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Block, unitLength } from "../../src/cache/block.ts";
import { endDigest, makeBlock, rootDigest, splitBlock, wholeUnits } from "../../src/cache/chain.ts";
import { blocksOf, dataOf, readTokens, root, shape, tokensOf } from "../support/cache-blocks.ts";
import { MemoryTable } from "../support/memory-table.ts";
import { NaiveLists, tokenLists } from "../support/token-lists.ts";

test("what was put is found as far as the naive model knows it, and every unit is kept once", () => {
  fc.assert(
    fc.property(tokenLists, (lists) => {
      const table = new MemoryTable();
      const naive = new NaiveLists();
      for (const { tokens, length } of lists) {
        for (const block of blocksOf(tokens, { length })) table.put(block);
        naive.add(tokens.subarray(0, coveredLength(tokens.length, length)));
        for (const { tokens: asked } of lists) {
          const known = naive.commonLength(asked);
          const found = readTokens(table, asked);
          expect(found).toBeGreaterThanOrEqual(wholeUnits(known));
          expect(found).toBeLessThanOrEqual(known);
        }
      }
      const blocks = [...table.blocks.values()];
      const units = blocks.reduce((sum, { tokens }) => sum + Math.floor(tokens.length / unitLength), 0);
      expect(units).toBe(naive.units);
      checkTree(blocks);
    }),
    { numRuns: 300 },
  );
});

/** Tokens that are in blocks: a rest of less than a unit is in none. */
function coveredLength(total: number, length: number): number {
  const rest = total % length;
  return rest < unitLength ? total - rest : total;
}

/** Every block hangs on one that is there, and is what its digests say. */
function checkTree(blocks: readonly Block[]): void {
  const ends = new Set(blocks.map(({ key }) => key));
  for (const block of blocks) {
    expect(block.start === 0 ? block.parent === root : ends.has(block.parent)).toBe(true);
    const { parent, start, tokens, data } = block;
    const made = makeBlock(parent, { start, tokens, data, shape });
    expect([made.first, made.key]).toEqual([block.first, block.key]);
  }
}

test("wherever a list is cut, its end is the same", () => {
  const tokens = tokensOf(1, 112);
  const whole = endDigest(root, tokens);
  for (const length of [16, 32, 48, 64, 256]) expect(blocksOf(tokens, { length }).at(-1)!.key).toBe(whole);
  const [block] = blocksOf(tokens);
  const [head, tail] = splitBlock(block!, 32);
  expect([head.first, head.parent, tail.parent, tail.key]).toEqual([block!.first, root, head.key, whole]);
  expect([...head.data, ...tail.data]).toEqual([...dataOf(tokens)]);
});

test("a block behind the same tokens is another under another root", () => {
  const tokens = tokensOf(1, 64);
  const table = new MemoryTable();
  for (const block of blocksOf(tokens)) table.put(block);
  expect(table.chain(rootDigest("other"), tokens).length).toBe(0);
  expect(rootDigest("a", "bc")).not.toBe(rootDigest("ab", "c"));
  expect(table.chain(root, tokens).length).toBe(64);
});
