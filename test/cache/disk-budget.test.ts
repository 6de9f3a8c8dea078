import { afterAll, expect, test } from "bun:test";
import type { Block } from "../../src/cache/block.ts";
import { fileLengthOf } from "../../src/cache/block-file.ts";
import { blocksOf, readTokens, root, tokensOf } from "../support/cache-blocks.ts";
import { blockFiles, DiskFolders, openStore, otherNamespace } from "../support/disk-folders.ts";

const folders = new DiskFolders();
afterAll(() => folders.remove());

const lists = Array.from({ length: 6 }, (_, seed) => tokensOf(seed, 512));
const size = fileLengthOf(blocksOf(lists[0]!)[0]!);

function puts(store: { put(block: Block): void }, blocks: readonly Block[]): void {
  for (const block of blocks) store.put(block);
}

test("what was not used for long goes first, from its end", async () => {
  const folder = folders.path();
  using store = await openStore(folder, { budgetBytes: 6 * size });
  for (const list of lists.slice(0, 3)) puts(store, blocksOf(list));
  store.chain(root, lists[0]!);
  puts(store, blocksOf(lists[3]!).slice(0, 1));
  expect(lists.map((list) => readTokens(store, list))).toEqual([512, 256, 512, 256, 0, 0]);
  puts(store, blocksOf(lists[3]!).slice(1));
  expect(lists.map((list) => readTokens(store, list))).toEqual([512, 0, 512, 512, 0, 0]);
  expect(store.counters).toMatchObject({ droppedBlocks: 2, droppedBytes: 2 * size, damaged: 0 });
  expect(store.usage().all.bytes).toBe(6 * size);
  expect(blockFiles(folder).length).toBe(6);
});

test("a block that others follow stays as long as they do", async () => {
  using store = await openStore(folders.path(), { budgetBytes: 4 * size });
  const long = tokensOf(9, 5 * 256);
  puts(store, blocksOf(long));
  // The fifth found no room: all before it are needed to find it.
  expect(readTokens(store, long)).toBe(4 * 256);
  puts(store, blocksOf(lists[0]!).slice(0, 1));
  puts(store, blocksOf(lists[1]!).slice(0, 1));
  const found = [long, lists[0]!, lists[1]!].map((list) => readTokens(store, list));
  expect(found.reduce((sum, length) => sum + length, 0)).toBe(4 * 256);
  expect(store.usage().own).toMatchObject({ blocks: 4, tokens: 4 * 256 });
});

test("order and uses outlive the process", async () => {
  const folder = folders.path();
  const options = { budgetBytes: 3 * size };
  const heads = lists.map((list) => blocksOf(list)[0]!);
  let store = await openStore(folder, options);
  puts(store, heads.slice(0, 3));
  store.chain(root, lists[0]!);
  store.close();
  store = await openStore(folder, options);
  puts(store, heads.slice(3, 4));
  expect(lists.map((list) => readTokens(store, list))).toEqual([256, 0, 256, 256, 0, 0]);
  store.close();
});

test("the dear, unused, go in the end", async () => {
  using store = await openStore(folders.path(), { budgetBytes: 40 * size });
  const deep = blocksOf(tokensOf(9, 36 * 256));
  puts(store, deep);
  let rounds = 0;
  while (store.has(deep.at(-1)!.first) && rounds < 400) puts(store, blocksOf(tokensOf(100 + rounds++, 256)));
  // Of what is new only four can stay meanwhile.
  expect(rounds).toBeGreaterThan(8);
  expect(rounds).toBeLessThan(400);
});

test("a block larger than all is not stored, and drops nothing", async () => {
  using store = await openStore(folders.path(), { budgetBytes: size });
  const [small] = blocksOf(lists[0]!);
  const [large] = blocksOf(lists[1]!, { tokenBytes: 9 });
  puts(store, [small!, large!]);
  expect(store.counters).toMatchObject({ puts: 1, skipped: 1, droppedBlocks: 0 });
  expect(readTokens(store, lists[0]!)).toBe(256);
});

test("the budget is of all namespaces, and a smaller one holds from the start", async () => {
  const folder = folders.path();
  const label = "other.gguf";
  using other = await openStore(folder, { namespace: otherNamespace, label });
  using store = await openStore(folder, { budgetBytes: 3 * size });
  puts(other, blocksOf(lists[0]!));
  puts(store, blocksOf(lists[1]!));
  expect(store.usage()).toMatchObject({ own: { blocks: 2 }, all: { blocks: 3, bytes: 3 * size } });
  expect(readTokens(other, lists[0]!)).toBe(256);
  other.close();
  using small = await openStore(folder, { budgetBytes: size });
  expect(small.usage().all).toMatchObject({ blocks: 1, bytes: size });
  expect(small.counters.droppedBlocks).toBe(2);
  expect(blockFiles(folder).length).toBe(1);
});
