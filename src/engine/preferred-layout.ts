import type { KvLayoutKind } from "./kv-layout.ts";

/** The texts that are computed side by side; lengths in tokens. */
export interface TextSpans {
  readonly count: number;
  /** Tokens of all texts, what they share counted once. */
  readonly unique: number;
  /** Tokens of all texts. */
  readonly total: number;
}

/** What attention costs in a model, in units of what one token costs without it. */
export interface AttentionCosts {
  /** To look at one cell of a pool that many sequences look at together. */
  readonly sharedCell: number;
  /** To look at one cell that nobody else looks at. */
  readonly ownCell: number;
}

/** How much cheaper a step must become for a move, as a part of its cost: what is running must be copied. */
const worthMoving = 0.1;
/** The same where nothing is running. */
const worthChoosing = 0.04;
/** Steps in which a move must pay for itself. */
const horizon = 128;

/**
 * The layout in which a step costs least. With shared cells each sequence looks at the cells of all; with streams at its
 * own alone, but cells that others have too are read again for each, and what is parked in between is lost by a move.
 *
 * @param parked tokens kept for later requests, half of which may be asked for again.
 */
export function preferredLayout(
  current: KvLayoutKind,
  { count, unique, total }: TextSpans,
  { sharedCell, ownCell, parked, running }: AttentionCosts & { parked: number; running: boolean },
): KvLayoutKind {
  if (count < 2) return current;
  const cost = {
    shared: 1 + sharedCell * unique,
    streams: 1 + (ownCell * total) / count,
  };
  const other = current === "shared" ? "streams" : "shared";
  const gain = cost[current] - cost[other];
  if (gain < (running ? worthMoving : worthChoosing) * cost[other]) return current;
  return gain * count * horizon > parked / 2 ? other : current;
}
