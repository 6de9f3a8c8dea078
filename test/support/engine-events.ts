import type { EngineEvent, EngineRequest, EngineStream } from "../../src/engine/engine.ts";
import type { RequestStats } from "../../src/engine/request.ts";
import type { WorkerEngine } from "../../src/engine/worker-engine.ts";

export interface Collected {
  readonly text: string;
  readonly tokens: readonly number[];
  readonly reason: string;
  readonly stop: string | undefined;
  readonly stats: RequestStats;
  readonly events: readonly EngineEvent[];
}

/** Reads a stream to its end. @throws the error that ended it. */
export async function collect(stream: EngineStream): Promise<Collected> {
  const events: EngineEvent[] = [];
  for await (const event of stream) events.push(event);
  const last = events.at(-1);
  if (last?.type === "error") throw last.error;
  if (last?.type !== "end") throw new Error("the stream has no end");
  const tokens = events.filter((event) => event.type === "token");
  return {
    text: tokens.map(({ text }) => text).join("") + last.text,
    tokens: tokens.map(({ token }) => token),
    reason: last.reason,
    stop: last.stop,
    stats: last.stats,
    events,
  };
}

export const ask = (question: string) => `<|im_start|>user\n${question}<|im_end|>\n<|im_start|>assistant\n`;

/** A greedy answer. */
export function generate(
  engine: WorkerEngine,
  prompt: EngineRequest["prompt"],
  request: Partial<EngineRequest> = {},
) {
  return collect(engine.submit({ prompt, sampling: { temperature: 0 }, ...request }));
}
