import type { Native, Pointer } from "../../ffi/index.ts";
import { entryWords } from "../../lib/logits-kernel.ts";
import type { LogitsScan } from "../../lib/logits-scan.ts";
import { allCandidates } from "./all-candidates.ts";
import type { Candidates } from "./candidates.ts";
import type { Link, Narrowed, Narrower } from "./narrowing.ts";
import { changedBy, type Keeps, NativeSampler } from "./native-sampler.ts";
import { Survivors, withLogit } from "./survivors.ts";
import { bucketsOfShare, leastCovered, leastOfShare, thresholdOfTop } from "./thresholds.ts";

/** libllama sorts so many first, and all only where these are not enough; of up to `mostSortedWhole` it sorts all at once. */
const sortedFirst = 256;
const mostSortedWhole = 1024;
/** Candidates that are tried one after another: the likeliest so many. */
const sizes = [2048, 16384, 49152];
const singlePrecision = 2 ** -24;
/** Roundings besides those of adding up: of exp() there and here, and of their arguments. */
const fewRoundings = 64;

/** A chain around the sampler that keeps a mass. */
interface Parts {
  /** Those that change few tokens. */
  readonly before: readonly NativeSampler[];
  readonly keeps: Extract<Keeps, { mass: number }>;
  readonly after: readonly Link[];
}

/** Where a sorted list is cut off: between these two lengths, for all that is known. Infinity is beyond its end. */
interface Cut {
  readonly low: number;
  readonly high: number;
  /** Whether it is mass that ends the list, even where libllama's sums come out small. */
  readonly isFull: boolean;
}

/** The sum of a softmax: of exp(logit - largest). */
interface Total {
  readonly largest: number;
  readonly sum: number;
  /** So many roundings to single precision libllama's may differ by. */
  readonly roundings: number;
}

/**
 * Narrows a chain that keeps the likeliest tokens by their mass (top-p). libllama adds the probabilities of the whole
 * vocabulary up in single precision; here they are added up exactly, and what its sum may differ by is known. Where it
 * may cut the list elsewhere for that, the rest of the chain is run on the shortest and on the longest list that may be left: a
 * random pick moves only one way with the list's length, so what both give, any between them gives. Where they differ, libllama
 * is asked for its sum.
 *
 * Source: `llama_sampler_top_p_apply` in llama-sampler.cpp, v0.5.0.
 */
export class Nucleus implements Narrower {
  readonly #before: readonly NativeSampler[];
  readonly #after: readonly Link[];
  readonly #mass: number;
  readonly #keep: number;
  /** What the next sampler keeps, by share of the likeliest; 0 where it is another. */
  readonly #share: number;
  readonly #native: Native;
  readonly #survivors: Survivors;
  readonly #sortFirst: Pointer;
  readonly #sortAll: Pointer;
  /** Leaves the likeliest candidate, with its probability. */
  readonly #likeliest: Pointer;
  /** Stands in for the sampler that picks; undefined where the rest of the chain cannot be run twice. */
  readonly #double: NativeSampler | undefined;

  constructor(native: Native, { before, keeps, after }: Parts) {
    this.#before = before;
    this.#after = after;
    this.#mass = keeps.mass;
    this.#keep = keeps.keep;
    this.#native = native;
    this.#survivors = Survivors.for(native);
    this.#sortFirst = native.c.llama_sampler_init_top_k(sortedFirst);
    this.#sortAll = native.c.llama_sampler_init_top_k(0x7fffffff);
    this.#likeliest = native.c.llama_sampler_init_top_p(0, 1);
    const next = this.#after[0];
    const nextKeeps = next instanceof NativeSampler ? next.traits.keeps : undefined;
    this.#share = nextKeeps && "share" in nextKeeps ? nextKeeps.share : 0;
    const last = this.#after.at(-1);
    const isMonotone = this.#after
      .slice(0, -1)
      .every((link) => link instanceof NativeSampler && link.traits.monotone);
    if (last instanceof NativeSampler && last.traits.picksInOrder && isMonotone) this.#double = last.clone();
  }

  narrow(scan: LogitsScan): Narrowed | undefined {
    const changed = changedBy(this.#before);
    if (!Survivors.canNarrow(scan, changed) || !scan.hasMoreThan(mostSortedWhole)) return undefined;
    const { candidates } = this.#survivors;
    const { c } = this.#native;
    const others = sumWithout(scan, changed);
    if (!others) return undefined;

    const enough = thresholdOfTop(scan, sortedFirst + changed.length, "buckets");
    if (enough === undefined || !this.#take(scan, enough, changed)) return undefined;
    const total = withChanged(others, candidates, changed);
    c.llama_sampler_apply(this.#sortFirst, candidates.address);
    const first = this.#cut(candidates, total);
    if (first.high <= candidates.size)
      return first.isFull || !hasTies(candidates, first.high) ? this.#finish(scan, first, total) : undefined;

    for (const size of sizes) {
      const threshold = this.#threshold(scan, size + changed.length, total);
      if (threshold === undefined) return undefined;
      if (this.#share === 0 && !this.#mayReach(scan, threshold, others)) continue;
      if (!this.#take(scan, threshold, changed)) return undefined;
      c.llama_sampler_apply(this.#sortAll, candidates.address);
      const cut = this.#cut(candidates, total);
      if (cut.high >= coveredLength(candidates, threshold)) continue;
      const sortsAll = first.low === Number.POSITIVE_INFINITY;
      return sortsAll || !hasTies(candidates, cut.high) ? this.#finish(scan, cut, total) : undefined;
    }
    return undefined;
  }

  dispose(): void {
    const { c } = this.#native;
    for (const pointer of [this.#sortFirst, this.#sortAll, this.#likeliest]) c.llama_sampler_free(pointer);
    if (this.#double) c.llama_sampler_free(this.#double.pointer);
  }

  /** The edge of a bucket, with about `count` tokens above it, or all that the next sampler may keep. */
  #threshold(scan: LogitsScan, count: number, { largest }: Total): number | undefined {
    const threshold = thresholdOfTop(scan, count, "buckets");
    if (this.#share === 0) return threshold;
    const last = bucketsOfShare(largest, this.#share);
    return threshold !== undefined && last !== undefined ? Math.max(threshold, last) : (threshold ?? last);
  }

  /** Whether it is worth sorting the tokens from `threshold` on; of changed ones, which are few, nothing is known here. */
  #mayReach(scan: LogitsScan, threshold: number, { largest, sum }: Total): boolean {
    const reference = Math.max(largest, scan.largest);
    const mass = scan.sumExp(reference, threshold) / (sum * Math.exp(largest - reference));
    return mass > this.#mass;
  }

  /** Takes candidates and applies the samplers before. @returns false where all have to be looked at. */
  #take(scan: LogitsScan, threshold: number, changed: readonly number[]): boolean {
    if (this.#survivors.gather(scan, threshold, changed) === undefined) return false;
    const { candidates } = this.#survivors;
    for (const link of this.#before) {
      if (!candidates.hasChoice) return false;
      link.apply(candidates);
    }
    return candidates.hasChoice;
  }

  /** Where the mass ends, or the next sampler would. */
  #cut(candidates: Candidates, { largest, sum, roundings }: Total): Cut {
    const least = this.#share > 0 ? leastOfShare(largest, this.#share) : Number.NEGATIVE_INFINITY;
    const { logits } = candidates.entries();
    let low = Number.POSITIVE_INFINITY;
    let mass = 0;
    for (let index = 0; entryWords * index < logits.length; index++) {
      const logit = logits[entryWords * index]!;
      if (logit < least) return { low: Math.min(low, index), high: index, isFull: false };
      mass += Math.exp(logit - largest) / sum;
      if (index + 1 < this.#keep) continue;
      const error = 1.01 * singlePrecision * (roundings + index);
      if (low > index && mass * (1 + error) >= this.#mass) low = index + 1;
      if (mass * (1 - error) >= this.#mass) return { low, high: index + 1, isFull: true };
    }
    return { low, high: Number.POSITIVE_INFINITY, isFull: false };
  }

  #finish(scan: LogitsScan, cut: Cut, total: Total): Narrowed | undefined {
    const { candidates } = this.#survivors;
    const applied = this.#before.length + 1;
    const isCut = { candidates, applied };
    const isPicked = { candidates, applied: applied + this.#after.length - 1 };
    if (cut.low === cut.high) {
      candidates.truncate(cut.high);
      return isCut;
    }
    if (!this.#double) return undefined;
    candidates.truncate(cut.high);
    const list = candidates.copy();
    if (this.#settle(list, cut)) return isPicked;
    candidates.putBack(list, cut.high);
    const asked = this.#cut(candidates, this.#askedFor(scan, total));
    // The mass may not be reached where the next sampler ends the list.
    const [low, high] = [Math.min(asked.low, cut.high), Math.min(asked.high, cut.high)];
    if (low === high) {
      candidates.putBack(list, high);
      return isCut;
    }
    return this.#settle(list, { low, high }) ? isPicked : undefined;
  }

  /** Leaves the one candidate of a sorted list that is picked whatever the list's length; false where that is not so. */
  #settle(list: Int32Array, { low, high }: { low: number; high: number }): boolean {
    const { candidates } = this.#survivors;
    const picks = [low, high].map((length) => {
      candidates.putBack(list, length);
      for (const link of this.#after.slice(0, -1)) (link as NativeSampler).apply(candidates);
      const last = this.#after.at(-1) as NativeSampler;
      this.#native.c.llama_sampler_copy(last.pointer, this.#double!.pointer);
      this.#double!.apply(candidates);
      return candidates.selected;
    });
    if (picks[0] === undefined || picks[0] !== picks[1]) return false;
    candidates.putBack(list, high);
    candidates.keepOnly(picks[0]);
    return true;
  }

  /** libllama's own sum, by the probability of the likeliest token. */
  #askedFor(scan: LogitsScan, { largest }: Total): Total {
    const all = allCandidates(this.#native, scan);
    for (const link of this.#before) link.apply(all);
    this.#native.c.llama_sampler_apply(this.#likeliest, all.address);
    return { largest, sum: 1 / all.probabilityOfFirst, roundings: fewRoundings };
  }
}

/** The sum of all tokens but these; undefined where they are all there are. */
function sumWithout(scan: LogitsScan, changed: readonly number[]): Total | undefined {
  const { largest, sum } = withLogit(scan, changed, Number.NEGATIVE_INFINITY, () => {
    const { largest } = scan;
    return { largest, sum: largest > Number.NEGATIVE_INFINITY ? scan.sumExp(largest) : 0 };
  });
  return sum > 0 ? { largest, sum, roundings: scan.logits.length + fewRoundings } : undefined;
}

/** The sum of all tokens, given the sum of the others and what has become of the changed ones. */
function withChanged(others: Total, candidates: Candidates, changed: readonly number[]): Total {
  if (changed.length === 0) return others;
  const { tokens, logits } = candidates.entries();
  let { largest } = others;
  for (let word = 0; word < logits.length; word += entryWords) largest = Math.max(largest, logits[word]!);
  const wanted = new Set(changed);
  let sum = others.sum * Math.exp(others.largest - largest);
  for (let word = 0; word < logits.length; word += entryWords)
    if (wanted.has(tokens[word]!)) sum += Math.exp(logits[word]! - largest);
  return { largest, sum, roundings: others.roundings };
}

/** Whether any of the first `length` candidates is as likely as the one behind it. */
function hasTies(candidates: Candidates, length: number): boolean {
  const { logits } = candidates.entries();
  if (entryWords * length >= logits.length) return true;
  for (let word = 0; word < entryWords * length; word += entryWords)
    if (logits[word] === logits[word + entryWords]) return true;
  return false;
}

/**
 * So many of the sorted candidates are the first of all tokens, in libllama's order: those of whole buckets but the lowest,
 * which is sorted otherwise.
 */
function coveredLength(candidates: Candidates, threshold: number): number {
  const { logits } = candidates.entries();
  let length = candidates.size;
  const logitOf = (index: number) => logits[entryWords * index]!;
  const least = leastCovered(threshold, logitOf(length - 1));
  while (length > 0 && logitOf(length - 1) < least) length--;
  return length;
}
