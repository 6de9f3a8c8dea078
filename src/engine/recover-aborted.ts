import type { ActiveRequest } from "./active-request.ts";
import type { PrefixCache } from "./prefix-cache.ts";

/** Whether a decode of this batch may be aborted by whose it is: nobody else must lose anything. */
export function mayAbort(batch: readonly ActiveRequest[], cache: PrefixCache): boolean {
  return batch.length === 1 && (!losesState(cache) || cache.runningCount + cache.parkedCount === 1);
}

/**
 * After an aborted decode: the part of the batch that the context kept counts as computed. Its logits are lost, so a
 * request that was to be sampled computes its last token once more.
 * @param running all that run, those of the batch among them.
 */
export function recoverAborted(
  batch: readonly ActiveRequest[],
  running: Iterable<ActiveRequest>,
  cache: PrefixCache,
): void {
  const { memory } = cache.layout.context;
  if (losesState(cache)) {
    // The states of the batch went on with no way back, and those of others are said to be where they were to be moved:
    // once they are all dropped, a later prompt would still start from there.
    for (const { sequence } of running) if (sequence) cache.truncate(sequence, 0);
    cache.wipe();
    return;
  }
  for (const request of batch) {
    const { sequence, tokens, totalLength } = request;
    if (!sequence) continue;
    const held = memory.positionMax(sequence.id) + 1;
    if (held > sequence.computedLength) cache.computed(sequence, tokens, held);
    if (held >= totalLength) cache.truncate(sequence, totalLength - 1);
  }
}

/** Whether an aborted decode leaves nothing of use: recurrent state cannot go back. */
function losesState({ layout }: PrefixCache): boolean {
  const { model } = layout.context;
  return model.isRecurrent || model.isHybrid;
}
