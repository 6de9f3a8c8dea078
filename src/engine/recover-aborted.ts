import type { ActiveRequest } from "./active-request.ts";
import type { PrefixCache } from "./prefix-cache.ts";

/**
 * After an aborted decode: the part of the batch that the context kept counts as computed. Its logits are lost, so a
 * request that was to be sampled computes its last token once more. Recurrent state is lost too: it went on with no
 * way back, and libllama does not tell how far.
 */
export function recoverAborted(requests: readonly ActiveRequest[], cache: PrefixCache): void {
  const { memory, model } = cache.layout.context;
  for (const request of requests) {
    const { sequence, tokens, totalLength } = request;
    if (!sequence) continue;
    if (model.isRecurrent || model.isHybrid) {
      cache.truncate(sequence, 0);
      continue;
    }
    const held = memory.positionMax(sequence.id) + 1;
    if (held > sequence.computedLength) cache.computed(sequence, tokens, held);
    if (held >= totalLength) cache.truncate(sequence, totalLength - 1);
  }
}
