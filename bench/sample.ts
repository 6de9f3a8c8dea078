import type { Pointer } from "../ffi/index.ts";
import { scanLogSumExp, scanTopLogprobs } from "../lib/logprobs.ts";
import { Batch } from "../src/batch.ts";
import { Context } from "../src/context.ts";
import { Model } from "../src/model.ts";
import { Sampler, SamplerChain } from "../src/sampler.ts";
import { createSampler, type SamplingParams } from "../src/sampling-params.ts";
import { buildFixture } from "../test/fixtures/build-fixture.ts";
import { option } from "./support/option.ts";
import { median, printTable } from "./support/table.ts";

export const help = `bun run bench sample [--vocabularies 32000,128000,256000] [--streams 1,8,32] [--logits words,flat]
    [--rounds N]
Microseconds that choosing a token takes, by a sampler chain of ours and by libllama's own (llama_sampler_sample on the same
samplers), for the outputs of one decode of so many streams, in turns within one run. "words" are logits as language models give
them: the token of rank r has probability r^-1.5. "flat" are those of a model with random weights. "greedy, alone" is against
libllama's sampler outside a chain, which gathers candidates in memory that is new each time. Log-probabilities (of the token
and of 5 others) are against a second chain that sorts all tokens, as llama-server does. The last column is the part that ours
has in a step of the engine with the small model used here.`;

interface Configuration {
  readonly params: SamplingParams;
  /** What is asked for besides. */
  readonly also?: "logprobs" | "alone";
}

const penalties = { repeat_penalty: 1.1, presence_penalty: 0.1 };
const configurations: Readonly<Record<string, Configuration>> = {
  greedy: { params: { temperature: 0 } },
  "greedy, alone": { params: { temperature: 0 }, also: "alone" },
  default: { params: {} },
  "default, penalties": { params: penalties },
  "default, penalties, no top-k": { params: { ...penalties, top_k: 0 } },
  "top-p only": { params: { top_k: 0, min_p: 0 } },
  "min-p only": { params: { top_k: 0, top_p: 1 } },
  "default, log-probabilities": { params: {}, also: "logprobs" },
};

/** Tokens chosen before those that count. */
const warmUp = 200;

interface Case {
  readonly context: Context;
  readonly model: Model;
  readonly streams: number;
}

/** Microseconds of a token, by whoever chooses. */
function measure({ context, model, streams }: Case, { params, also }: Configuration, rounds: number) {
  const { c } = model.native;
  using own = createSampler(model, { ...params, seed: 1 });
  using chain = createSampler(model, { ...params, seed: 1 });
  using alone = Sampler.greedy(model);
  using sorting = new SamplerChain(model)
    .add(Sampler.topK(model, model.vocab.size))
    .add(Sampler.dist(model, { seed: 1 }));
  const sampler = also === "alone" ? alone : chain;
  const choose = {
    own: (index: number) => {
      if (also !== "logprobs") return own.sample(context, index);
      const scan = context.scan(index);
      scanTopLogprobs(scan, 5, scanLogSumExp(scan));
      return own.sampleFrom(scan);
    },
    native: (index: number) => {
      if (also === "logprobs") c.llama_sampler_sample(sorting.pointer, context.pointer, index);
      return c.llama_sampler_sample(sampler.pointer, context.pointer, index);
    },
  };
  const times = { own: [] as number[], native: [] as number[] };
  for (let round = -warmUp; round < rounds; round++) {
    for (const name of ["own", "native"] as const) {
      const started = performance.now();
      for (let index = 0; index < streams; index++) choose[name](index);
      if (round >= 0) times[name].push((1000 * (performance.now() - started)) / streams);
    }
  }
  return { own: median(times.own), native: median(times.native) };
}

/** Puts logits like those of words in place of what was computed. */
function writeWords({ context, model, streams }: Case): void {
  const { c, memory } = model.native;
  const { size } = model.vocab;
  for (let index = 0; index < streams; index++) {
    const logits = Float32Array.from({ length: size }, () => 16 - 1.5 * Math.log(1 + size * Math.random()));
    memory.copyFrom(c.llama_get_logits_ith(context.pointer, index) as Pointer, logits);
  }
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
      // What was computed is flat; words are written over it.
      for (const logits of option(args, "logits", "flat,words").split(",").sort()) {
        if (logits === "words") writeWords({ context, model, streams });
        for (const [name, configuration] of Object.entries(configurations)) {
          const { own, native } = measure({ context, model, streams }, configuration, rounds);
          rows.push([
            String(vocabularySize),
            String(streams),
            logits,
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
  }
  printTable(
    ["vocabulary", "streams", "logits", "samplers", "native µs", "own µs", "own/native", "of a step"],
    rows,
  );
}
