import type { Pointer } from "../ffi/index.ts";
import { Batch } from "../src/batch.ts";
import { Context } from "../src/context.ts";
import { WorkerEngine } from "../src/engine/worker-engine.ts";
import { createSampler, type SamplingParams } from "../src/sampling-params.ts";
import { buildFixture } from "../test/fixtures/build-fixture.ts";
import { option } from "./support/option.ts";
import { median, printTable } from "./support/table.ts";

export const help = `bun run bench sample-engine [--streams 8] [--vocabulary 128000] [--widths 128,512] [--tokens N] [--rounds N]
Generated tokens per second of so many streams on models of 4 layers with random weights: of the engine, of the engine with
all candidates given to libllama's samplers (narrowing "none"), of a batched loop of raw calls with llama_sampler_sample, and of the
same with libllama's backend sampling, where samplers run within the graph (llama_set_sampler).
All in turns within one run, one thread, flash attention off. The wider the model, the less sampling weighs.`;

const promptLength = 16;
const configurations: Readonly<Record<string, SamplingParams>> = {
  greedy: { temperature: 0 },
  default: {},
  "default, penalties": { repeat_penalty: 1.1, presence_penalty: 0.1 },
  "default, penalties, no top-k": { repeat_penalty: 1.1, presence_penalty: 0.1, top_k: 0 },
};

interface Load {
  readonly streams: number;
  readonly tokens: number;
  readonly params: SamplingParams;
}

const promptOf = (stream: number) =>
  Int32Array.from({ length: promptLength }, (_, index) => 300 + 31 * stream + index);

async function engineRun(engine: WorkerEngine, { streams, tokens, params }: Load): Promise<number> {
  await engine.clearCache();
  const started = performance.now();
  await Promise.all(
    Array.from({ length: streams }, async (_, stream) => {
      const request = {
        prompt: promptOf(stream),
        sampling: { ...params, seed: stream },
        maxTokens: tokens,
        ignoreEos: true,
      };
      for await (const event of engine.submit(request)) if (event.type === "error") throw event.error;
    }),
  );
  return (1000 * streams * tokens) / (performance.now() - started);
}

type Where = "after" | "within";

/** @param where sampling is done: after each decode, or within its graph by libllama's backend sampling. */
function bareRun(context: Context, { streams, tokens, params }: Load, where: Where): number {
  const { model, native } = context;
  const { c } = native;
  const started = performance.now();
  context.memory.clear();
  const batch = new Batch(native, { capacity: streams * promptLength });
  const chains = Array.from({ length: streams }, (_, stream) => {
    const chain = createSampler(model, { ...params, ignore_eos: true, seed: stream });
    chain.acceptPrompt(promptOf(stream));
    return chain;
  });
  if (where === "within")
    for (const [stream, { pointer }] of chains.entries())
      if (!c.llama_set_sampler(context.pointer, stream, pointer)) throw new Error("no backend sampling here");
  const indices = chains.map((_, stream) => {
    const prompt = promptOf(stream);
    let index = -1;
    for (let position = 0; position < promptLength; position++)
      index = batch.add(prompt[position]!, position, stream, { output: position === promptLength - 1 });
    return index;
  });
  context.decode(batch);
  let next = chains.map(({ pointer }, stream) =>
    c.llama_sampler_sample(pointer, context.pointer, indices[stream]!),
  );
  for (let step = 1; step < tokens; step++) {
    batch.clear();
    for (const [stream, token] of next.entries())
      batch.add(token, promptLength + step - 1, stream, { output: true });
    context.decode(batch);
    next = chains.map(({ pointer }, stream) => c.llama_sampler_sample(pointer, context.pointer, stream));
  }
  if (where === "within")
    for (const stream of chains.keys()) c.llama_set_sampler(context.pointer, stream, 0 as Pointer);
  for (const chain of chains) chain.dispose();
  return (1000 * streams * tokens) / (performance.now() - started);
}

export async function run(args: string[]): Promise<void> {
  const streams = Number(option(args, "streams", "8"));
  const tokens = Number(option(args, "tokens", "64"));
  const rounds = Number(option(args, "rounds", "5"));
  const vocabularySize = Number(option(args, "vocabulary", "128000"));
  const rows: string[][] = [];
  for (const width of option(args, "widths", "128,512").split(",").map(Number)) {
    const shape = { width, heads: width / 64, kvHeads: width / 64, feedForward: 3 * width, layers: 4 };
    const path = await buildFixture({ architecture: "llama", vocabularySize, ...shape, tied: true });
    const contextLength = promptLength + tokens + 8;
    const settings = { threads: 1, flashAttention: false } as const;
    const parallel = { ...settings, contextLength, parallel: streams, cells: contextLength * streams };
    const survivors = await WorkerEngine.load(path, parallel);
    const all = await WorkerEngine.load(path, { ...parallel, narrowing: "none" });
    const context = new Context(survivors.model, {
      ...settings,
      contextLength: contextLength * streams,
      maxSequences: streams,
      unifiedCache: true,
    });
    for (const [name, params] of Object.entries(configurations)) {
      const load = { streams, tokens, params };
      const rates: Record<string, number[]> = { survivors: [], all: [], bare: [], backend: [] };
      for (let round = 0; round < rounds; round++) {
        rates.survivors!.push(await engineRun(survivors, load));
        rates.all!.push(await engineRun(all, load));
        rates.bare!.push(bareRun(context, load, "after"));
        rates.backend!.push(bareRun(context, load, "within"));
      }
      const rate = (name: string) => median(rates[name]!);
      const own = rate("survivors");
      rows.push([
        String(width),
        name,
        own.toFixed(0),
        ...["all", "bare", "backend"].map((other) => rate(other).toFixed(0)),
        ...["all", "bare", "backend"].map((other) => (own / rate(other)).toFixed(2)),
      ]);
      if (process.stderr.isTTY) process.stderr.write(".");
    }
    context.dispose();
    await survivors.close();
    await all.close();
  }
  printTable(
    [
      "width",
      "samplers",
      "engine",
      "all candidates",
      "bare loop",
      "backend",
      "to all",
      "to bare",
      "to backend",
    ],
    rows,
  );
}
