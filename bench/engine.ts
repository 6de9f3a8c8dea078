import { Batch } from "../src/batch.ts";
import { Context } from "../src/context.ts";
import type { Engine, EngineEvent } from "../src/engine/engine.ts";
import type { KvLayoutKind } from "../src/engine/kv-layout.ts";
import { WorkerEngine } from "../src/engine/worker-engine.ts";
import { fixture } from "../test/fixtures/fixture-set.ts";
import { option } from "./support/option.ts";
import { median, printTable } from "./support/table.ts";

export const help = `bun run bench engine [--requests 1,8,32] [--tokens N] [--rounds N] [--layouts shared,streams,auto] [--loads strangers,shared]
Generated tokens per second of N requests at once, prompts included, and the longest gap in any of their streams: with a
prefix of 1,000 tokens that all share, and with prompts of 32 tokens that have nothing in common. "bare" is a batched
loop of raw calls on the same model in the same layout (greedy, the shared prefix computed once): the limit. All in turns
within one run, one thread, flash attention off.`;

const prefixLength = 1000;
const strangeLength = 32;

interface Load {
  readonly requests: number;
  readonly shared: boolean;
  readonly tokens: number;
}

/** Prompts of random tokens: a prefix that all share and four of their own, or nothing in common. */
function prompts({ requests, shared }: Load, seed: number): Int32Array[] {
  let state = seed * 7919 + 13;
  const random = () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return 300 + ((state >> 8) % 20_000);
  };
  const prefix = shared ? Array.from({ length: prefixLength }, random) : [];
  return Array.from({ length: requests }, () =>
    Int32Array.from([...prefix, ...Array.from({ length: shared ? 4 : strangeLength }, random)]),
  );
}

interface Outcome {
  readonly tokensPerSecond: number;
  readonly gapMs: number;
}

/** The limit: prefill in whole batches, then one token of every sequence per batch, and nothing else. */
function bareLoop(context: Context, batch: Batch, load: Load, seed: number): Outcome {
  const { c } = context.native;
  const all = prompts(load, seed);
  context.memory.clear();
  const params = context.native.struct("llama_sampler_chain_params");
  c.llama_sampler_chain_default_params(params);
  const chain = c.llama_sampler_chain_init(params);
  c.llama_sampler_chain_add(chain, c.llama_sampler_init_greedy());
  const started = performance.now();
  const decode = () => {
    if (c.llama_decode(context.pointer, batch.struct) !== 0) throw new Error("the bare loop's decode failed");
  };
  const computed = load.shared ? prefixLength : 0;
  if (load.shared) {
    for (let start = 0; start < prefixLength; start += context.batchSize) {
      batch.clear();
      batch.fill(all[0]!.subarray(start, Math.min(prefixLength, start + context.batchSize)), {
        position: start,
        outputs: "none",
      });
      decode();
    }
    for (let sequence = 1; sequence < load.requests; sequence++) {
      if (context.unifiedCache) context.memory.copy(0, sequence);
      else context.state.copySequence(0, sequence);
    }
  }
  batch.clear();
  const last = all.map((prompt, sequence) => {
    let index = -1;
    for (let position = computed; position < prompt.length; position++) {
      if (batch.length === batch.capacity) {
        decode();
        batch.clear();
      }
      index = batch.add(prompt[position]!, position, sequence, { output: position === prompt.length - 1 });
      if (position === prompt.length - 1 && batch.length === batch.capacity && sequence < all.length - 1)
        throw new Error("a prompt ends where a batch does; choose another batch size");
    }
    return index;
  });
  if (load.requests * (all[0]!.length - computed) > batch.capacity)
    throw new Error("the bare loop computes the last tokens of all prompts in one batch; raise batchSize");
  decode();
  let next = last.map((index) => c.llama_sampler_sample(chain, context.pointer, index));
  let gapMs = 0;
  let before = performance.now();
  for (let step = 1; step < load.tokens; step++) {
    batch.clear();
    for (const [sequence, token] of next.entries())
      batch.add(token, all[sequence]!.length + step - 1, sequence, { output: true });
    decode();
    next = next.map((_, index) => c.llama_sampler_sample(chain, context.pointer, index));
    const now = performance.now();
    gapMs = Math.max(gapMs, now - before);
    before = now;
  }
  const seconds = (performance.now() - started) / 1000;
  c.llama_sampler_free(chain);
  return { tokensPerSecond: (load.requests * load.tokens) / seconds, gapMs };
}

async function engineRun(engine: Engine, load: Load, seed: number): Promise<Outcome> {
  await engine.clearCache();
  const all = prompts(load, seed);
  let gapMs = 0;
  const started = performance.now();
  await Promise.all(
    all.map(async (prompt) => {
      let before: number | undefined;
      const stream: AsyncIterable<EngineEvent> = engine.submit({
        prompt,
        sampling: { temperature: 0 },
        maxTokens: load.tokens,
        ignoreEos: true,
      });
      for await (const event of stream) {
        if (event.type === "error") throw event.error;
        if (event.type !== "token") continue;
        const now = performance.now();
        if (before !== undefined) gapMs = Math.max(gapMs, now - before);
        before = now;
      }
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  return { tokensPerSecond: (load.requests * load.tokens) / seconds, gapMs };
}

export async function run(args: string[]): Promise<void> {
  const counts = option(args, "requests", "1,8,32").split(",").map(Number);
  const tokens = Number(option(args, "tokens", "128"));
  const rounds = Number(option(args, "rounds", "3"));
  const layouts = option(args, "layouts", "shared,streams,auto").split(",") as (KvLayoutKind | "auto")[];
  const loads = option(args, "loads", "strangers,shared").split(",");
  const path = await fixture("bench-32k");
  const rows: string[][] = [];
  for (const requests of counts) {
    const contextLength = prefixLength + strangeLength + tokens + 8;
    const settings = { threads: 1, flashAttention: false, batchSize: 2560 } as const;
    const engines = new Map<string, WorkerEngine>();
    for (const kvLayout of layouts) {
      engines.set(
        kvLayout,
        await WorkerEngine.load(path, {
          ...settings,
          contextLength,
          parallel: requests,
          cells: contextLength * requests,
          kvLayout,
        }),
      );
    }
    const { model } = [...engines.values()][0]!;
    const contexts = new Map<KvLayoutKind, Context>();
    for (const kind of ["shared", "streams"] as const) {
      contexts.set(
        kind,
        new Context(model, {
          ...settings,
          contextLength: contextLength * requests,
          maxSequences: requests,
          unifiedCache: kind === "shared",
        }),
      );
    }
    const batch = new Batch(model.native, { capacity: settings.batchSize });
    for (const name of loads) {
      const shared = name === "shared";
      const load = { requests, shared, tokens };
      const outcomes = new Map<string, Outcome[]>();
      const note = (name: string, outcome: Outcome) =>
        outcomes.set(name, [...(outcomes.get(name) ?? []), outcome]);
      for (let round = 0; round < rounds; round++) {
        for (const [kind, context] of contexts) note(`bare ${kind}`, bareLoop(context, batch, load, round));
        for (const [name, engine] of engines) note(`engine ${name}`, await engineRun(engine, load, round));
      }
      const rate = (name: string) =>
        median(outcomes.get(name)!.map(({ tokensPerSecond }) => tokensPerSecond));
      const best = Math.max(rate("bare shared"), rate("bare streams"));
      for (const [name, list] of outcomes) {
        rows.push([
          String(requests),
          shared ? "shared prefix" : "strangers",
          name,
          rate(name).toFixed(1),
          `${((100 * rate(name)) / best).toFixed(1)}%`,
          median(list.map(({ gapMs }) => gapMs)).toFixed(0),
        ]);
      }
      if (process.stderr.isTTY) process.stderr.write(".");
    }
    for (const context of contexts.values()) context.dispose();
    for (const engine of engines.values()) await engine.close();
  }
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  printTable(["requests", "prompts", "what", "tokens/s", "of best bare", "longest gap ms"], rows);
}
