import { Batch } from "../src/batch.ts";
import { Context } from "../src/context.ts";
import { Model } from "../src/model.ts";
import { createSampler, type SamplingParams } from "../src/sampling-params.ts";
import { buildFixture } from "../test/fixtures/build-fixture.ts";
import { option } from "./support/option.ts";
import { median, printTable } from "./support/table.ts";

export const help = `bun run bench sample [--vocabularies 32000,128000,256000] [--streams 1,8,32] [--rounds N]
Microseconds that choosing a token takes, of a sampler chain of ours and of libllama's own (llama_sampler_sample on the same
samplers), for the outputs of one decode of so many streams, in turns within one run. The logits are those of a small model
with random weights, which are flat. "greedy", the default chain (top-k 40, top-p 0.95, min-p 0.05, temperature 0.8) alone
and with penalties, and without top-k.`;

const configurations: Readonly<Record<string, SamplingParams>> = {
  greedy: { temperature: 0 },
  default: {},
  "default, penalties": { repeat_penalty: 1.1, presence_penalty: 0.1 },
  "top-p only": { top_k: 0, min_p: 0 },
  "min-p only": { top_k: 0, top_p: 1 },
  "top-p, min-p": { top_k: 0 },
};

/** Tokens chosen before those that count. */
const warmUp = 20;

interface Case {
  readonly context: Context;
  readonly model: Model;
  readonly streams: number;
}

/** Microseconds of a token, by whoever chooses. */
function measure({ context, model, streams }: Case, params: SamplingParams, rounds: number) {
  const { c } = model.native;
  using own = createSampler(model, { ...params, seed: 1 });
  using native = createSampler(model, { ...params, seed: 1 });
  const times = { own: [] as number[], native: [] as number[] };
  for (let round = -warmUp; round < rounds; round++) {
    for (const name of ["own", "native"] as const) {
      const started = performance.now();
      for (let index = 0; index < streams; index++) {
        if (name === "own") own.sample(context, index);
        else c.llama_sampler_sample(native.pointer, context.pointer, index);
      }
      if (round >= 0) times[name].push((1000 * (performance.now() - started)) / streams);
    }
  }
  return { own: median(times.own), native: median(times.native) };
}

export async function run(args: string[]): Promise<void> {
  const rounds = Number(option(args, "rounds", "50"));
  const numbers = (name: string, fallback: string) => option(args, name, fallback).split(",").map(Number);
  const rows: string[][] = [];
  for (const vocabularySize of numbers("vocabularies", "32000,128000,256000")) {
    const small = { width: 64, heads: 2, kvHeads: 2, feedForward: 128, tied: true } as const;
    using model = await Model.load(await buildFixture({ architecture: "llama", vocabularySize, ...small }));
    for (const streams of numbers("streams", "1,8,32")) {
      using context = new Context(model, {
        contextLength: 64 * streams,
        maxSequences: streams,
        threads: 1,
        flashAttention: false,
      });
      const batch = new Batch(model.native, { capacity: streams });
      for (let index = 0; index < streams; index++) batch.add(300 + index, 0, index, { output: true });
      const started = performance.now();
      context.decode(batch);
      const decodeMs = performance.now() - started;
      for (const [name, params] of Object.entries(configurations)) {
        const { own, native } = measure({ context, model, streams }, params, rounds);
        rows.push([
          String(vocabularySize),
          String(streams),
          name,
          native.toFixed(1),
          own.toFixed(1),
          (own / native).toFixed(2),
          `${((100 * own * streams) / (own * streams + 1000 * decodeMs)).toFixed(0)}%`,
        ]);
      }
      if (process.stderr.isTTY) process.stderr.write(".");
    }
  }
  printTable(["vocabulary", "streams", "samplers", "native µs", "own µs", "own/native", "of a step"], rows);
}
