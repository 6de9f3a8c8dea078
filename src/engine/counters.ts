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

/** What an engine is doing now, and its counters. */
export interface EngineSnapshot extends EngineCounters {
  readonly layout: "shared" | "streams";
  readonly waiting: number;
  readonly running: number;
  /** Prefixes kept in the context that no request is using. */
  readonly parked: number;
  readonly cells: number;
  readonly usedCells: number;
  readonly sharedCells: number;
  readonly decodeMs: number;
  readonly prefillTokensPerSecond: number;
}

export function emptyCounters(): EngineCounters {
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
