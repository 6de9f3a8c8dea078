import type { Context } from "./context.ts";

/**
 * Shortens a sequence in a context to its first `length` tokens, or empties it where its memory cannot: recurrent state
 * has no tail to drop, and a sliding window may have lost cells that the next token would attend to.
 * @returns how many tokens the sequence has now: `length` or 0.
 */
export function keepPrefix(context: Context, sequence: number, length: number): number {
  const { memory } = context;
  const held = memory.positionMax(sequence) + 1;
  if (length > 0 && length <= held) {
    const fits = held === length || memory.remove(sequence, { from: length });
    if (fits && isWhole(context, sequence, length)) return length;
  }
  memory.remove(sequence);
  return 0;
}

function isWhole({ memory, model }: Context, sequence: number, position: number): boolean {
  const oldest = memory.positionMin(sequence);
  // Recurrent state is of the last position alone: of another one where a longer sequence was copied.
  if (model.isRecurrent || model.isHybrid) return oldest === position - 1;
  if (oldest <= 0) return oldest === 0;
  // The token at `position` attends to as many as the window has, itself among them.
  return model.slidingWindow > 0 && oldest <= position - model.slidingWindow + 1;
}
