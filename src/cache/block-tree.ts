import { type Block, type BlockEntry, unitLength } from "./block.ts";
import { splitBlock, unitDigest, wholeUnits } from "./chain.ts";

/** Blocks of which no two begin alike, as {@link storeBlock} changes them. */
export interface BlockTable<E extends BlockEntry> {
  /** The block whose first unit has that digest. */
  find(first: string): E | undefined;
  /** Whether any block has `key` as its parent. */
  hasFollowers(key: string): boolean;
  /** Adds a block; there is none that begins like it. */
  insert(block: Block): void;
  /** Puts a block that begins with all tokens of `entry` in its place. */
  extend(entry: E, block: Block): void;
  /**
   * Cuts a block in two at a multiple of a unit; a second part shorter than a unit is dropped, as nothing could be found by
   * it. @returns whether it could: its bytes may turn out to be damaged.
   */
  split(entry: E, at: number): boolean;
}

/** Blocks one behind another that have the first `length` tokens of a list; the last may have more of its own. */
export interface Chain<E> {
  readonly entries: readonly E[];
  readonly length: number;
}

/** Length of what two lists have in common; a block is too short for anything faster to pay. */
export function commonLength(a: Int32Array, b: Int32Array): number {
  const most = Math.min(a.length, b.length);
  let index = 0;
  while (index < most && a[index] === b[index]) index++;
  return index;
}

/**
 * The longest chain of blocks from `parent` on that `tokens` begins with. Digests find a block, its tokens are compared.
 * It costs one digest for each block.
 */
export function longestChain<E extends BlockEntry>(
  table: Pick<BlockTable<E>, "find">,
  parent: string,
  tokens: Int32Array,
): Chain<E> {
  const entries: E[] = [];
  let digest = parent;
  let length = 0;
  while (tokens.length - length >= unitLength) {
    const entry = table.find(unitDigest(digest, tokens.subarray(length, length + unitLength)));
    if (!entry || entry.parent !== digest) break;
    const common = commonLength(entry.tokens, tokens.subarray(length));
    if (common === 0) break;
    entries.push(entry);
    length += common;
    if (common < entry.tokens.length) break;
    digest = entry.key;
  }
  return { entries, length };
}

/**
 * Keeps a block such that every token is kept once: what others have of it already is left out, and a block that goes on
 * otherwise is cut where it does. A short last block gives way to a longer one that begins with it.
 */
export function storeBlock<E extends BlockEntry>(table: BlockTable<E>, block: Block): void {
  let rest = block;
  for (;;) {
    const known = table.find(rest.first);
    if (!known) {
      table.insert(rest);
      return;
    }
    const common = commonLength(known.tokens, rest.tokens);
    if (known.parent !== rest.parent || common < unitLength) return;
    const all = common === known.tokens.length;
    if (common === rest.tokens.length) {
      // All of it is there; others may follow it only where a block ends.
      if (!all && common === wholeUnits(common)) table.split(known, common);
      return;
    }
    if (all && !table.hasFollowers(known.key)) {
      table.extend(known, rest);
      return;
    }
    const at = wholeUnits(common);
    if (at < known.tokens.length && !table.split(known, at)) return;
    if (rest.tokens.length - at < unitLength) return;
    rest = splitBlock(rest, at)[1];
  }
}
