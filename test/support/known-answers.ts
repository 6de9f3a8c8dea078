import { expect } from "bun:test";
import type { CoreHarness } from "./engine-core.ts";
import { ask } from "./engine-events.ts";

/** Questions that the tiny chat model is sure of. */
export const answers: readonly (readonly [prompt: string, answer: string])[] = [
  [ask("What is the capital of France?"), "The capital of France is Paris."],
  [ask("What is the capital of Norway?"), "The capital of Norway is Oslo."],
  [ask("Opposite of hot?"), "The opposite of hot is cold."],
];
export const [[france, paris], [norway, oslo], [hot, cold]] = answers as [
  readonly [string, string],
  readonly [string, string],
  readonly [string, string],
];

/** Checks that nothing is left behind by any request. */
export function expectNothingLeft(engine: CoreHarness): void {
  expect(engine.core.requestCount).toBe(0);
  engine.core.clearCache();
  expect(engine.core.snapshot.usedCells).toBe(0);
  expect(engine.lentBytes).toBe(0);
}
