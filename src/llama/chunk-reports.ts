import type { Answer, ProgressEvent } from "./answer.ts";
import type { Delta } from "./deltas.ts";
import type { StreamReports, Timings, WireProgress } from "./types.ts";

/** What a chunk carries beside its choice. */
export interface ChunkReports {
  prompt_progress?: WireProgress;
  timings?: Timings;
}

export function wireProgress(
  { totalLength, cachedLength, computedLength }: ProgressEvent,
  elapsedMs: number,
): WireProgress {
  return {
    total: totalLength,
    cache: cachedLength,
    processed: computedLength,
    time_ms: Math.round(elapsedMs),
  };
}

/** The reports that a stream asked for, as they are at a delta of an answer. */
export function chunkReports(answer: Answer, delta: Delta | undefined, params: StreamReports): ChunkReports {
  if (delta?.progress) return { prompt_progress: wireProgress(delta.progress, answer.elapsedMs) };
  return params.timings_per_token && delta && !delta.prompt ? { timings: answer.timings } : {};
}
