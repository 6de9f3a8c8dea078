import type { ActiveRequest } from "./active-request.ts";
import type { Decoder } from "./decoder.ts";
import type { EndReason, RequestStats } from "./request.ts";
import type { Roster } from "./roster.ts";
import type { Segment } from "./scheduler.ts";
import { StepRates } from "./step-rates.ts";
import type { TierSnapshot } from "./tier-counters.ts";

/** Totals since the engine started; lengths in tokens, times in milliseconds. */
export interface EngineCounters {
  requests: number;
  completed: number;
  aborted: number;
  failed: number;
  preempted: number;
  promptTokens: number;
  /** Prompt tokens taken from the cache. */
  reusedTokens: number;
  /** Tokens computed before their text was sampled: prompts, and what was computed again after a preemption. */
  computedTokens: number;
  generatedTokens: number;
  evictedTokens: number;
  steps: number;
  stepMs: number;
  longestStepMs: number;
  /** Time from arrival to admission, of all requests. */
  queueMs: number;
  sampleMs: number;
}

/** What the generating part of an engine is doing now, and its counters. */
export interface CoreSnapshot extends EngineCounters {
  readonly layout: "shared" | "streams";
  /** Times that the layout was changed for another. */
  readonly layoutMoves: number;
  readonly waiting: number;
  readonly running: number;
  /** Prefixes kept in the context that no request is using. */
  readonly parked: number;
  readonly cells: number;
  readonly usedCells: number;
  readonly sharedCells: number;
  /** Tokens that the context decoded since it was made, by libllama's own count. */
  readonly decodedTokens: number;
  readonly decodeMs: number;
  readonly prefillTokensPerSecond: number;
  /** What moved to and from the tiers below the context; undefined where there are none. */
  readonly tiers?: TierSnapshot | undefined;
}

/** What an engine is doing now, and its counters. */
export interface EngineSnapshot extends CoreSnapshot {
  /** Requests for embeddings that wait, and what was embedded since the start. */
  readonly waitingEmbeddings: number;
  readonly embeddings: number;
  readonly embeddedTokens: number;
}

function emptyCounters(): EngineCounters {
  return {
    requests: 0,
    completed: 0,
    aborted: 0,
    failed: 0,
    preempted: 0,
    promptTokens: 0,
    reusedTokens: 0,
    computedTokens: 0,
    generatedTokens: 0,
    evictedTokens: 0,
    steps: 0,
    stepMs: 0,
    longestStepMs: 0,
    queueMs: 0,
    sampleMs: 0,
  };
}

/** What an engine has done, and how long it took. */
export class EngineBooks {
  readonly counters = emptyCounters();
  readonly rates: StepRates;

  constructor(gapMs: number) {
    this.rates = new StepRates(gapMs);
  }

  /** A step computed these segments; the requests are as they were before. */
  stepped(requests: readonly ActiveRequest[], segments: readonly Segment[], milliseconds: number): void {
    let decoded = 0;
    let prefilled = 0;
    for (const [index, request] of requests.entries()) {
      const { count } = segments[index]!;
      if (request.decoding) decoded++;
      else {
        prefilled += count;
        request.computedPrompt(count);
      }
    }
    this.rates.measured({ decoded, prefilled, milliseconds });
    this.counters.steps++;
    this.counters.stepMs += milliseconds;
    this.counters.longestStepMs = Math.max(this.counters.longestStepMs, milliseconds);
    this.counters.computedTokens += prefilled;
  }

  ended(reason: EndReason, stats: RequestStats): void {
    if (reason === "abort") this.counters.aborted++;
    else this.counters.completed++;
    this.counters.promptTokens += stats.promptLength;
    this.counters.reusedTokens += stats.cachedLength;
    this.counters.queueMs += stats.queueMs;
  }

  snapshot({ cache, evictedBefore, moves }: Decoder, { waiting, running }: Roster): CoreSnapshot {
    const { layout } = cache;
    const { promptTokens, generatedTokens } = layout.context.performance;
    return {
      ...this.counters,
      evictedTokens: evictedBefore + cache.evictedTokens,
      layout: layout.kind,
      layoutMoves: moves,
      waiting: waiting.size,
      running: running.size,
      parked: cache.parkedCount,
      cells: layout.context.contextLength,
      usedCells: layout.usedCells,
      sharedCells: layout.sharedCells,
      decodedTokens: promptTokens + generatedTokens,
      decodeMs: this.rates.decodeMs,
      prefillTokensPerSecond: this.rates.prefillTokensPerSecond,
    };
  }
}
