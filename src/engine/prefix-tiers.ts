import { blockLength, unitLength } from "../cache/block.ts";
import { makeBlock } from "../cache/chain.ts";
import type { HostBlock, HostTier } from "../cache/host-tier.ts";
import { KvShape } from "../cache/kv-shape.ts";
import { BlockTransfer } from "./block-transfer.ts";
import { ChainRoots } from "./chain-roots.ts";
import type { KvLayout } from "./kv-layout.ts";
import type { Sequence } from "./sequence.ts";
import { emptyTierCounters, Pace, type TierCounters } from "./tier-counters.ts";
import type { DescribeKey, Restoration, Restoring, Saving, Sought, Tiers } from "./tiers.ts";

/** Fewest tokens beyond those at hand that are worth restoring. */
const leastGain = unitLength;
/** Restoring must be so much faster than computing. */
const worthRestoring = 0.8;

export interface TierParts {
  readonly host: HostTier;
  readonly describe: DescribeKey;
  /** Whether values are expected to be transposed in the context. */
  readonly transposed: boolean;
}

/**
 * What has been computed and need not be in the context: blocks in host memory. Saving reads a sequence's cells, restoring
 * writes them into another, and what others have is left where it is.
 */
export class PrefixTiers implements Tiers {
  readonly host: HostTier;
  readonly counters: TierCounters = emptyTierCounters();
  readonly whole = true;
  readonly #roots: ChainRoots;
  readonly #transfer: BlockTransfer;
  readonly #restoring = new Pace();
  /** Whether the context's memory is of a kind that cannot be taken apart. */
  #unfit = false;

  constructor({ host, describe, transposed }: TierParts) {
    this.host = host;
    this.#roots = new ChainRoots(describe);
    this.#transfer = new BlockTransfer(transposed);
  }

  get fit(): boolean {
    return !this.#unfit;
  }

  save(
    layout: KvLayout,
    sequence: Sequence,
    { tokens, what, most = Number.POSITIVE_INFINITY }: Saving,
  ): void {
    const length = Math.min(sequence.soundLength, sequence.computedLength, tokens.length);
    const least = what === "all" ? unitLength : blockLength;
    if (this.#unfit || length - sequence.keptLength < least) return;
    const root = this.#roots.of(sequence.key);
    const chain = this.host.chain(root, tokens.subarray(0, length));
    const last = chain.entries.at(-1);
    // A last block is gone through once more where it can become longer, or must be cut for others to go on behind it.
    const goesOn =
      last &&
      chain.length === last.start + last.tokens.length &&
      (last.tokens.length === blockLength || this.host.hasFollowers(last.key));
    let from = last ? (goesOn ? chain.length : last.start) : 0;
    let parent = last ? (goesOn ? last.key : last.parent) : root;
    const stops = length - chain.length < unitLength ? [] : pieceEnds(from, length, what);
    if (stops.length === 0) {
      sequence.keptLength = chain.length;
      return;
    }
    const started = performance.now();
    const now = stops.slice(0, most);
    const per = this.#transfer.pieceLength(layout);
    let saved = 0;
    this.host.holding(chain.entries, () => {
      let read: ReturnType<BlockTransfer["read"]>;
      let readTo = from;
      for (const to of now) {
        if (!read || to > readTo) {
          readTo = Math.min(now.at(-1)!, Math.max(to, from + per));
          read = this.#transfer.read(layout, sequence, { from, to: readTo });
          if (!read) {
            this.#unfit = this.host.counters.saved === 0;
            return;
          }
        }
        const { shape } = read.state;
        const data = new Uint8Array(new ArrayBuffer(shape.tokenBytes * (to - from)));
        read.state.copyTokens(from - read.from, to - read.from, data);
        const block = makeBlock(parent, {
          start: from,
          tokens: tokens.subarray(from, to),
          data,
          shape: shape.bytes,
        });
        this.host.put(block);
        saved += to - from;
        parent = block.key;
        from = to;
      }
    });
    this.counters.savedTokens += saved;
    this.counters.saveMs += performance.now() - started;
    sequence.keptLength = saved > 0 ? from : length;
  }

  find(
    key: string,
    tokens: Int32Array,
    { have, prefillMs }: { have: number; prefillMs: number },
  ): Restoration | undefined {
    if (this.#unfit || this.host.counters.blocks === 0) return undefined;
    // The last token must be computed for its logits.
    const { entries, length } = this.host.chain(this.#roots.of(key), tokens);
    const most = Math.min(length, tokens.length - 1);
    if (most - have < leastGain) return undefined;
    if (prefillMs > 0 && this.#restoring.msEach > worthRestoring * prefillMs) {
      this.#restoring.doubt();
      return undefined;
    }
    return { blocks: entries, length: most };
  }

  restore(
    layout: KvLayout,
    sequence: Sequence,
    { restoration, deadline, computed, lost }: Restoring,
  ): boolean {
    const { blocks, length } = restoration;
    const shape = this.host.shape && KvShape.parse(this.host.shape);
    if (!shape) return false;
    const had = sequence.computedLength;
    const started = performance.now();
    const pieces = blocks.map((block) => {
      const { offset, byteLength, start, tokens } = block;
      const data = this.host.memory.view(offset, byteLength);
      return { block, start, count: tokens.length, data };
    });
    const intact = (piece: { block: HostBlock }) => this.host.find(piece.block.first) === piece.block;
    const needed = this.#transfer.inPieces(layout)
      ? pieces.filter(({ start, count }) => start + count > had)
      : pieces;
    const give = (some: typeof pieces, to: number) => {
      if (!some.every(intact) || !this.#transfer.write(layout, sequence, { pieces: some, shape, to }))
        return false;
      computed(to);
      return true;
    };
    let more = false;
    if (!this.#transfer.inPieces(layout)) {
      // Whatever it had is gone where the whole of it could not be put in its place.
      if (!give(needed, length)) lost();
      this.#restored(had, sequence, started);
      return false;
    }
    for (const [index, piece] of needed.entries()) {
      if (!give([piece], Math.min(length, piece.start + piece.count))) break;
      more = index + 1 < needed.length;
      if (more && performance.now() > deadline) break;
    }
    this.#restored(had, sequence, started);
    return more && sequence.computedLength > had;
  }

  heldLength(key: string, tokens: Int32Array): number {
    return this.#unfit ? 0 : this.host.chain(this.#roots.of(key), tokens).length;
  }

  sought(key: string, tokens: Int32Array): Sought {
    return { root: this.#roots.of(key), tokens };
  }

  #restored(had: number, sequence: Sequence, started: number): void {
    const tokens = sequence.computedLength - had;
    const milliseconds = performance.now() - started;
    if (tokens <= 0) return;
    sequence.soundLength = sequence.computedLength;
    sequence.keptLength = sequence.computedLength;
    this.#restoring.took(milliseconds, tokens);
    this.counters.restores++;
    this.counters.restoredTokens += tokens;
    this.counters.restoreMs += milliseconds;
  }
}

/** Where blocks end that are cut from tokens [from, length). */
function pieceEnds(from: number, length: number, what: "blocks" | "all"): number[] {
  const ends: number[] = [];
  for (let end = from + blockLength; end <= length; end += blockLength) ends.push(end);
  const rest = length - (ends.at(-1) ?? from);
  if (what === "all" && rest >= unitLength) ends.push(length);
  return ends;
}
