import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineOptions } from "../src/engine/engine-options.ts";
import { WorkerEngine } from "../src/engine/worker-engine.ts";
import { fixture } from "../test/fixtures/fixture-set.ts";
import { option } from "./support/option.ts";
import { pause, randomTokens } from "./support/serve-client.ts";
import { median, printTable } from "./support/table.ts";

export const help = `bun run bench cache [--lengths 256,1000,2500,6000] [--streams N] [--tokens N] [--rounds N] [--parts restore,saving,memory]
What the tiers below the context give and cost, one thread, flash attention off, greedy:
  restore: time to the first token of a prompt that was never seen, of one that comes back from host memory, and of one
           that comes back from disk after a restart (bar: 20 % of the first at 2,500 tokens); bytes on disk per token
  saving:  tokens per second of running streams that begin with prompts of 500 tokens, with a cache folder against host
           memory alone (bar: a loss of at most 3 %), in turns
  memory:  what twenty conversations over one prefix of 2,000 tokens hold in host memory and on disk`;

const settings = { threads: 1, flashAttention: false } as const;

const prompt = (length: number, seed: number) => Int32Array.from(randomTokens(length, seed));

interface Answer {
  readonly firstMs: number;
  readonly cached: number;
  /** Longest time between two tokens. */
  readonly gapMs: number;
}

async function answer(engine: WorkerEngine, tokens: Int32Array, maxTokens = 1): Promise<Answer> {
  const started = performance.now();
  let [firstMs, cached, gapMs, before] = [0, 0, 0, 0];
  const stream = engine.submit({ prompt: tokens, sampling: { temperature: 0 }, maxTokens, ignoreEos: true });
  for await (const event of stream) {
    if (event.type === "error") throw event.error;
    if (event.type === "end") cached = event.stats.cachedLength;
    if (event.type !== "token") continue;
    const now = performance.now();
    if (before === 0) firstMs = now - started;
    else gapMs = Math.max(gapMs, now - before);
    before = now;
  }
  return { firstMs, cached, gapMs };
}

/** Runs `body` with a folder that is gone afterwards. */
async function withFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "cria-bench-"));
  try {
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function restore(path: string, lengths: readonly number[], rounds: number): Promise<void> {
  const rows: string[][] = [];
  for (const length of lengths) {
    const times = { cold: [] as number[], host: [] as number[], disk: [] as number[] };
    let [cachedHost, cachedDisk, bytesPerToken] = [0, 0, 0];
    for (let round = 0; round < rounds; round++) {
      await withFolder(async (cacheDir) => {
        const options: EngineOptions = {
          ...settings,
          contextLength: length + 64,
          parallel: 1,
          kvLayout: "shared",
          cacheDir,
        };
        const [wanted, other] = [prompt(length, 2 * round), prompt(length, 2 * round + 1)];
        {
          await using engine = await WorkerEngine.load(path, options);
          times.cold.push((await answer(engine, wanted)).firstMs);
          // There is room for one of them in the context.
          await answer(engine, other);
          const again = await answer(engine, wanted);
          times.host.push(again.firstMs);
          cachedHost = again.cached;
        }
        await using engine = await WorkerEngine.load(path, options);
        const warm = await answer(engine, wanted);
        times.disk.push(warm.firstMs);
        cachedDisk = warm.cached;
        const { disk } = (await engine.snapshot()).tiers!;
        bytesPerToken = disk ? disk.bytes / disk.tokens : 0;
      });
    }
    const [cold, host, disk] = [median(times.cold), median(times.host), median(times.disk)];
    const percent = (value: number) => `${((100 * value) / cold).toFixed(1)}%`;
    const figures = [cold, host, disk].map((value) => value.toFixed(0));
    rows.push([
      String(length),
      ...figures,
      percent(host),
      percent(disk),
      `${cachedHost}, ${cachedDisk}`,
      bytesPerToken.toFixed(0),
    ]);
  }
  printTable(
    ["prompt", "cold ms", "host ms", "disk ms", "host", "disk", "cached", "bytes on disk per token"],
    rows,
  );
}

interface Load {
  readonly tokensPerSecond: number;
  readonly gapMs: number;
}

/** Streams at once, prompts included. */
async function streamsAtOnce(
  engine: WorkerEngine,
  { streams, tokens, seed }: { streams: number; tokens: number; seed: number },
): Promise<Load> {
  const started = performance.now();
  const all = Array.from({ length: streams }, (_, index) => prompt(500, 1000 * seed + index));
  const answers = await Promise.all(all.map((each) => answer(engine, each, tokens)));
  return {
    tokensPerSecond: (1000 * streams * tokens) / (performance.now() - started),
    gapMs: Math.max(...answers.map(({ gapMs }) => gapMs)),
  };
}

async function saving(
  path: string,
  sizes: { streams: number; tokens: number; rounds: number },
): Promise<void> {
  const { streams, tokens, rounds } = sizes;
  const rows: string[][] = [];
  for (const kvLayout of ["shared", "streams"] as const) {
    await withFolder(async (cacheDir) => {
      const contextLength = 500 + tokens + 8;
      const options = {
        ...settings,
        kvLayout,
        parallel: streams,
        contextLength,
        cells: streams * contextLength,
      };
      await using without = await WorkerEngine.load(path, options);
      await using saves = await WorkerEngine.load(path, { ...options, cacheDir });
      const loads = { without: [] as Load[], saves: [] as Load[] };
      // The first round warms both up and is dropped.
      for (let round = -1; round < rounds; round++) {
        const turns = [
          ["without", without],
          ["saves", saves],
        ] as const;
        for (const [name, engine] of round % 2 === 0 ? turns : turns.toReversed()) {
          const load = await streamsAtOnce(engine, { streams, tokens, seed: round + 1 });
          if (round >= 0) loads[name].push(load);
          // What is still being written must not slow the other down.
          await pause(500);
        }
      }
      const rate = (name: keyof typeof loads) => median(loads[name].map((load) => load.tokensPerSecond));
      const gap = (name: keyof typeof loads) => median(loads[name].map((load) => load.gapMs)).toFixed(0);
      const losses = loads.saves.map(
        (load, index) => 1 - load.tokensPerSecond / loads.without[index]!.tokensPerSecond,
      );
      const { tiers } = await saves.snapshot();
      rows.push([
        kvLayout,
        String(streams),
        rate("without").toFixed(1),
        rate("saves").toFixed(1),
        `${(100 * median(losses)).toFixed(1)}%`,
        gap("without"),
        gap("saves"),
        String(tiers!.disk?.tokens),
        (tiers!.saveMs / Math.max(1, tiers!.savedTokens)).toFixed(4),
      ]);
    });
  }
  const header = [
    "layout",
    "streams",
    "tok/s without",
    "tok/s saving",
    "loss",
    "gap ms without",
    "gap ms saving",
  ];
  printTable([...header, "tokens on disk", "ms to save a token"], rows);
}

async function memory(path: string): Promise<void> {
  const [prefix, rest, conversations] = [2000, 40, 20];
  const rows: string[][] = [];
  for (const kvLayout of ["shared", "streams"] as const) {
    await withFolder(async (cacheDir) => {
      const options = { ...settings, kvLayout, parallel: 4, contextLength: 2100, cells: 8400, cacheDir };
      const start = prompt(prefix, 1);
      const all = Array.from({ length: conversations }, (_, index) =>
        Int32Array.from([...start, ...prompt(rest, 100 + index)]),
      );
      {
        await using engine = await WorkerEngine.load(path, options);
        for (const each of all) await answer(engine, each);
      }
      await using engine = await WorkerEngine.load(path, options);
      for (const each of all) await answer(engine, each);
      const { host, disk } = (await engine.snapshot()).tiers!;
      const once = prefix + conversations * rest;
      rows.push([
        kvLayout,
        String(once),
        String(host.tokens),
        String(disk?.tokens),
        (host.bytes / 2 ** 20).toFixed(1),
        ((disk?.bytes ?? 0) / 2 ** 20).toFixed(1),
      ]);
    });
  }
  printTable(
    ["layout", "tokens, the prefix once", "host tokens", "disk tokens", "host MiB", "disk MiB"],
    rows,
  );
}

export async function run(args: string[]): Promise<void> {
  const lengths = option(args, "lengths", "256,1000,2500,6000").split(",").map(Number);
  const rounds = Number(option(args, "rounds", "3"));
  const [streams, tokens] = [Number(option(args, "streams", "4")), Number(option(args, "tokens", "256"))];
  const parts = new Set(option(args, "parts", "restore,saving,memory").split(","));
  const path = await fixture("bench-32k");
  if (parts.has("restore")) await restore(path, lengths, rounds);
  if (parts.has("saving")) await saving(path, { streams, tokens, rounds });
  if (parts.has("memory")) await memory(path);
}
