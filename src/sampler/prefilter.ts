import type { Native } from "../../ffi/index.ts";
import {
  allocateEntries,
  countFrom,
  type EntryRoom,
  entryWords,
  gatherFrom,
  largestLogit,
} from "../../lib/logits-scan.ts";
import { Candidates } from "./candidates.ts";
import { NativeSampler } from "./native-sampler.ts";
import type { RecentTokens } from "./recent-tokens.ts";

/** What the first sampler that leaves tokens out is sure to leave in. */
export type Keeps =
  /** No others than so many of the likeliest. */
  | { readonly top: number }
  /** No others than those at least so likely, of the likeliest. */
  | { readonly share: number };

/** Larger ones may be shifted before they are sorted, after which many are equal. */
const mostLogit = 1e5;
/** Most tokens that are handed on; where there would be more, all are. */
const mostSurvivors = 2 ** 15;
/** So many are looked for at most: fewer scans cost more than a few tokens too many. */
const enough = 512;

// The likeliest 128 or fewer libllama takes out of a heap, whose ties come out as the whole list decides; more of them it sorts
// by buckets of logits, each by itself and in the order of tokens, so that ties come out as they do where whole buckets are
// handed on.
//
// Source: `llama_token_data_array_partial_sort_inplace` in llama-sampler.cpp, v0.5.0.
const mostOfHeap = 128;
const bucketCount = 128;
const lowest = -10;
const perUnit = bucketCount / 20;
/** Single precision may put what is this near to an edge on either side. */
const edgeMargin = 1e-3;

const edgeOf = (bucket: number) => lowest + bucket / perUnit - edgeMargin;
const bucketOf = (logit: number) =>
  Math.max(0, Math.min(bucketCount - 1, Math.floor(perUnit * (logit - lowest))));

/**
 * Hands libllama's samplers only those candidates of which any could be picked. Biases and penalties change few tokens, which
 * are known; of all others the first sampler that leaves tokens out keeps none but the likeliest, which are found by scans
 * over the logits. What is picked is what would be picked from all.
 */
export class Prefilter {
  readonly #link: NativeSampler;
  readonly #keeps: Keeps;
  /** Candidates that were handed on. */
  #count = 0;
  readonly #biased: ReadonlySet<number>;
  readonly #recent: RecentTokens | undefined;
  readonly #room: SurvivorRoom;
  /** Where the last search ended. */
  #bucket = bucketCount - 1;

  private constructor(
    native: Native,
    link: NativeSampler,
    { biased, recent }: { biased: ReadonlySet<number>; recent: RecentTokens | undefined },
  ) {
    this.#link = link;
    this.#keeps = link.traits.keeps!;
    this.#biased = biased;
    this.#recent = recent;
    this.#room = roomFor(native);
  }

  /** Undefined for a chain of which only the whole vocabulary tells what is picked. */
  static for(native: Native, links: readonly unknown[], recent: RecentTokens): Prefilter | undefined {
    const biased = new Set<number>();
    let remembers = false;
    for (const link of links) {
      if (!(link instanceof NativeSampler)) return undefined;
      const { keeps, changes } = link.traits;
      if (keeps) return new Prefilter(native, link, { biased, recent: remembers ? recent : undefined });
      if (changes === undefined) return undefined;
      if (changes === "recent") remembers = true;
      else for (const token of changes) biased.add(token);
    }
    return undefined;
  }

  /** Candidates to choose from; undefined where all have to be looked at. The logits are left as they are. */
  survivors(logits: Float32Array): Candidates | undefined {
    const largest = largestLogit(logits);
    // What is wrong with NaN and the like is told where all are looked at.
    if (largest === undefined || !(largest > Number.NEGATIVE_INFINITY && largest < mostLogit))
      return undefined;
    const changed = this.#changed();
    if (changed.length > mostSurvivors / 2) return undefined;
    const threshold =
      "top" in this.#keeps
        ? this.#thresholdOfTop(logits, this.#keeps.top + changed.length, largest)
        : this.#thresholdOfShare(logits, changed, this.#keeps.share);
    if (threshold === undefined) return undefined;
    const originals = changed.map((token) => logits[token]!);
    for (const token of changed) logits[token] = Number.POSITIVE_INFINITY;
    const count = gatherFrom(logits, threshold, this.#room.entries);
    for (const [index, token] of changed.entries()) logits[token] = originals[index]!;
    if (count > mostSurvivors) return undefined;
    const { candidates } = this.#room;
    this.#count = changed.length > 0 ? this.#putBack(logits, count) : count;
    candidates.take(this.#count, largest);
    return candidates;
  }

  /** Whether what `link` has just left may be other tokens, or in another order, than it would have left of all. */
  isUnsure(link: NativeSampler, candidates: Candidates): boolean {
    if (link !== this.#link || !("top" in this.#keeps) || link.traits.picks) return false;
    return this.#keeps.top <= mostOfHeap && candidates.hasTies(this.#count);
  }

  /** Tokens that samplers may give another logit. */
  #changed(): number[] {
    const recent = this.#recent?.distinct.keys() ?? [];
    return this.#biased.size === 0 ? [...recent] : [...new Set([...this.#biased, ...recent])];
  }

  /** The lower edge of a bucket from which on there are at least `count` tokens. */
  #thresholdOfTop(logits: Float32Array, count: number, largest: number): number | undefined {
    const top = bucketOf(largest);
    let bucket = Math.min(this.#bucket, top);
    let found = countFrom(logits, edgeOf(bucket));
    for (let step = 1; found < count; step *= 2) {
      if (bucket === 0) return undefined;
      bucket = Math.max(0, bucket - step);
      // Below the lowest edge there are others in the lowest bucket.
      if (bucket === 0) return undefined;
      found = countFrom(logits, edgeOf(bucket));
    }
    while (found > enough && bucket < top) {
      const next = countFrom(logits, edgeOf(bucket + 1));
      if (next < count) break;
      bucket++;
      found = next;
    }
    this.#bucket = bucket;
    return found > mostSurvivors ? undefined : edgeOf(bucket);
  }

  /** The least logit that may be likely enough, of those that stay as they are. */
  #thresholdOfShare(logits: Float32Array, changed: readonly number[], share: number): number | undefined {
    const originals = changed.map((token) => logits[token]!);
    for (const token of changed) logits[token] = Number.NEGATIVE_INFINITY;
    const largest = largestLogit(logits)!;
    for (const [index, token] of changed.entries()) logits[token] = originals[index]!;
    if (largest === Number.NEGATIVE_INFINITY) return undefined;
    return largest + Math.log(share) - edgeMargin * Math.max(1, Math.abs(largest) / 1000);
  }

  /** Gives entries of changed tokens the logits they had, and drops those that are ruled out. @returns how many are left. */
  #putBack(logits: Float32Array, count: number): number {
    const { words } = this.#room.entries;
    const values = this.#room.values;
    let kept = 0;
    for (let index = 0; index < count; index++) {
      const word = entryWords * index;
      const token = words[word]!;
      const logit = logits[token]!;
      if (logit === Number.NEGATIVE_INFINITY) continue;
      const to = entryWords * kept++;
      words[to] = token;
      values[to + 1] = logit;
      words[to + 2] = 0;
    }
    return kept;
  }
}

interface SurvivorRoom {
  readonly entries: EntryRoom;
  readonly values: Float32Array;
  readonly candidates: Candidates;
}

/** Nobody keeps candidates beyond the choice that they are for, so all chains of a thread share one room. */
const rooms = new WeakMap<Native, SurvivorRoom>();

function roomFor(native: Native): SurvivorRoom {
  let room = rooms.get(native);
  if (!room) {
    const entries = allocateEntries(mostSurvivors);
    const { words } = entries;
    const values = new Float32Array(words.buffer, words.byteOffset, words.length);
    room = { entries, values, candidates: new Candidates(native, words) };
    rooms.set(native, room);
  }
  return room;
}
