import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Llama } from "../../src/llama.ts";

let llama: Llama;
const folder = mkdtempSync(join(tmpdir(), "cria-state-"));
const load = () => Llama.load(undefined, { contextLength: 512, threads: 1, flashAttention: false });
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
