import {
  type Block,
  type BlockEntry,
  type BlockStore,
  blockLength,
  unitLength,
} from "../../src/cache/block.ts";
import type { Chain } from "../../src/cache/block-tree.ts";
import { makeBlock, rootDigest } from "../../src/cache/chain.ts";

/** A store that finds chains. */
export interface ChainStore extends BlockStore {
  chain(parent: string, tokens: Int32Array): Chain<BlockEntry>;
}

export const root = rootDigest("test");
export const shape = Uint8Array.of(1, 2, 3, 4, 5);
const defaultTokenBytes = 8;

/** Bytes for each token that only tokens behind the same ones have: whoever reads them can tell whether they are right. */
export function dataOf(tokens: Int32Array, tokenBytes = defaultTokenBytes): Uint8Array {
  const data = new Uint8Array(tokens.length * tokenBytes);
  let state = 0x811c9dc5;
  for (const [index, token] of tokens.entries()) {
    state = Math.imul(state ^ token, 0x01000193) ^ (state >>> 15);
    for (let byte = 0; byte < tokenBytes; byte++)
      data[index * tokenBytes + byte] = Math.imul(state + byte, 0x9e3779b1) >>> 24;
  }
  return data;
}

/** Tokens cut into blocks of `length`; a rest of less than a unit is left out. */
export function blocksOf(
  tokens: Int32Array,
  { length = blockLength, tokenBytes = defaultTokenBytes, root: start = root } = {},
): Block[] {
  const data = dataOf(tokens, tokenBytes);
  const blocks: Block[] = [];
  let parent = start;
  for (let from = 0; tokens.length - from >= unitLength; from += length) {
    const to = Math.min(from + length, tokens.length);
    const part = { start: from, tokens: tokens.subarray(from, to), shape };
    const block = makeBlock(parent, { ...part, data: data.subarray(from * tokenBytes, to * tokenBytes) });
    blocks.push(block);
    parent = block.key;
  }
  return blocks;
}

/** Reads what a store has of `tokens`. @returns how many there are. @throws Error where they are not what was put. */
export function readTokens(store: ChainStore, tokens: Int32Array, tokenBytes = defaultTokenBytes): number {
  const expected = dataOf(tokens, tokenBytes);
  let length = 0;
  for (const { first, start, tokens: known } of store.chain(root, tokens).entries) {
    const block = store.get(first);
    // Another process may have dropped it since, or put a longer or shorter one in its place.
    if (block?.tokens.length !== known.length) break;
    const fail = (problem: string): never => {
      throw new Error(`the block at ${start} of ${block.tokens.length} tokens ${problem}`);
    };
    if (block.start !== length) fail(`begins at ${block.start}, not ${length}`);
    if (!same(block.shape, shape)) fail("has another shape");
    let common = 0;
    while (common < block.tokens.length && block.tokens[common] === tokens[length + common]) common++;
    if (block.data.length !== block.tokens.length * tokenBytes) fail(`has ${block.data.length} bytes`);
    const [from, to] = [length * tokenBytes, (length + common) * tokenBytes];
    if (!same(block.data.subarray(0, to - from), expected.subarray(from, to))) fail("has wrong data");
    length += common;
    if (common < block.tokens.length) break;
  }
  return length;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** `length` tokens that begin with those of `seed` and are the same each time. */
export function tokensOf(seed: number, length: number): Int32Array {
  return Int32Array.from({ length }, (_, index) => Math.imul(seed * 7919 + index + 1, 0x9e3779b1) >>> 12);
}
