import type { KvShape } from "../cache/kv-shape.ts";
import { KvState, type StreamPlace, stateOf, type TokenRows } from "../cache/kv-state.ts";
import type { KvLayout } from "./kv-layout.ts";
import type { Sequence } from "./sequence.ts";

/** Tokens that were read out of a context. */
export interface ReadTokens {
  readonly state: KvState;
  /** Position of the first token there is in the state. */
  readonly from: number;
}

/** A stored piece of a sequence, from position `start` on. */
export interface StoredPiece extends TokenRows {
  readonly start: number;
}

/**
 * Moves the KV cache of ranges of tokens between a context and bytes. Where sequences share cells a range goes through a
 * sequence kept for it; where each has a stream of its own, whole sequences are read and written.
 *
 * Source: `llama_state_seq_get_data`, `llama_state_seq_set_data` and `llama_memory_seq_cp` of llama.h.
 */
export class BlockTransfer {
  /** Whether contexts have their values transposed, once it was seen. */
  #transposed: boolean;

  /** @param transposed what is to be expected: values are where flash attention is off. */
  constructor(transposed: boolean) {
    this.#transposed = transposed;
  }

  /** Most tokens that are read at once; Infinity where it takes the whole sequence each time. */
  pieceLength(layout: KvLayout): number {
    return layout.kind === "shared" ? 1024 : Number.POSITIVE_INFINITY;
  }

  /** Whether a layout can take single pieces, behind what a sequence has. */
  inPieces(layout: KvLayout): boolean {
    return layout.kind === "shared";
  }

  /** Tokens [from, to) of a sequence, borrowed until the next call; undefined where the memory is of another kind. */
  read(
    layout: KvLayout,
    sequence: Sequence,
    { from, to }: { from: number; to: number },
  ): ReadTokens | undefined {
    const { memory, state } = layout.context;
    const scratch = scratchOf(layout);
    if (layout.kind === "shared" && scratch === undefined) return undefined;
    const start = scratch === undefined ? 0 : from;
    let read: KvState | undefined;
    if (scratch === undefined)
      read = KvState.parse(state.readSequence(sequence.id), placeOf(layout, sequence.id), 0);
    else {
      memory.copy(sequence.id, scratch, { from, to });
      read = KvState.parse(state.readSequence(scratch), placeOf(layout, scratch), from);
      memory.remove(scratch);
    }
    if (!read || start + read.length < to) return undefined;
    this.#transposed = read.transposed;
    return { state: read, from: start };
  }

  /**
   * Gives a sequence, which has the tokens before, those of `pieces` up to `to`, one piece behind another. Where it cannot
   * take pieces they must begin at 0.
   * @returns whether it has them; else what it had, or nothing where it cannot take pieces.
   */
  write(
    layout: KvLayout,
    sequence: Sequence,
    { pieces, shape, to }: { pieces: readonly StoredPiece[]; shape: KvShape; to: number },
  ): boolean {
    const first = pieces[0]!.start;
    const scratch = scratchOf(layout);
    if (layout.kind === "shared" && scratch === undefined) return false;
    const { memory, state } = layout.context;
    const target = scratch ?? sequence.id;
    const place = placeOf(layout, target);
    // What must be known before anything was read may have been guessed wrongly.
    const written = [this.#transposed, !this.#transposed].some((transposed) => {
      const bytes = stateOf(pieces, { shape, from: first, transposed, place });
      if (!bytes || !state.writeSequence(target, bytes)) return false;
      this.#transposed = transposed;
      return true;
    });
    if (!written) return false;
    if (scratch === undefined) {
      if (memory.positionMax(sequence.id) + 1 === to) return true;
      return memory.remove(sequence.id, { from: to });
    }
    memory.copy(scratch, sequence.id, { from: sequence.computedLength, to });
    memory.remove(scratch);
    return memory.positionMax(sequence.id) + 1 === to;
  }
}

/** The sequence kept for moving pieces; undefined where there is none. */
function scratchOf({ kind, context, sequenceCount }: KvLayout): number | undefined {
  return kind === "shared" && sequenceCount < context.maxSequences ? sequenceCount : undefined;
}

/** Where a context has the cells of a sequence. */
export function placeOf({ context }: KvLayout, sequence: number): StreamPlace {
  return context.unifiedCache
    ? { streams: 1, stream: 0 }
    : { streams: context.maxSequences, stream: sequence };
}
