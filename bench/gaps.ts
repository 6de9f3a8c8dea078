import type { EngineEvent } from "../src/engine/engine.ts";
import { WorkerEngine } from "../src/engine/worker-engine.ts";
import { fixture } from "../test/fixtures/fixture-set.ts";
import { printTable } from "./support/table.ts";

const promptLength = 6_000;
const streams = 3;
const gapMs = 100;

export const help = `bun run bench gaps
While a prompt of ${promptLength.toLocaleString("en")} tokens is computed beside ${streams} running streams: the longest gap in any of the
streams against the bound (${gapMs} ms, or two steps), how long a one-word request takes that arrives then, and how long after
an abort of the long prompt the next request has its first token. In each layout, one thread, flash attention off.`;

type Timed = { readonly event: EngineEvent; readonly at: number };

async function* timed(source: AsyncIterable<EngineEvent>): AsyncGenerator<Timed> {
  for await (const event of source) {
    if (event.type === "error") throw event.error;
    yield { event, at: performance.now() };
  }
}

const sampling = { temperature: 0 } as const;
const words = (count: number, seed: number) =>
  Array.from({ length: count }, (_, index) => 300 + ((index * 7919 + seed * 104_729) % 20_000));
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Milliseconds until a request of one word has been answered. */
async function oneWord(engine: WorkerEngine, seed: number): Promise<number> {
  const started = performance.now();
  for await (const { event } of timed(
    engine.submit({ prompt: words(2, seed), sampling, maxTokens: 1, cachePrompt: false }),
  ))
    if (event.type === "token") return performance.now() - started;
  throw new Error("the request ended without a token");
}

async function measure(kvLayout: "shared" | "streams"): Promise<string[]> {
  await using engine = await WorkerEngine.load(await fixture("bench-32k"), {
    threads: 1,
    flashAttention: false,
    contextLength: 8192,
    cells: 16_384,
    parallel: streams + 2,
    kvLayout,
    gapMs,
  });
  let [running, longest] = [true, 0];
  const readers = Array.from({ length: streams }, async (_, seed) => {
    const controller = new AbortController();
    let before = 0;
    try {
      const request = { prompt: words(20, seed), sampling, ignoreEos: true, signal: controller.signal };
      for await (const { event, at } of timed(engine.submit(request))) {
        if (event.type !== "token") continue;
        if (before > 0 && started > 0 && before > started) longest = Math.max(longest, at - before);
        before = at;
        if (!running) controller.abort();
      }
    } catch (error) {
      if (!controller.signal.aborted) throw error;
    }
  });
  let started = 0;
  await pause(2000);
  const { decodeMs } = await engine.snapshot();
  started = performance.now();
  const long = (async () => {
    for await (const { event, at } of timed(
      engine.submit({ prompt: words(promptLength, 77), sampling, maxTokens: 1 }),
    ))
      if (event.type === "token") return at - started;
    return Number.NaN;
  })();
  await pause(1000);
  const short = await oneWord(engine, 88);
  const shortAt = performance.now() - started;
  const longTook = await long;
  running = false;
  await Promise.all(readers);
  const controller = new AbortController();
  const aborted = (async () => {
    try {
      const request = { prompt: words(promptLength, 99), sampling, signal: controller.signal };
      for await (const _ of timed(engine.submit(request)));
    } catch {}
  })();
  await pause(1500);
  controller.abort();
  const freed = await oneWord(engine, 111);
  await aborted;
  return [
    kvLayout,
    longest.toFixed(0),
    Math.max(gapMs, 2 * decodeMs).toFixed(0),
    (longest / Math.max(gapMs, 2 * decodeMs)).toFixed(2),
    short.toFixed(0),
    shortAt < longTook ? "before the long prompt" : "after it",
    (longTook / 1000).toFixed(1),
    freed.toFixed(0),
  ];
}

export async function run(): Promise<void> {
  const rows = [await measure("shared"), await measure("streams")];
  printTable(
    ["layout", "gap ms", "bound ms", "ratio", "one word ms", "answered", "long prompt s", "after abort ms"],
    rows,
  );
}
