import { entryWords } from "../../lib/logits-kernel.ts";
import type { LogitsScan } from "../../lib/logits-scan.ts";
import { bucketOf, edgeMargin, edgeOf } from "./buckets.ts";
import type { Candidates } from "./candidates.ts";
import type { ChangedTokens } from "./changed-tokens.ts";
import type { Narrowed, Narrower } from "./narrowing.ts";
import type { NativeSampler } from "./native-sampler.ts";
import { Survivors, withLogit } from "./survivors.ts";

/** What the first sampler that leaves tokens out is sure to leave in. */
export type Keeps =
  /** No others than so many of the likeliest. */
  | { readonly top: number }
  /** No others than those at least so likely, of the likeliest. */
  | { readonly share: number }
  /** The likeliest that together have this probability, and at least `keep`. */
  | { readonly mass: number; readonly keep: number };

/**
 * The likeliest 128 or fewer libllama takes out of a heap, whose ties come out as the whole list decides.
 *
 * Source: `llama_token_data_array_partial_sort_inplace` in llama-sampler.cpp, v0.5.0.
 */
const mostOfHeap = 128;
/** Candidates that a grammar is asked about one by one, and those after which none has passed. */
const mostWalked = 512;
const hopeless = 64;

/**
 * Narrows a chain that keeps the likeliest tokens by number or by share. Biases and penalties change few tokens, which are
 * known; of all others none but the likeliest are kept, which are found by scans over the logits.
 */
export class Prefilter implements Narrower {
  readonly #links: readonly NativeSampler[];
  readonly #changed: ChangedTokens;
  readonly #keeps: Exclude<Keeps, { mass: number }>;
  readonly #survivors: Survivors;

  /** @param links those that change few tokens, and the one that keeps. */
  constructor(
    links: readonly NativeSampler[],
    changed: ChangedTokens,
    keeps: Exclude<Keeps, { mass: number }>,
  ) {
    this.#links = links;
    this.#changed = changed;
    this.#keeps = keeps;
    this.#survivors = Survivors.for(links[0]!.native);
  }

  narrow(scan: LogitsScan): Narrowed | undefined {
    const keeps = this.#keeps;
    const changed = this.#changed.list();
    if (!Survivors.canNarrow(scan, changed)) return undefined;
    const threshold =
      "top" in keeps
        ? thresholdOfTop(scan, keeps.top + changed.length)
        : thresholdOfShare(scan, changed, keeps.share);
    if (threshold === undefined) return undefined;
    const count = this.#survivors.gather(scan, threshold, changed);
    return count === undefined ? undefined : this.#apply(count);
  }

  /** The same under a grammar; undefined, too, where it leaves so few that they are better listed. */
  narrowAllowed(scan: LogitsScan, allows: (token: number) => boolean): Narrowed | undefined {
    const keeps = this.#keeps;
    const changed = this.#changed.list();
    if (!("top" in keeps) || keeps.top > mostOfHeap || !Survivors.canNarrow(scan, changed)) return undefined;
    const threshold = thresholdOfTop(scan, mostWalked + changed.length);
    if (threshold === undefined) return undefined;
    const count = this.#survivors.gather(scan, threshold, changed);
    if (count === undefined) return undefined;
    const passes = walk(this.#survivors.candidates, new Set(changed), allows, keeps.top);
    if (!passes) return undefined;
    return this.#apply(this.#survivors.keep(count, (index) => passes.has(index), scan.largest));
  }

  /** Applies the samplers to the gathered. */
  #apply(count: number): Narrowed | undefined {
    const keeps = this.#keeps;
    const { candidates } = this.#survivors;
    for (const link of this.#links) {
      if (!candidates.hasChoice) return undefined;
      link.apply(candidates);
    }
    const last = this.#links.at(-1)!;
    // Tokens of the same logit may be others, or in another order, than they would have been of all.
    if ("top" in keeps && !last.traits.picks && keeps.top <= mostOfHeap && candidates.hasTies(count))
      return undefined;
    return { candidates, applied: this.#links.length };
  }

  dispose(): void {}
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

/** A logit than which at least `count` tokens are not less; the edge of a bucket where libllama would sort by buckets. */
export function thresholdOfTop(
  scan: LogitsScan,
  count: number,
  by: "buckets" | "any" = count > mostOfHeap ? "buckets" : "any",
): number | undefined {
  const threshold = scan.likelyThreshold(count);
  if (threshold !== undefined) return by === "any" ? threshold : edgeOf(bucketOf(threshold));
  let [enough, high] = [0, bucketOf(scan.largest) + 1];
  while (high - enough > 1) {
    const middle = (enough + high) >> 1;
    if (scan.countFrom(edgeOf(middle)!) >= count) enough = middle;
    else high = middle;
  }
  return edgeOf(enough);
}

/** The least logit that may be likely enough, of those that stay as they are. */
function thresholdOfShare(scan: LogitsScan, changed: readonly number[], share: number): number | undefined {
  const largest = withLogit(scan, changed, Number.NEGATIVE_INFINITY, () => scan.largest);
  if (largest === Number.NEGATIVE_INFINITY) return undefined;
  return largest + Math.log(share) - edgeMargin * Math.max(1, Math.abs(largest) / 1000);
}
