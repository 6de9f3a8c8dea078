import type { RequestStats } from "../engine/request.ts";
import type { Answer } from "./answer.ts";
import type { Timings, Usage } from "./types.ts";

export function emptyUsage(): Usage {
  return {
    prompt_tokens: 0,
    completion_tokens: 0,
    total_tokens: 0,
    prompt_tokens_details: { cached_tokens: 0 },
  };
}

function usageOf({ promptLength, generatedLength, cachedLength }: RequestStats): Usage {
  return {
    prompt_tokens: promptLength,
    completion_tokens: generatedLength,
    total_tokens: promptLength + generatedLength,
    prompt_tokens_details: { cached_tokens: cachedLength },
  };
}

const ratio = (a: number, b: number) => (b > 0 ? a / b : 0);

export function timingsOf({
  cachedLength,
  computedLength,
  promptMs,
  generatedLength,
  predictedMs,
}: Omit<RequestStats, "preemptions" | "queueMs" | "promptLength">): Timings {
  return {
    cache_n: cachedLength,
    prompt_n: computedLength,
    prompt_ms: promptMs,
    prompt_per_token_ms: ratio(promptMs, computedLength),
    prompt_per_second: ratio(1000 * computedLength, promptMs),
    predicted_n: generatedLength,
    predicted_ms: predictedMs,
    predicted_per_token_ms: ratio(predictedMs, generatedLength),
    predicted_per_second: ratio(1000 * generatedLength, predictedMs),
  };
}

/** What a response tells of what it took. */
export interface Figures {
  usage: Usage;
  timings: Timings;
}

/** Figures of all answers, of which each `count` in a row have the same prompt. */
export function figuresOf(answers: readonly Answer[], count: number): Figures {
  const usage = emptyUsage();
  const timings = emptyTimings();
  for (const [index, { outcome }] of answers.entries()) {
    addUsage(usage, usageOf(outcome.stats), { countPrompt: index % count === 0 });
    addTimings(timings, timingsOf(outcome.stats));
  }
  return { usage, timings };
}

/** Adds the usage of one answer; of several answers to one prompt only the first counts the prompt. */
function addUsage(total: Usage, one: Usage, { countPrompt }: { countPrompt: boolean }): void {
  if (countPrompt) {
    total.prompt_tokens += one.prompt_tokens;
    total.prompt_tokens_details.cached_tokens += one.prompt_tokens_details.cached_tokens;
  }
  total.completion_tokens += one.completion_tokens;
  total.total_tokens = total.prompt_tokens + total.completion_tokens;
}

export function emptyTimings(): Timings {
  return {
    cache_n: 0,
    prompt_n: 0,
    prompt_ms: 0,
    prompt_per_token_ms: 0,
    prompt_per_second: 0,
    predicted_n: 0,
    predicted_ms: 0,
    predicted_per_token_ms: 0,
    predicted_per_second: 0,
  };
}

/** Adds the timings of one answer to those of a request. */
function addTimings(total: Timings, one: Timings): void {
  total.cache_n += one.cache_n;
  total.prompt_n += one.prompt_n;
  total.prompt_ms += one.prompt_ms;
  total.predicted_n += one.predicted_n;
  total.predicted_ms += one.predicted_ms;
  total.prompt_per_token_ms = ratio(total.prompt_ms, total.prompt_n);
  total.prompt_per_second = ratio(1000 * total.prompt_n, total.prompt_ms);
  total.predicted_per_token_ms = ratio(total.predicted_ms, total.predicted_n);
  total.predicted_per_second = ratio(1000 * total.predicted_n, total.predicted_ms);
}
