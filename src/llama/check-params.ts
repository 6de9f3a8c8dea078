import { RequestError } from "../../lib/errors.ts";
import type { GenerationParams } from "./types.ts";

export function checkMaxTokens(value: unknown, field: string): void {
  if (value == null) return;
  if (!Number.isInteger(value))
    throw new RequestError(`${field} must be an integer, got ${String(value)}`, field);
}

/** Number of answers, 1 to 128. */
export function checkCount(value: number | null | undefined): number {
  const count = value ?? 1;
  if (!Number.isInteger(count) || count < 1 || count > 128) {
    throw new RequestError(`n must be an integer between 1 and 128, got ${count}`, "n");
  }
  return count;
}

/** Stop strings as a list. */
export function checkStops(value: string | readonly string[] | null | undefined): readonly string[] {
  if (value == null) return [];
  const stops = typeof value === "string" ? [value] : value;
  for (const [index, stop] of stops.entries()) {
    if (typeof stop !== "string" || stop === "") {
      throw new RequestError(
        `stop[${index}] must be a non-empty string, got ${JSON.stringify(stop)}`,
        "stop",
      );
    }
  }
  return stops;
}

/** Number of log-probabilities to report. @throws RequestError outside 0 to `most`. */
export function checkTopCount(
  value: number | null | undefined,
  field: string,
  most: number,
): number | undefined {
  if (value == null) return undefined;
  if (!Number.isInteger(value) || value < 0 || value > most) {
    throw new RequestError(`${field} must be an integer between 0 and ${most}, got ${value}`, field);
  }
  return value;
}

export function checkGeneration(params: GenerationParams): void {
  checkMaxTokens(params.max_tokens, "max_tokens");
  const { signal } = params;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError("signal must be an AbortSignal");
  }
  for (const criterion of [params.stopping_criteria ?? []].flat()) {
    if (typeof criterion !== "function") throw new TypeError("stopping_criteria must be functions");
  }
}
