/**
 * A set of code points: ascending bounds, `[low, high]` by turns, both inclusive, with gaps between the pairs. Lone
 * surrogates are in no set, for they have no UTF-8.
 */
export type CodeSet = readonly number[];

export const noCodes: CodeSet = [];
export const allCodes: CodeSet = [0, 0xd7ff, 0xe000, 0x10ffff];

/** The set of these ranges, `[low, high]` by turns, in any order. */
export function codeSet(ranges: readonly number[]): CodeSet {
  return intersectCodes(joinRanges(ranges), allCodes);
}

export function singleCode(point: number): CodeSet {
  return codeSet([point, point]);
}

function joinRanges(ranges: readonly number[]): number[] {
  const pairs: [number, number][] = [];
  for (let at = 0; at < ranges.length; at += 2) pairs.push([ranges[at]!, ranges[at + 1]!]);
  pairs.sort((a, b) => a[0] - b[0]);
  const joined: number[] = [];
  for (const [low, high] of pairs) {
    if (joined.length > 0 && low <= joined.at(-1)! + 1)
      joined[joined.length - 1] = Math.max(high, joined.at(-1)!);
    else joined.push(low, high);
  }
  return joined;
}

export function uniteCodes(...sets: readonly CodeSet[]): CodeSet {
  return joinRanges(sets.flat());
}

export function intersectCodes(one: CodeSet, other: CodeSet): CodeSet {
  const common: number[] = [];
  let a = 0;
  let b = 0;
  while (a < one.length && b < other.length) {
    const low = Math.max(one[a]!, other[b]!);
    const high = Math.min(one[a + 1]!, other[b + 1]!);
    if (low <= high) common.push(low, high);
    if (one[a + 1]! < other[b + 1]!) a += 2;
    else b += 2;
  }
  return common;
}

/** All code points that are not in the set. */
export function invertCodes(set: CodeSet): CodeSet {
  const rest: number[] = [];
  let low = 0;
  for (let at = 0; at < set.length; at += 2) {
    if (set[at]! > low) rest.push(low, set[at]! - 1);
    low = set[at + 1]! + 1;
  }
  if (low <= 0x10ffff) rest.push(low, 0x10ffff);
  return intersectCodes(rest, allCodes);
}

export function hasCode(set: CodeSet, point: number): boolean {
  for (let at = 0; at < set.length; at += 2) {
    if (point <= set[at + 1]!) return point >= set[at]!;
  }
  return false;
}
