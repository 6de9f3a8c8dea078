import type { LogitsScan } from "../../lib/logits-scan.ts";
import { withLogit } from "./survivors.ts";

/**
 * The likeliest 128 or fewer libllama takes out of a heap, whose ties come out as the whole list decides. More it sorts by
 * buckets of logits, each by itself and in the order of tokens, so that ties come out as they do of the whole vocabulary where
 * whole buckets are handed on.
 *
 * Source: `llama_token_data_array_partial_sort` and `..._inplace` in llama-sampler.cpp, v0.5.0.
 */
export const mostOfHeap = 128;
const bucketCount = 128;
const lowest = -10;
const perUnit = bucketCount / 20;

/** Single precision may put what is this near to an edge on either side. */
const edgeMargin = 1e-3;

/** The bucket of a logit, 0 for those below all edges. */
function bucketOf(logit: number): number {
  return Math.max(0, Math.min(bucketCount - 1, Math.floor(perUnit * (logit - lowest))));
}

/** A logit than which none in this bucket or a higher one is less; undefined for bucket 0, which has no lower edge. */
function edgeOf(bucket: number): number | undefined {
  return bucket <= 0 ? undefined : lowest + bucket / perUnit - edgeMargin;
}

/** A logit than which none in a lower bucket than this one is more: the highest has no upper edge. */
function insideOf(bucket: number): number {
  return bucket >= bucketCount ? Number.POSITIVE_INFINITY : lowest + bucket / perUnit + edgeMargin;
}

/** The edge of the whole buckets in which all logits from this one on are; undefined where the lowest bucket is one of them. */
function wholeFrom(logit: number): number | undefined {
  return edgeOf(bucketOf(logit - edgeMargin));
}

/**
 * The least logit of whole buckets, where all tokens from the edge `threshold` on are sorted, and some besides. The bucket of the
 * `least` of them does not count: it is sorted otherwise than if there were others.
 */
export function leastCovered(threshold: number, least: number): number {
  return Math.max(threshold + 2 * edgeMargin, insideOf(bucketOf(least + edgeMargin) + 1));
}

/** A logit than which at least `count` tokens are not less; the edge of a bucket where libllama would sort by buckets. */
export function thresholdOfTop(
  scan: LogitsScan,
  count: number,
  by: "buckets" | "any" = count > mostOfHeap ? "buckets" : "any",
): number | undefined {
  const threshold = scan.likelyThreshold(count);
  if (threshold !== undefined) return by === "any" ? threshold : wholeFrom(threshold);
  let [enough, high] = [0, bucketOf(scan.largest) + 1];
  while (high - enough > 1) {
    const middle = (enough + high) >> 1;
    if (scan.countFrom(insideOf(middle)) >= count) enough = middle;
    else high = middle;
  }
  return edgeOf(enough);
}

/** The least logit that may have `share` of the probability of the `largest`. */
export function leastOfShare(largest: number, share: number): number {
  return largest + Math.log(share) - edgeMargin * Math.max(1, Math.abs(largest) / 1000);
}

/** The edge of a bucket with all that may have `share`, but not in its lowest bucket; undefined where there is none. */
export function bucketsOfShare(largest: number, share: number): number | undefined {
  return edgeOf(bucketOf(leastOfShare(largest, share)) - 1);
}

/** The least logit that may be likely enough, of those that stay as they are; undefined where all may change. */
export function thresholdOfShare(
  scan: LogitsScan,
  changed: readonly number[],
  share: number,
): number | undefined {
  const isOther = changed.length === 0 || !changed.includes(scan.argmax()!);
  const largest = isOther
    ? scan.largest
    : withLogit(scan, changed, Number.NEGATIVE_INFINITY, () => scan.largest);
  return largest === Number.NEGATIVE_INFINITY ? undefined : leastOfShare(largest, share);
}
