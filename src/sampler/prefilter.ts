import { entryWords } from "../../lib/logits-kernel.ts";
import type { LogitsScan } from "../../lib/logits-scan.ts";
import type { Candidates } from "./candidates.ts";
import type { Narrowed, Narrower } from "./narrowing.ts";
import { changedBy, type Keeps, type NativeSampler } from "./native-sampler.ts";
import { Survivors } from "./survivors.ts";
import { mostOfHeap, thresholdOfShare, thresholdOfTop } from "./thresholds.ts";

/** Candidates that a grammar is asked about one by one, and those after which none has passed. */
const mostWalked = 512;
const hopeless = 64;

/** A chain up to the sampler that keeps the likeliest. */
interface Parts {
  /** Those that change few tokens. */
  readonly before: readonly NativeSampler[];
  readonly keeps: Exclude<Keeps, { mass: number }>;
}

/**
 * Narrows a chain that keeps the likeliest tokens by number or by share. Biases and penalties change few tokens, which are
 * known; of all others none but the likeliest are kept, which are found by scans over the logits.
 */
export class Prefilter implements Narrower {
  readonly #before: readonly NativeSampler[];
  readonly #keeps: Parts["keeps"];
  readonly #keeping: NativeSampler;
  readonly #survivors: Survivors;

  constructor(keeping: NativeSampler, { before, keeps }: Parts) {
    this.#before = before;
    this.#keeps = keeps;
    this.#keeping = keeping;
    this.#survivors = Survivors.for(keeping.native);
  }

  narrow(scan: LogitsScan): Narrowed | undefined {
    const keeps = this.#keeps;
    const changed = changedBy(this.#before);
    if (!Survivors.canNarrow(scan, changed)) return undefined;
    const threshold =
      "top" in keeps
        ? thresholdOfTop(scan, keeps.top + changed.length)
        : thresholdOfShare(scan, changed, keeps.share);
    if (threshold === undefined) return undefined;
    const count = this.#survivors.gather(scan, threshold, changed);
    return count === undefined ? undefined : this.#apply();
  }

  /** The same under a grammar; undefined, too, where it leaves so few that they are better listed. */
  narrowAllowed(scan: LogitsScan, allows: (token: number) => boolean): Narrowed | undefined {
    const keeps = this.#keeps;
    const changed = changedBy(this.#before);
    if (!("top" in keeps) || keeps.top > mostOfHeap || !Survivors.canNarrow(scan, changed)) return undefined;
    const threshold = thresholdOfTop(scan, mostWalked + changed.length);
    if (threshold === undefined) return undefined;
    const count = this.#survivors.gather(scan, threshold, changed);
    if (count === undefined) return undefined;
    const passes = walk(this.#survivors.candidates, new Set(changed), allows, keeps.top);
    if (!passes) return undefined;
    this.#survivors.keep(count, (index) => passes.has(index), scan.largest);
    return this.#apply();
  }

  /** Applies the samplers to the gathered. */
  #apply(): Narrowed | undefined {
    const keeps = this.#keeps;
    const { candidates } = this.#survivors;
    for (const link of this.#before) {
      if (!candidates.hasChoice) return undefined;
      link.apply(candidates);
    }
    if (!candidates.hasChoice) return undefined;
    // Of the likeliest taken out of a heap, those of the same logit may be others, or in another order, than of all.
    const ofHeap = "top" in keeps && keeps.top <= mostOfHeap && !this.#keeping.traits.picks;
    const logits = ofHeap ? candidates.logits() : undefined;
    this.#keeping.apply(candidates);
    if (logits && candidates.hasTies(logits)) return undefined;
    return { candidates, applied: this.#before.length + 1 };
  }
}

/**
 * Walks from the likeliest candidate down until `top` pass that are not changed, and takes the changed ones that pass besides.
 * @returns their indices, and those of all that are as likely as the last; undefined where too few pass.
 */
function walk(
  candidates: Candidates,
  changed: ReadonlySet<number>,
  allows: (token: number) => boolean,
  top: number,
): Set<number> | undefined {
  const { tokens, logits } = candidates.entries();
  const logitOf = (index: number) => logits[entryWords * index]!;
  const order = Array.from({ length: candidates.size }, (_, index) => index);
  order.sort((a, b) => logitOf(b) - logitOf(a));
  const passes = new Set<number>();
  let left = top;
  let least = Number.NEGATIVE_INFINITY;
  for (const [rank, index] of order.entries()) {
    const isChanged = changed.has(tokens[entryWords * index]!);
    if (logitOf(index) < least && !isChanged) continue;
    if (!allows(tokens[entryWords * index]!)) {
      // Where hardly any passes, walking on would take longer than listing them.
      if (rank >= hopeless && passes.size === 0) return undefined;
      continue;
    }
    passes.add(index);
    if (!isChanged && --left === 0) least = logitOf(index);
  }
  return left <= 0 ? passes : undefined;
}
