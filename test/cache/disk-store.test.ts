import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { DisposedError } from "../../lib/errors.ts";
import { type Block, unitLength } from "../../src/cache/block.ts";
import { wholeUnits } from "../../src/cache/chain.ts";
import { DiskStore } from "../../src/cache/disk-store.ts";
import { blocksOf, readTokens, root, tokensOf } from "../support/cache-blocks.ts";
import { blockFiles, DiskFolders, namespace, openStore, otherNamespace } from "../support/disk-folders.ts";
import { MemoryTable } from "../support/memory-table.ts";
import { tokenLists } from "../support/token-lists.ts";

setDefaultTimeout(60_000);

const folders = new DiskFolders();
afterAll(() => folders.remove());

const tokens = tokensOf(1, 600);
const blocks = blocksOf(tokens);
const [first, second, third] = blocks as [Block, Block, Block];
const branch = Int32Array.of(...tokens.subarray(0, 340), ...tokensOf(2, 100));

test("blocks come back, also after the store was closed, and what was not put is a miss", async () => {
  const folder = folders.path();
  using store = await openStore(folder);
  for (const block of blocks) store.put(block);
  expect(readTokens(store, tokens)).toBe(600);
  expect(store.get("00".repeat(32))).toBeUndefined();
  expect(store.has(first.first)).toBe(true);
  expect(store.has(first.key)).toBe(false);
  expect(store.find(second.first)).toMatchObject({ start: 256, byteLength: 2048, tokens: second.tokens });
  expect(store.counters).toMatchObject({ hits: 3, misses: 1, tokensRead: 600, bytesRead: 4800, puts: 3 });
  store.close();
  using again = await openStore(folder);
  expect(readTokens(again, tokens)).toBe(600);
  expect(again.usage().own).toMatchObject({ blocks: 3, tokens: 600 });
  expect(again.usage().all.bytes).toBe(store.counters.bytesWritten);
});

test("a block that goes on otherwise is cut, a short one gives way, and files that are replaced go", async () => {
  const folder = folders.path();
  using store = await openStore(folder);
  for (const block of blocksOf(tokens.subarray(0, 300))) store.put(block);
  expect(store.usage().own).toMatchObject({ blocks: 2, tokens: 300 });
  for (const block of blocks) store.put(block);
  expect(store.usage().own).toMatchObject({ blocks: 3, tokens: 600 });
  for (const block of blocksOf(branch)) store.put(block);
  // 256, 80, 176 and 88 of the one, 104 of the other.
  expect(store.usage().own).toMatchObject({ blocks: 5, tokens: 704 });
  expect([readTokens(store, tokens), readTokens(store, branch)]).toEqual([600, 440]);
  expect(blockFiles(folder).length).toBe(5);
  const before = store.counters.bytesWritten;
  for (const block of [...blocks, ...blocksOf(branch)]) store.put(block);
  expect(store.counters.bytesWritten).toBe(before);
  expect(store.counters.damaged).toBe(0);
});

test("it keeps and finds exactly what a table in memory does", async () => {
  await fc.assert(
    fc.asyncProperty(tokenLists, async (lists) => {
      const folder = folders.path();
      const table = new MemoryTable();
      let store = await openStore(folder);
      for (const [index, { tokens, length }] of lists.entries()) {
        if (index % 4 === 3) {
          store.close();
          store = await openStore(folder);
        }
        for (const block of blocksOf(tokens, { length })) {
          table.put(block);
          store.put(block);
        }
        for (const { tokens } of lists) expect(readTokens(store, tokens)).toBe(readTokens(table, tokens));
      }
      const expected = [...table.blocks.values()];
      for (const { first, key, parent, start, tokens } of expected)
        expect(store.find(first)).toMatchObject({ first, key, parent, start, tokens });
      const sum = expected.reduce((total, { tokens }) => total + tokens.length, 0);
      expect(store.usage().own).toMatchObject({ blocks: expected.length, tokens: sum });
      expect(blockFiles(folder).length).toBe(expected.length);
      expect(store.counters).toMatchObject({ damaged: 0, skipped: 0 });
      store.close();
    }),
    { numRuns: 40, examples: [[[{ tokens: tokensOf(1, unitLength), length: unitLength }]]] },
  );
});

test("blocks of another namespace are never seen, and are counted apart", async () => {
  const folder = folders.path();
  using store = await openStore(folder);
  using other = await openStore(folder, { namespace: otherNamespace });
  for (const block of blocks) store.put(block);
  expect(other.has(first.first)).toBe(false);
  expect(readTokens(other, tokens)).toBe(0);
  other.put(first);
  expect([readTokens(store, tokens), readTokens(other, tokens)]).toEqual([600, 256]);
  expect(other.usage()).toMatchObject({ own: { blocks: 1, tokens: 256 }, all: { blocks: 4, tokens: 856 } });
  store.clear();
  expect([readTokens(store, tokens), readTokens(other, tokens)]).toEqual([0, 256]);
  expect(blockFiles(folder).length).toBe(1);
});

test("a block behind none that is there is not taken: nobody would find it", async () => {
  using store = await openStore(folders.path());
  store.put(second);
  expect(store.counters).toMatchObject({ puts: 0, skipped: 1, bytesWritten: 0 });
  store.put(first);
  store.put(second);
  expect(readTokens(store, tokens)).toBe(512);
  expect(wholeUnits(third.start)).toBe(third.start);
});

describe("misuse", () => {
  test("wrong options are named", async () => {
    const options = { budgetBytes: 1, namespace, warn: () => {} };
    const open = (changes: object) => DiskStore.open(folders.path(), { ...options, ...changes });
    expect(open({ namespace: "ab" })).rejects.toThrow(/^namespace must be 64 hexadecimal digits, got "ab"/);
    expect(open({ budgetBytes: -1 })).rejects.toThrow(/^budgetBytes must be 0 or more, got -1/);
    expect(open({ budgetBytes: Number.NaN })).rejects.toThrow(RangeError);
  });

  test("a closed store says so from every method, and closes again in silence", async () => {
    const store = await openStore(folders.path());
    store.close();
    store.close();
    store[Symbol.dispose]();
    const uses: (() => unknown)[] = [
      () => store.has(first.first),
      () => store.find(first.first),
      () => store.get(first.first),
      () => store.chain(root, tokens),
      () => store.put(first),
      () => store.usage(),
      () => store.clear(),
    ];
    for (const use of uses) expect(use).toThrow(DisposedError);
  });
});
