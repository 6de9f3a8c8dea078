import { type Block, type BlockStore, unitLength } from "../../src/cache/block.ts";
import { type BlockTable, type Chain, longestChain, storeBlock } from "../../src/cache/block-tree.ts";
import { splitBlock } from "../../src/cache/chain.ts";

/** The plainest table of blocks. */
export class MemoryTable implements BlockTable<Block>, BlockStore {
  readonly blocks = new Map<string, Block>();

  has(first: string): boolean {
    return this.blocks.has(first);
  }
  get(first: string): Block | undefined {
    return this.blocks.get(first);
  }
  put(block: Block): void {
    storeBlock(this, block);
  }
  chain(parent: string, tokens: Int32Array): Chain<Block> {
    return longestChain(this, parent, tokens);
  }
  find(first: string): Block | undefined {
    return this.blocks.get(first);
  }
  hasFollowers(key: string): boolean {
    return [...this.blocks.values()].some(({ parent }) => parent === key);
  }
  insert(block: Block): void {
    if (this.blocks.has(block.first)) throw new Error("two blocks begin alike");
    this.blocks.set(block.first, block);
  }
  extend(entry: Block, block: Block): void {
    this.blocks.delete(entry.first);
    this.insert(block);
  }
  split(entry: Block, at: number): boolean {
    const [head, tail] = splitBlock(entry, at);
    this.extend(entry, head);
    if (tail.tokens.length >= unitLength) this.insert(tail);
    return true;
  }
}
