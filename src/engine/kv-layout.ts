import type { Context } from "../context.ts";
import type { Sequence } from "./sequence.ts";

export type KvLayoutKind = "shared" | "streams";

/**
 * How the cells of a context belong to its sequences. All methods keep `computedLength` of the sequences true.
 */
export interface KvLayout {
  readonly kind: KvLayoutKind;
  readonly context: Context;
  /** Sequences there are; ids 0 to sequenceCount - 1. */
  readonly sequenceCount: number;
  /** Most tokens that one sequence can have. */
  readonly sequenceLength: number;
  /** Fewest tokens that are worth sharing. */
  readonly leastShare: number;
  /** Tokens that can still be computed before something must go; Infinity where each sequence has cells of its own. */
  readonly freeCells: number;
  readonly usedCells: number;
  /** Cells that more than one sequence has. */
  readonly sharedCells: number;

  /** Cells that {@link drop} would free. */
  exclusiveCells(sequence: Sequence): number;
  /** Notes that a sequence was computed up to `length`. */
  computed(sequence: Sequence, length: number): void;
  /**
   * Gives `target`, which is empty, the first `length` tokens of `source`.
   * @returns how many it has now: 0 where the memory cannot give them.
   */
  share(source: Sequence, target: Sequence, length: number): number;
  /** Shortens a sequence. @returns its length: `length`, or 0 where the memory cannot drop a tail. */
  truncate(sequence: Sequence, length: number): number;
  /** Empties a sequence. */
  drop(sequence: Sequence): void;
  /**
   * Whether sequences that run should have consecutive ids: libllama computes others one after the other, and goes through
   * all weights for each.
   */
  readonly wantsConsecutive: boolean;
  /** Gives a sequence another id, and `other`, which has that id, its own; without `other` that id is empty. */
  exchange(sequence: Sequence, id: number, other?: Sequence): void;
}
