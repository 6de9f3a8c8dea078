// libllama sorts more than 128 candidates by buckets of logits, each by itself and in the order of tokens, so that ties come out
// as they do of the whole vocabulary where whole buckets are handed on.
//
// Source: `llama_token_data_array_partial_sort` in llama-sampler.cpp, v0.5.0.
const bucketCount = 128;
const lowest = -10;
const perUnit = bucketCount / 20;

/** Single precision may put what is this near to an edge on either side. */
export const edgeMargin = 1e-3;

/** The bucket of a logit, 0 for those below all edges. */
export function bucketOf(logit: number): number {
  return Math.max(0, Math.min(bucketCount - 1, Math.floor(perUnit * (logit - lowest))));
}

/** A logit than which none in this bucket or a higher one is less; undefined for bucket 0, which has no lower edge. */
export function edgeOf(bucket: number): number | undefined {
  return bucket <= 0 ? undefined : lowest + bucket / perUnit - edgeMargin;
}
