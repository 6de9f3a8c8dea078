import type { Generation } from "./generation.ts";
import type { Timings, Usage } from "./types.ts";

export function emptyUsage(): Usage {
  return {
    prompt_tokens: 0,
    completion_tokens: 0,
    total_tokens: 0,
    prompt_tokens_details: { cached_tokens: 0 },
  };
}

export function usageOf(generation: Generation): Usage {
  const { promptLength, generatedLength, cachedLength } = generation;
  return {
    prompt_tokens: promptLength,
    completion_tokens: generatedLength,
    total_tokens: promptLength + generatedLength,
    prompt_tokens_details: { cached_tokens: cachedLength },
  };
}

/** Adds the usage of one answer; of several answers to one prompt only the first counts the prompt. */
export function addUsage(total: Usage, one: Usage, { countPrompt }: { countPrompt: boolean }): void {
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
    prompt_per_second: 0,
    predicted_n: 0,
    predicted_ms: 0,
    predicted_per_second: 0,
  };
}

/** Adds the timings of one answer to those of a request. */
export function addTimings(total: Timings, one: Timings): void {
  total.cache_n += one.cache_n;
  total.prompt_n += one.prompt_n;
  total.prompt_ms += one.prompt_ms;
  total.predicted_n += one.predicted_n;
  total.predicted_ms += one.predicted_ms;
  total.prompt_per_second = total.prompt_ms > 0 ? (1000 * total.prompt_n) / total.prompt_ms : 0;
  total.predicted_per_second = total.predicted_ms > 0 ? (1000 * total.predicted_n) / total.predicted_ms : 0;
}
