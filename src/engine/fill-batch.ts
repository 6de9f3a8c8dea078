import type { Batch } from "../batch.ts";
import type { ActiveRequest } from "./active-request.ts";
import type { Roster } from "./roster.ts";
import type { Segment } from "./scheduler.ts";

/** Puts the segments of a plan into a batch, one after the other; a request's last known token gives logits. */
export function fillBatch(
  batch: Batch,
  requests: readonly ActiveRequest[],
  segments: readonly Segment[],
): Batch {
  const [first] = requests;
  if (first && requests.length === 1) {
    const { computedLength, sequence, totalLength, spec } = first;
    const { count } = segments[0]!;
    const end = computedLength + count;
    if (count === 1 && end === totalLength)
      return batch.single(first.extent.at(computedLength), computedLength, sequence!.id);
    // One run of one sequence is read by C where its tokens lie.
    return batch.fill(first.tokens.view.subarray(computedLength, end), {
      position: computedLength,
      sequence: sequence!.id,
      outputs: spec.promptLogprobs ? "all" : end === totalLength ? "last" : "none",
    });
  }
  batch.clear();
  for (const [index, request] of requests.entries()) {
    const { computedLength, totalLength, extent, spec } = request;
    const sequence = request.sequence!.id;
    const end = computedLength + segments[index]!.count;
    for (let position = computedLength; position < end; position++) {
      const output = position === totalLength - 1 || spec.promptLogprobs === true;
      batch.add(extent.at(position), position, sequence, { output });
    }
  }
  return batch;
}

/** Segments in the order of their sequences' ids, which is the order that libllama computes several of them together in. */
export function bySequence(segments: readonly Segment[], requests: Roster): readonly Segment[] {
  if (segments.length === 1) return segments;
  const place = ({ id }: Segment) => requests.byId(id)?.sequence?.id ?? 0;
  return [...segments].sort((a, b) => place(a) - place(b));
}

/** As much of a plan as fits `room` tokens. */
export function cutSegments(segments: readonly Segment[], room: number): Segment[] {
  let left = room;
  return segments.flatMap(({ id, count }) => {
    const taken = Math.min(count, left);
    left -= taken;
    return taken > 0 ? [{ id, count: taken }] : [];
  });
}
