import { GreedyDual } from "../../lib/eviction.ts";
import { type Block, type BlockEntry, type BlockStore, unitLength } from "./block.ts";
import { type BlockTable, type Chain, longestChain, storeBlock } from "./block-tree.ts";
import { endDigest, unitDigest } from "./chain.ts";
import type { HostMemory } from "./host-memory.ts";

/** A block in host memory. */
export interface HostBlock extends BlockEntry {
  readonly offset: number;
  readonly byteLength: number;
}

/** Totals since the start; `tokens` and `bytes` are what is held now. */
export interface HostCounters {
  blocks: number;
  tokens: number;
  bytes: number;
  /** Blocks kept, and dropped for want of room. */
  saved: number;
  dropped: number;
}

/** Blocks in host memory, each token once whoever shares it. What is worth least and has nothing behind it goes first. */
export class HostTier implements BlockStore, BlockTable<HostBlock> {
  readonly memory: HostMemory;
  readonly counters: HostCounters = { blocks: 0, tokens: 0, bytes: 0, saved: 0, dropped: 0 };
  /** What to do with each block that came or was cut, such as writing it to disk. */
  onStored: ((block: HostBlock) => void) | undefined;
  readonly #blocks = new Map<string, HostBlock>();
  readonly #byKey = new Map<string, HostBlock>();
  readonly #followers = new Map<string, number>();
  readonly #worth = new GreedyDual<string>();
  /** Blocks that must not go now. */
  readonly #held = new Set<string>();
  #shape: Uint8Array | undefined;

  constructor(memory: HostMemory) {
    this.memory = memory;
  }

  /** How a token's bytes are made up, once there was a block. */
  get shape(): Uint8Array | undefined {
    return this.#shape;
  }

  has(first: string): boolean {
    return this.#blocks.has(first);
  }

  /** The block; its bytes are a view that is good until the tier changes. */
  get(first: string): Block | undefined {
    const block = this.#blocks.get(first);
    if (!block) return undefined;
    return { ...block, shape: this.#shape!, data: this.memory.view(block.offset, block.byteLength) };
  }

  put(block: Block): void {
    this.#shape ??= block.shape;
    storeBlock(this, block);
  }

  /** The blocks that `tokens` begins with, marked as used. */
  chain(root: string, tokens: Int32Array): Chain<HostBlock> {
    const chain = longestChain(this, root, tokens);
    for (const block of chain.entries) this.#touch(block);
    return chain;
  }

  /** Runs `work` while these blocks cannot be dropped. */
  holding<T>(blocks: readonly HostBlock[], work: () => T): T {
    const added = blocks.filter(({ first }) => !this.#held.has(first));
    for (const { first } of added) this.#held.add(first);
    try {
      return work();
    } finally {
      for (const { first } of added) this.#held.delete(first);
    }
  }

  /** A place for `byteLength` bytes; others are dropped for it. @returns undefined where too little can be dropped. */
  reserve(byteLength: number): number | undefined {
    for (;;) {
      const offset = this.memory.allocate(byteLength);
      if (offset !== undefined) return offset;
      if (!this.#dropOne()) return undefined;
    }
  }

  find(first: string): HostBlock | undefined {
    return this.#blocks.get(first);
  }

  hasFollowers(key: string): boolean {
    return this.#followers.has(key);
  }

  insert(block: Block): void {
    // What was before it may have been dropped meanwhile, so that nobody could get to it.
    if (!this.#reachable(block)) return;
    const offset = this.#placeFor(block);
    if (offset !== undefined) this.#fill(offset, block);
  }

  extend(entry: HostBlock, block: Block): void {
    const offset = this.holding([entry], () => this.#placeFor(block));
    // The shorter one is better than none.
    if (offset === undefined) return;
    this.#remove(entry);
    this.memory.free(entry.offset, entry.byteLength);
    this.#fill(offset, block);
  }

  split(entry: HostBlock, at: number): boolean {
    const bytes = (entry.byteLength / entry.tokens.length) * at;
    const head = entry.tokens.subarray(0, at);
    const tail = entry.tokens.subarray(at);
    const middle = endDigest(entry.parent, head);
    this.#remove(entry);
    const { offset, byteLength } = entry;
    const upper = this.#add({ ...entry, key: middle }, { offset, byteLength: bytes, tokens: head });
    const rest = { offset: offset + bytes, byteLength: byteLength - bytes, tokens: tail };
    if (tail.length < unitLength) this.memory.free(rest.offset, rest.byteLength);
    else {
      const first = unitDigest(middle, tail.subarray(0, unitLength));
      this.#add({ ...entry, first, parent: middle, start: entry.start + at }, rest);
    }
    this.onStored?.(upper);
    return true;
  }

  /** Whether blocks of that shape can be kept with those there are. */
  takesShape(shape: Uint8Array): boolean {
    this.#shape ??= shape;
    return Buffer.compare(this.#shape, shape) === 0;
  }

  /** Takes a block whose bytes are in a place that {@link reserve} gave, which is freed where there is no use for it. */
  adopt(entry: BlockEntry, { offset, byteLength }: { offset: number; byteLength: number }): void {
    const known = this.#blocks.get(entry.first);
    if (!known && this.#reachable(entry)) {
      this.#add(entry, { offset, byteLength, tokens: entry.tokens });
      return;
    }
    if (known) {
      const stored = this.onStored;
      this.onStored = undefined;
      storeBlock(this, { ...entry, shape: this.#shape!, data: this.memory.view(offset, byteLength) });
      this.onStored = stored;
    }
    this.memory.free(offset, byteLength);
  }

  /** Drops a block and whatever is behind it, such as one that proved unusable. */
  discard(block: HostBlock): void {
    for (const other of [...this.#blocks.values()]) if (other.parent === block.key) this.discard(other);
    if (this.#blocks.get(block.first) !== block) return;
    this.#remove(block);
    this.memory.free(block.offset, block.byteLength);
  }

  clear(): void {
    for (const block of [...this.#blocks.values()]) {
      this.#remove(block);
      this.memory.free(block.offset, block.byteLength);
    }
  }

  /** Drops what is worth least until `bytes` are held at most. */
  shrink(bytes: number): void {
    while (this.memory.used > bytes && this.#dropOne());
  }

  /** Checks the counts. @throws Error naming what differs. */
  check(): void {
    const blocks = [...this.#blocks.values()];
    const fail = (problem: string): never => {
      throw new Error(`host tier: ${problem}`);
    };
    const bytes = blocks.reduce((sum, block) => sum + block.byteLength, 0);
    if (bytes !== this.counters.bytes || blocks.length !== this.counters.blocks) fail("counted otherwise");
    for (const block of blocks) if (!this.#reachable(block)) fail(`a block at ${block.start} has no parent`);
  }

  #placeFor({ parent, data }: Block): number | undefined {
    const before = this.#byKey.get(parent);
    return this.holding(before ? [before] : [], () => this.reserve(data.length));
  }

  #fill(offset: number, block: Block): void {
    this.memory.view(offset, block.data.length).set(block.data);
    this.counters.saved++;
    const place = { offset, byteLength: block.data.length, tokens: block.tokens.slice() };
    const stored = this.#add(block, place);
    this.onStored?.(stored);
  }

  #reachable({ parent, start }: BlockEntry): boolean {
    return start === 0 || this.#byKey.has(parent);
  }

  #add(
    { first, parent, key, start }: BlockEntry,
    { offset, byteLength, tokens }: Pick<HostBlock, "offset" | "byteLength" | "tokens">,
  ): HostBlock {
    const block: HostBlock = { first, parent, key, start, tokens, offset, byteLength };
    this.#blocks.set(first, block);
    this.#byKey.set(key, block);
    this.#followers.set(parent, (this.#followers.get(parent) ?? 0) + 1);
    this.counters.blocks++;
    this.counters.tokens += tokens.length;
    this.counters.bytes += byteLength;
    this.#touch(block);
    return block;
  }

  #remove(block: HostBlock): void {
    this.#blocks.delete(block.first);
    this.#byKey.delete(block.key);
    this.#worth.delete(block.first);
    const left = this.#followers.get(block.parent)! - 1;
    if (left > 0) this.#followers.set(block.parent, left);
    else this.#followers.delete(block.parent);
    this.counters.blocks--;
    this.counters.tokens -= block.tokens.length;
    this.counters.bytes -= block.byteLength;
  }

  #dropOne(): boolean {
    const first = this.#worth.evict(
      (first) => !this.#held.has(first) && !this.hasFollowers(this.#blocks.get(first)!.key),
    );
    if (first === undefined) return false;
    const block = this.#blocks.get(first)!;
    this.#remove(block);
    this.memory.free(block.offset, block.byteLength);
    this.counters.dropped++;
    return true;
  }

  #touch({ first, start }: HostBlock): void {
    // Attention makes a token dearer the deeper it is.
    this.#worth.touch(first, 1 + start / 4096);
  }
}
