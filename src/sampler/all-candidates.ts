import type { Native } from "../../ffi/index.ts";
import { allocateEntries, type EntryRoom, type LogitsScan } from "../../lib/logits-scan.ts";
import { Candidates } from "./candidates.ts";

/**
 * Room for all tokens of the largest vocabulary yet; nobody keeps candidates beyond the choice that they are for. A smaller room is
 * not given back: a sampler in TypeScript may choose a token of another model meanwhile.
 */
let room: EntryRoom | undefined;

/** All tokens whose logit is not -Infinity. @throws RangeError for NaN and +Infinity. */
export function allCandidates(native: Native, scan: LogitsScan): Candidates {
  const { length } = scan.logits;
  if (!room || room.capacity < length) room = allocateEntries(length);
  const candidates = new Candidates(native, room.words);
  candidates.fillFrom(scan, room);
  return candidates;
}
