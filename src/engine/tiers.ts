import type { HostBlock, HostTier } from "../cache/host-tier.ts";
import type { KvLayout } from "./kv-layout.ts";
import type { Sequence } from "./sequence.ts";
import type { TierCounters } from "./tier-counters.ts";

/** What is being restored for a request. */
export interface Restoration {
  /** One behind another from position 0 on, or one that stands alone. */
  readonly blocks: readonly HostBlock[];
  /** Tokens that the request will have then; the last block may have more. */
  readonly length: number;
}

/** How much to save. */
export interface Saving {
  /** All of the sequence's. */
  readonly tokens: Int32Array;
  /** Whole blocks alone, or the rest behind them too. */
  readonly what: "blocks" | "all";
  /** Most blocks to save at once. */
  readonly most?: number;
}

/** How far to restore. */
export interface Restoring {
  readonly restoration: Restoration;
  /** All of the request's. */
  readonly tokens: Int32Array;
  /** Something is restored all the same, by `performance.now()`. */
  readonly deadline: number;
  /** Notes how long the sequence has become. */
  readonly computed: (length: number) => void;
  /** Notes that it has lost everything. */
  readonly lost: () => void;
}

/** Where to look for on disk. */
export type Sought =
  | { readonly root: string; readonly tokens: Int32Array }
  | { readonly firsts: readonly string[] };

/** What has been computed and need not be in the context: how it gets into host memory and back. */
export interface Tiers {
  readonly host: HostTier;
  readonly counters: TierCounters;
  /** Whether anything can be kept of what the context computes, as far as it is known. */
  readonly fit: boolean;
  /** Whether a sequence that was saved comes back as long as it was. */
  readonly whole: boolean;
  /** Keeps what of a sequence is sound and not kept yet. */
  save(layout: KvLayout, sequence: Sequence, saving: Saving): void;
  /** How much of some tokens host memory has. */
  heldLength(key: string, tokens: Int32Array): number;
  /**
   * What host memory could give to tokens beyond the first `have`; undefined where that is next to nothing, or no faster
   * than computing it. @param prefillMs of a token, as measured; 0 for unknown.
   */
  find(key: string, tokens: Int32Array, given: { have: number; prefillMs: number }): Restoration | undefined;
  /** Restores something, and more until the deadline. @returns whether there is more to come. */
  restore(layout: KvLayout, sequence: Sequence, restoring: Restoring): boolean;
  /** What to look for on disk. */
  sought(key: string, tokens: Int32Array): Sought;
}

/** Names the salt and adapters of a key, the same after a restart. */
export type DescribeKey = (key: string) => readonly string[];
