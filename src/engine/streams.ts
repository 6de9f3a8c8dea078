import { CriaError } from "../../lib/errors.ts";
import type { Context } from "../context.ts";
import { keepPrefix } from "../sequence-prefix.ts";
import type { KvLayout } from "./kv-layout.ts";
import type { Sequence } from "./sequence.ts";

/**
 * Each sequence has cells of its own, so that a step looks at nobody else's: for requests that are strangers. Sharing
 * copies the state, at about a thousandth of what computing it takes.
 */
export class Streams implements KvLayout {
  readonly kind = "streams";
  /** Below this, computing them again costs less than copying the state. */
  readonly leastShare = 8;
  readonly context: Context;
  readonly sequenceLength: number;
  readonly freeCells = Number.POSITIVE_INFINITY;
  readonly sharedCells = 0;
  readonly wantsConsecutive: boolean;
  #used = 0;

  /** @param context with `unifiedCache: false`. */
  constructor(context: Context, sequenceLength: number) {
    this.context = context;
    const { model } = context;
    // What a window or recurrent state has lost does not come along.
    this.wantsConsecutive = !model.isRecurrent && !model.isHybrid && model.slidingWindow === 0;
    this.sequenceLength = Math.min(sequenceLength, context.sequenceLength);
  }

  get sequenceCount(): number {
    return this.context.maxSequences;
  }
  get usedCells(): number {
    return this.#used;
  }

  exclusiveCells(sequence: Sequence): number {
    return sequence.computedLength;
  }

  computed(sequence: Sequence, length: number): void {
    this.#set(sequence, length);
  }

  share(source: Sequence, target: Sequence, length: number): number {
    try {
      this.context.state.copySequence(source.id, target.id);
    } catch (error) {
      if (!(error instanceof CriaError)) throw error;
      return 0;
    }
    const kept = keepPrefix(this.context, target.id, length);
    this.#set(target, kept);
    return kept;
  }

  truncate(sequence: Sequence, length: number): number {
    this.#set(sequence, keepPrefix(this.context, sequence.id, length));
    return sequence.computedLength;
  }

  drop(sequence: Sequence): void {
    this.context.memory.remove(sequence.id);
    this.#set(sequence, 0);
  }

  exchange(sequence: Sequence, id: number, other?: Sequence): void {
    const { memory, state } = this.context;
    const kept = other && state.saveSequence(id);
    state.copySequence(sequence.id, id);
    memory.remove(sequence.id);
    if (other && kept) {
      state.restoreSequence(sequence.id, kept);
      other.id = sequence.id;
    }
    sequence.id = id;
  }

  #set(sequence: Sequence, length: number): void {
    this.#used += length - sequence.computedLength;
    sequence.computedLength = length;
  }
}
