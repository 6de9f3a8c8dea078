import { WorkerEngine } from "../src/engine/worker-engine.ts";
import { Grammar } from "../src/grammar.ts";
import { schemaToGrammar } from "../src/json-schema/index.ts";
import type { SamplingParams } from "../src/sampling-params.ts";
import { fixture } from "../test/fixtures/fixture-set.ts";
import { option } from "./support/option.ts";
import { median, printTable } from "./support/table.ts";

export const help = `bun run bench constrained [--vocabularies 32k,128k] [--streams 1,8] [--tokens N] [--rounds N]
Generated tokens per second of streams whose text must match a JSON schema, and of the same without, in turns within one run;
on models with random weights, which never write JSON by themselves: nearly every token that is picked first is refused. The
narrowing "none" lets libllama's own filter look at the whole vocabulary each time. One thread, flash attention off.`;

const people = {
  type: "array",
  minItems: 1000,
  items: {
    type: "object",
    properties: {
      name: { type: "string", maxLength: 40 },
      age: { type: "integer", minimum: 0, maximum: 150 },
      tags: { type: "array", items: { enum: ["red", "green", "blue"] }, maxItems: 3 },
      note: { type: "string" },
    },
    required: ["name", "age", "tags", "note"],
    additionalProperties: false,
  },
};

const configurations: Readonly<Record<string, SamplingParams>> = {
  greedy: { temperature: 0 },
  default: {},
};

interface Load {
  readonly streams: number;
  readonly tokens: number;
  readonly sampling: SamplingParams;
}

async function tokensPerSecond(engine: WorkerEngine, load: Load, round: number): Promise<number> {
  await engine.clearCache();
  let count = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: load.streams }, async (_, stream) => {
      const prompt = Int32Array.from({ length: 16 }, (_, index) => 300 + 31 * stream + index);
      const sampling = { ...load.sampling, seed: 100 * (round + 1) + stream };
      const request = { prompt, sampling, maxTokens: load.tokens, ignoreEos: true };
      for await (const event of engine.submit(request)) {
        if (event.type === "error") throw event.error;
        if (event.type === "token") count++;
      }
    }),
  );
  return (1000 * count) / (performance.now() - started);
}

export async function run(args: string[]): Promise<void> {
  const tokens = Number(option(args, "tokens", "128"));
  const rounds = Number(option(args, "rounds", "5"));
  const grammar = Grammar.parse(schemaToGrammar(people).source);
  const rows: string[][] = [];
  for (const vocabulary of option(args, "vocabularies", "32k,128k").split(",")) {
    const path = await fixture(`bench-${vocabulary}` as "bench-32k");
    for (const streams of option(args, "streams", "1,8").split(",").map(Number)) {
      const contextLength = tokens + 32;
      const settings = {
        threads: 1,
        flashAttention: false,
        contextLength,
        parallel: streams,
        cells: contextLength * streams,
      };
      const engine = await WorkerEngine.load(path, settings);
      const whole = await WorkerEngine.load(path, { ...settings, narrowing: "none" });
      for (const [name, params] of Object.entries(configurations)) {
        const rates: Record<string, number[]> = { free: [], constrained: [], whole: [] };
        // The first round makes the index of the vocabulary.
        for (let round = -1; round < rounds; round++) {
          const free = await tokensPerSecond(engine, { streams, tokens, sampling: params }, round);
          const sampling = { ...params, grammar };
          const constrained = await tokensPerSecond(engine, { streams, tokens, sampling }, round);
          const filtered = await tokensPerSecond(whole, { streams, tokens: 16, sampling }, round);
          if (round < 0) continue;
          rates.free!.push(free);
          rates.constrained!.push(constrained);
          rates.whole!.push(filtered);
        }
        const [free, constrained, filtered] = ["free", "constrained", "whole"].map((kind) =>
          median(rates[kind]!),
        ) as [number, number, number];
        rows.push([
          vocabulary,
          String(streams),
          name,
          free.toFixed(1),
          constrained.toFixed(1),
          `${((100 * constrained) / free).toFixed(1)}%`,
          `${((100 * filtered) / free).toFixed(1)}%`,
        ]);
        if (process.stderr.isTTY) process.stderr.write(".");
      }
      await engine.close();
      await whole.close();
    }
  }
  printTable(
    ["vocabulary", "streams", "samplers", "free tokens/s", "constrained", "of free", "narrowing none"],
    rows,
  );
}
