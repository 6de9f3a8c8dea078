/** What is left of a UTF-8 sequence that a token ended in the middle of. */
export interface PartialSequence {
  readonly value: number;
  /** Bytes still missing; -1 where the bytes so far are no UTF-8. */
  readonly missing: number;
}

export const wholeSequence: PartialSequence = { value: 0, missing: 0 };
const invalid: PartialSequence = { value: 0, missing: -1 };

/** Bytes of a sequence by the high four bits of its first byte; 0 for a byte that cannot be the first. */
const lengths = [1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 3, 4];

/**
 * Code points of a token's bytes, continuing a sequence that the token before left open. Reads like libllama's grammar,
 * which takes any byte for a continuation inside a token and stops at a NUL.
 */
export function decodePiece(
  piece: Uint8Array,
  open: PartialSequence,
): { points: readonly number[]; rest: PartialSequence } {
  const points: number[] = [];
  let { value, missing } = open;
  let at = 0;
  const byte = () => piece[at] ?? 0;
  for (; byte() !== 0 && missing > 0; at++, missing--) {
    if (byte() >> 6 !== 2) return { points: [], rest: invalid };
    value = value * 64 + (byte() & 0x3f);
  }
  if (open.missing > 0 && missing === 0) points.push(value);
  while (byte() !== 0) {
    const length = lengths[byte() >> 4]!;
    if (length === 0) return { points: [], rest: invalid };
    missing = length - 1;
    value = byte() & ((1 << (8 - length)) - 1);
    for (at++; byte() !== 0 && missing > 0; at++, missing--) value = value * 64 + (byte() & 0x3f);
    if (missing === 0) points.push(value);
  }
  return { points, rest: { value, missing } };
}

/** Smallest and largest code point that an unfinished sequence can become; undefined for none. */
export function rangeOf({ value, missing }: PartialSequence): { low: number; high: number } | undefined {
  // One missing byte and no bits yet would be an overlong form of ASCII.
  if (missing < 0 || (missing === 1 && value < 2)) return undefined;
  const span = 64 ** missing;
  const low = value * span;
  const high = low + span - 1;
  if (low === 0 && missing === 2) return { low: 1 << 11, high };
  if (low === 0 && missing === 3) return { low: 1 << 16, high };
  return { low, high };
}
