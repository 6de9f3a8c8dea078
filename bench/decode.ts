import type { Native, Pointer } from "../ffi/index.ts";
import { Context } from "../src/context.ts";
import { Llama } from "../src/llama.ts";
import { fixture } from "../test/fixtures/fixture-set.ts";
import { median, printTable } from "./support/table.ts";

export const help = `bun run bench decode [--tokens N] [--rounds N] [--loads N]
Tokens per second of Llama.generate against a bare loop of raw FFI calls (llama_decode, llama_sampler_sample) on the same
model with the same greedy sampler, in turns within one run, once warm, flash attention off, one thread. The model is
loaded several times, since where its memory comes to lie makes a percent. Then the time per token that generate spends
outside llama_decode; its own sampler counts as outside.`;

/** Rounds before those that count: JavaScriptCore compiles what is called a thousand times anew. */
const warmUp = 40;

interface Round {
  readonly tokensPerSecond: number;
  /** Milliseconds outside llama_decode, from the request to its last token; only measured for generate. */
  readonly outsideMs: number;
}

/** The limit: nothing but the calls that must be made, on a batch that is set up once. */
function bareLoop(native: Native, own: Context, prompt: Int32Array, count: number): Round {
  const { c, memory } = native;
  const context = own.pointer;
  const vocab = own.model.vocab.pointer;
  c.llama_memory_clear(own.memoryPointer, false);
  const params = native.struct("llama_sampler_chain_params");
  c.llama_sampler_chain_default_params(params);
  const chain = c.llama_sampler_chain_init(params);
  c.llama_sampler_chain_add(chain, c.llama_sampler_init_greedy());
  const batch = native.struct("llama_batch");
  const token = new Int32Array(new ArrayBuffer(4));
  batch.set("n_tokens", prompt.length).set("token", memory.addressOf(prompt));
  c.llama_decode(context, batch);
  batch.set("n_tokens", 1).set("token", memory.addressOf(token));
  const start = performance.now();
  for (let index = 0; index < count; index++) {
    const next = c.llama_sampler_sample(chain, context, -1);
    c.llama_vocab_is_eog(vocab as Pointer<"llama_vocab">, next);
    token[0] = next;
    c.llama_decode(context, batch);
  }
  const seconds = (performance.now() - start) / 1000;
  c.llama_sampler_free(chain);
  return { tokensPerSecond: count / seconds, outsideMs: 0 };
}

async function product(llama: Llama, prompt: Int32Array, count: number): Promise<Round> {
  const tokens = llama.generate(prompt, {
    temperature: 0,
    max_tokens: count + 1,
    ignore_eos: true,
    cache_prompt: false,
  });
  const before = await llama.engine.snapshot();
  const submitted = performance.now();
  await tokens.next();
  const start = performance.now();
  for (let index = 0; index < count; index++) await tokens.next();
  const end = performance.now();
  await tokens.return();
  const { stepMs } = await llama.engine.snapshot();
  return {
    tokensPerSecond: (1000 * count) / (end - start),
    outsideMs: end - submitted - (stepMs - before.stepMs),
  };
}

/** Milliseconds that each token adds outside llama_decode: what a longer text takes more than a shorter one. */
async function outsidePerToken(llama: Llama, prompt: Int32Array): Promise<number> {
  const [short, long] = [25, 225];
  await llama.engine.clearCache();
  const { outsideMs: once } = await product(llama, prompt, short);
  await llama.engine.clearCache();
  const { outsideMs: often } = await product(llama, prompt, long);
  return (often - once) / (long - short);
}

function numberAfter(args: readonly string[], flag: string, fallback: number): number {
  const at = args.indexOf(flag);
  return at < 0 ? fallback : Number(args[at + 1]);
}

export async function run(args: string[]): Promise<void> {
  const count = numberAfter(args, "--tokens", 25);
  const rounds = numberAfter(args, "--rounds", 15);
  const loads = numberAfter(args, "--loads", 7);
  const rows: string[][] = [];
  for (const name of ["bench-32k", "bench-128k"] as const) {
    const [bare, generated, ratios, outside]: [number[], number[], number[], number[]] = [[], [], [], []];
    for (let load = 0; load < loads; load++) {
      await using llama = await Llama.load(await fixture(name), {
        contextLength: 1024,
        threads: 1,
        flashAttention: false,
      });
      const { native } = llama.model;
      using own = new Context(llama.model, { contextLength: 1024, threads: 1, flashAttention: false });
      const prompt = llama.tokenize("Once upon a time there was").slice();
      for (let round = load === 0 ? -warmUp : -1; round < rounds; round++) {
        const limit = bareLoop(native, own, prompt, count);
        await llama.engine.clearCache();
        const ours = await product(llama, prompt, count);
        if (round < 0) continue;
        bare.push(limit.tokensPerSecond);
        generated.push(ours.tokensPerSecond);
        ratios.push(ours.tokensPerSecond / limit.tokensPerSecond);
      }
      outside.push(await outsidePerToken(llama, prompt));
    }
    const outsideMs = median(outside);
    rows.push([
      name,
      median(bare).toFixed(1),
      median(generated).toFixed(1),
      `${(100 * median(ratios)).toFixed(1)}%`,
      outsideMs.toFixed(3),
      `${((outsideMs * median(generated)) / 10).toFixed(2)}%`,
    ]);
  }
  printTable(["model", "bare tok/s", "generate tok/s", "ratio", "outside ms/token", "share"], rows);
}
