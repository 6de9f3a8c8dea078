import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embeddedModelPath } from "../../src/embedded-model.ts";
import type { LlamaState } from "../../src/llama/state.ts";
import { Llama, type LlamaOptions } from "../../src/llama.ts";
import { fixture } from "../fixtures/fixture-set.ts";

let llama: Llama;
const folder = mkdtempSync(join(tmpdir(), "cria-state-"));
const usual = { contextLength: 512, threads: 1, flashAttention: false } as const;
const load = (options: LlamaOptions = {}, path?: string) => Llama.load(path, { ...usual, ...options });
beforeAll(async () => {
  llama = await load();
});
afterAll(async () => {
  await llama.close();
  rmSync(folder, { recursive: true });
});

const prompt = "Once upon a time, there was a little dog named";
const greedy = { temperature: 0, max_tokens: 16 } as const;

test("a state, in memory and as a file, goes on in another Llama as here", async () => {
  const { choices } = await llama.createCompletion({ prompt, ...greedy });
  await llama.createCompletion({ prompt, temperature: 0, max_tokens: 0 });
  const path = join(folder, "state");
  const state = await llama.saveState(path);
  for (const source of [state, path]) {
    await using other = await load();
    await other.loadState(source);
    expect(other.tokens).toEqual(state.tokens);
    const again = await other.createCompletion({ prompt, ...greedy });
    expect(again.timings.prompt_n).toBe(1);
    expect(again.choices[0]!.text).toBe(choices[0]!.text);
  }
});

test("a file goes on in another process", async () => {
  const { choices } = await llama.createCompletion({ prompt, ...greedy });
  const path = join(folder, "restart");
  await llama.createCompletion({ prompt, temperature: 0, max_tokens: 0 });
  await llama.saveState(path);
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "../support/load-state.child.ts"), path], {
    stderr: "inherit",
  });
  const { text, computed } = await new Response(child.stdout).json();
  expect([text, computed]).toEqual([choices[0]!.text, 1]);
});

test.each(["sliding-window", "recurrent", "hybrid"] as const)("a state of a %s model", async (name) => {
  const path = await fixture(name);
  const tokens = Array.from({ length: 40 }, (_, index) => 10 + index);
  const answer = (from: Llama) => from.createCompletion({ prompt: tokens, ...greedy, ignore_eos: true });
  await using one = await load({}, path);
  await one.eval(tokens.slice(0, -1));
  const state = await one.saveState();
  const { choices } = await answer(one);
  await using other = await load({}, path);
  await other.loadState(state);
  const again = await answer(other);
  expect([again.timings.prompt_n, again.choices[0]!.text]).toEqual([1, choices[0]!.text]);
});

test("an empty state empties", async () => {
  await using other = await load();
  const empty = await other.saveState();
  await llama.createCompletion({ prompt, temperature: 0, max_tokens: 1 });
  await llama.loadState(empty);
  expect(llama.tokens).toHaveLength(0);
});

test("a damaged file is refused, and the Llama goes on", async () => {
  const path = join(folder, "good");
  await llama.createCompletion({ prompt, temperature: 0, max_tokens: 1 });
  await llama.saveState(path);
  const good = readFileSync(path);
  const broken = join(folder, "broken");
  for (const at of [0, 4, 9, 13, 20, good.length - 1]) {
    const bytes = Buffer.from(good);
    bytes[at]! ^= 0x10;
    writeFileSync(broken, bytes);
    await expect(llama.loadState(broken)).rejects.toThrow(/state|damaged|version/);
  }
  for (const length of [0, 8, 20, good.length - 1]) {
    writeFileSync(broken, good.subarray(0, length));
    await expect(llama.loadState(broken)).rejects.toThrow(/no state file|damaged/);
  }
  const { choices } = await llama.createCompletion({ prompt, ...greedy });
  expect(choices[0]!.text.length).toBeGreaterThan(0);
});

test("tokens that do not belong to the data are refused, and nothing is held", async () => {
  await llama.createCompletion({ prompt, temperature: 0, max_tokens: 1 });
  const state = await llama.saveState();
  await expect(llama.loadState({ ...state, tokens: state.tokens.slice(1) })).rejects.toThrow(/do not belong/);
  expect(llama.tokens).toHaveLength(0);
});

const adapter = embeddedModelPath().replace("tiny-chat-f16", "tiny-chat-pirate-lora");

/** A state of the prompt under other options, and its file. */
async function saved(options: LlamaOptions, path?: string): Promise<[LlamaState, string]> {
  await using other = await load(options, path);
  await other.eval(other.tokenize(prompt));
  const file = join(folder, "other");
  return [await other.saveState(file), file];
}

test.each<[string, LlamaOptions, RegExp]>([
  ["types of K", { cacheTypeK: "f32" }, /saved with cacheTypeK "f32", here it is "f16"; load/],
  ["types of V", { cacheTypeV: "f32" }, /saved with cacheTypeV "f32"/],
  ["RoPE", { ropeFrequencyScale: 0.5 }, /saved with ropeFrequencyScale 0.5, here it is 0/],
  [
    "metadata",
    { kvOverrides: { "llama.rope.freq_base": { type: "float", value: 5 } } },
    /saved with kvOverrides/,
  ],
  [
    "adapters",
    { adapters: [{ path: adapter }] },
    /other adapters \(tiny-chat-pirate-lora.gguf at 1; here: none\)/,
  ],
])("a state of other %s is refused, in memory and as a file", async (_, options, reason) => {
  for (const source of await saved(options)) {
    await expect(llama.loadState(source)).rejects.toThrow(reason);
    expect(llama.tokens).toHaveLength(0);
  }
});

test("a state of another model is refused, whatever its shape, its name and its size", async () => {
  for (const source of await saved({}, await fixture("llama")))
    await expect(llama.loadState(source)).rejects.toThrow(
      /another model \(\S+\), this is tiny-chat-f16.gguf; load/,
    );
  const same = join(folder, "tiny-chat-f16.gguf");
  const bytes = readFileSync(embeddedModelPath());
  bytes[bytes.length - 100]! ^= 1;
  writeFileSync(same, bytes);
  for (const source of await saved({}, same))
    await expect(llama.loadState(source)).rejects.toThrow(/another model \(another file of that name\)/);
  copyFileSync(embeddedModelPath(), same);
  for (const source of await saved({}, same)) await llama.loadState(source);
});

test("what makes no difference to a text does not keep a state from being loaded", async () => {
  const { choices } = await llama.createCompletion({ prompt, ...greedy });
  const states = await Promise.all([
    saved({ contextLength: 1024, batchSize: 64, cacheTypeK: "f16", ropeFrequencyBase: 0 }),
    saved({ kvLayout: "streams", parallel: 3 }),
    saved({ adapters: [{ path: adapter, scale: 0 }] }),
  ]);
  for (const [state] of states) {
    for (const kvLayout of ["shared", "streams"] as const) {
      await using other = await load({ kvLayout });
      await other.loadState(state);
      const again = await other.createCompletion({ prompt, ...greedy });
      expect(again.timings.prompt_n).toBe(1);
      expect(again.choices[0]!.text).toBe(choices[0]!.text);
    }
  }
});

test("flash attention may be another, and the numbers of streams", async () => {
  const [state] = await saved({ flashAttention: true, kvLayout: "streams", parallel: 2 });
  for (const options of [{ flashAttention: false }, { kvLayout: "streams", parallel: 4 }] as const) {
    await using other = await load(options);
    await other.loadState(state);
    expect((await other.createCompletion({ prompt, ...greedy })).timings.prompt_n).toBe(1);
  }
});

test("a model whose file was replaced is not vouched for", async () => {
  const path = join(folder, "replaced.gguf");
  copyFileSync(embeddedModelPath(), path);
  await using other = await load({}, path);
  await other.eval(other.tokenize(prompt));
  const fresh = join(folder, "fresh");
  copyFileSync(embeddedModelPath(), fresh);
  renameSync(fresh, path);
  const state = await other.saveState();
  expect(state.fingerprint).toBeUndefined();
  await other.loadState(state);
  await expect(other.saveState(join(folder, "unknown"))).rejects.toThrow(/load the model anew/);
});

test("a file that is missing or cannot be written says so, and nothing is left of it", async () => {
  await expect(llama.loadState(join(folder, "none"))).rejects.toThrow(/no state file .*none; save one first/);
  await llama.eval(llama.tokenize(prompt));
  await expect(llama.saveState(folder)).rejects.toThrow();
  await expect(llama.saveState(join(folder, "no", "such"))).rejects.toThrow(/ENOENT/);
  expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
});
