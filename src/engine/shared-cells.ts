import type { Context } from "../context.ts";
import { keepPrefix } from "../sequence-prefix.ts";
import { CellLedger } from "./cell-ledger.ts";
import type { KvLayout } from "./kv-layout.ts";
import type { Sequence } from "./sequence.ts";

/**
 * All sequences draw from one pool of cells, and a prefix is held once: sharing it is `llama_memory_seq_cp`, metadata
 * alone. Each step looks at the cells of every active sequence, though: for requests that share.
 */
export class SharedCells implements KvLayout {
  readonly kind = "shared";
  readonly leastShare = 1;
  readonly wantsConsecutive = false;
  readonly context: Context;
  readonly sequenceLength: number;
  readonly sequenceCount: number;
  readonly #ledger = new CellLedger<Sequence>();

  /**
   * @param context with `unifiedCache: true`.
   * @param sequenceCount sequences to use; one that the context has beyond them is for moving blocks in and out.
   */
  constructor(context: Context, sequenceLength: number, sequenceCount = context.maxSequences) {
    this.context = context;
    this.sequenceLength = Math.min(sequenceLength, context.contextLength);
    this.sequenceCount = sequenceCount;
  }

  get freeCells(): number {
    return this.context.contextLength - this.#ledger.used;
  }
  get usedCells(): number {
    return this.#ledger.used;
  }
  get sharedCells(): number {
    return this.#ledger.shared;
  }

  exclusiveCells(sequence: Sequence): number {
    return this.#ledger.exclusive(sequence);
  }

  computed(sequence: Sequence, length: number): void {
    this.#ledger.grow(sequence, length);
    sequence.computedLength = length;
  }

  share(source: Sequence, target: Sequence, length: number): number {
    const { memory } = this.context;
    memory.copy(source.id, target.id, { from: 0, to: length });
    // Of recurrent state all is copied or nothing, and of a window only what is left of it.
    const kept =
      memory.positionMax(target.id) + 1 === length ? keepPrefix(this.context, target.id, length) : 0;
    if (kept === 0) memory.remove(target.id);
    else this.#ledger.share(source, target, kept);
    target.computedLength = kept;
    return kept;
  }

  truncate(sequence: Sequence, length: number): number {
    const kept = keepPrefix(this.context, sequence.id, length);
    this.#ledger.truncate(sequence, kept);
    sequence.computedLength = kept;
    return kept;
  }

  drop(sequence: Sequence): void {
    this.context.memory.remove(sequence.id);
    this.#ledger.drop(sequence);
    sequence.computedLength = 0;
  }

  exchange(): never {
    throw new Error("shared cells need no order");
  }
}
