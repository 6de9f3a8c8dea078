import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { type LlamaCache, LlamaDiskCache, LlamaRAMCache } from "../../src/llama/cache.ts";
import { Llama, type LlamaOptions } from "../../src/llama.ts";
import { seededTokens } from "../support/seeded-tokens.ts";

setDefaultTimeout(30_000);

const base = mkdtempSync(join(tmpdir(), "cria-llama-cache-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
let folders = 0;
const newFolder = () => join(base, String(++folders));

const mebibyte = 2 ** 20;
const load = (options: LlamaOptions = {}) =>
  Llama.load(undefined, { contextLength: 1024, threads: 1, flashAttention: false, ...options });

/** Tokens of a prompt of 600 that came from a cache. */
async function cached(llama: Llama, seed: number): Promise<number> {
  const prompt = seededTokens(600, seed);
  return (await llama.createCompletion({ prompt, temperature: 0, max_tokens: 1 })).timings.cache_n;
}

const hostBytes = async (llama: Llama) => (await llama.engine.snapshot()).tiers?.host.bytes;

test("a disk cache makes the next start warm", async () => {
  const cacheDir = newFolder();
  for (const expected of [0, 599]) {
    await using llama = await load({ cache: new LlamaDiskCache({ cacheDir, capacityBytes: 2 ** 28 }) });
    expect(await cached(llama, 1)).toBe(expected);
  }
});

test("caches stand for the engine's options", async () => {
  const cacheDir = newFolder();
  await using ram = await load({ cache: new LlamaRAMCache({ capacityBytes: 5 * mebibyte + 1 }) });
  expect(ram.engine.cacheTiers).toEqual({ hostBytes: 5 * mebibyte, disk: undefined });
  const cache = new LlamaDiskCache({ cacheDir: relative(process.cwd(), cacheDir), capacityBytes: 2 ** 27 });
  await using both = await load({ cache, cacheRam: 7 });
  expect(both.engine.cacheTiers).toEqual({
    hostBytes: 7 * mebibyte,
    disk: { folder: cacheDir, bytes: 2 ** 27 },
  });
  await using none = await load({ cache: new LlamaRAMCache({ capacityBytes: 0 }) });
  expect(none.engine.cacheTiers.hostBytes).toBe(0);
  await using usual = await load({ cache: new LlamaRAMCache() });
  await using plain = await load();
  expect(usual.engine.cacheTiers).toEqual(plain.engine.cacheTiers);
});

test("memory can be made less while it runs, and more again", async () => {
  const capacityBytes = 32 * mebibyte;
  await using llama = await load({ cache: new LlamaRAMCache({ capacityBytes }), cells: 1024, parallel: 1 });
  const prompts = [2, 3, 4, 5];
  for (const seed of prompts) expect(await cached(llama, seed)).toBe(0);
  expect(await hostBytes(llama)).toBeGreaterThan(2 * mebibyte);
  expect(await cached(llama, 2)).toBe(599);

  await llama.setCache(new LlamaRAMCache({ capacityBytes: 2 * mebibyte }));
  expect(await hostBytes(llama)).toBeLessThanOrEqual(2 * mebibyte);
  for (const seed of prompts) await cached(llama, seed);
  expect(await hostBytes(llama)).toBeLessThanOrEqual(2 * mebibyte);

  await llama.setCache(undefined);
  expect(await hostBytes(llama)).toBe(0);
  expect(await cached(llama, 2)).toBe(0);

  await llama.setCache(new LlamaRAMCache());
  for (const seed of prompts) await cached(llama, seed);
  expect(await cached(llama, prompts[0]!)).toBe(599);
  await expect(llama.setCache(new LlamaRAMCache({ capacityBytes: capacityBytes + 1 }))).rejects.toThrow(
    /33554432 that the engine was loaded with/,
  );
});

test("what was set outlives a crash of the decoding thread", async () => {
  await using llama = await load({ cache: new LlamaRAMCache({ capacityBytes: 32 * mebibyte }) });
  await llama.setCache(undefined);
  const { engine } = llama as unknown as { engine: { crash(): Promise<void> } };
  await engine.crash();
  await cached(llama, 6).catch(() => {});
  await llama.engine.snapshot();
  for (const seed of [7, 8, 9]) await cached(llama, seed);
  expect(await hostBytes(llama)).toBe(0);
});

test("a folder cannot be taken into use later, but may be named again", async () => {
  const cacheDir = newFolder();
  const other = new LlamaDiskCache({ cacheDir: newFolder() });
  await using without = await load();
  await expect(without.setCache(other)).rejects.toThrow(TypeError);
  await expect(without.setCache(other)).rejects.toThrow(/pass `cache` to Llama.load/);
  await using llama = await load({ cache: new LlamaDiskCache({ cacheDir }) });
  await llama.setCache(new LlamaDiskCache({ cacheDir }));
  await expect(llama.setCache(other)).rejects.toThrow(TypeError);
  await expect(llama.setCache(new LlamaDiskCache({ cacheDir, capacityBytes: mebibyte }))).rejects.toThrow(
    /another size/,
  );
  // The folder works on without memory of its own.
  await llama.setCache(undefined);
  expect(await cached(llama, 10)).toBe(0);
  await llama.close();
  await using again = await load({ cacheDir, cacheRam: 0 });
  expect(await cached(again, 10)).toBe(599);
  await expect(again.setCache(new LlamaRAMCache({ capacityBytes: mebibyte }))).rejects.toThrow(RangeError);
});

test("what makes no sense is refused", async () => {
  const cacheDir = newFolder();
  for (const [options, reason] of [
    [{ cache: new LlamaRAMCache(), cacheRam: 5 }, /either cache or cacheRam/],
    [{ cache: new LlamaDiskCache({ cacheDir }), cacheDir }, /either cache or cacheDir/],
    [{ cache: new LlamaDiskCache({ cacheDir }), cacheDisk: 5 }, /either cache or cacheDisk/],
    [{ cache: { capacityBytes: 5 } as LlamaCache }, /must be a LlamaRAMCache/],
  ] as const)
    await expect(load(options)).rejects.toThrow(reason);
  for (const capacityBytes of [-1, 0.5, Number.NaN, "5" as unknown as number]) {
    expect(() => new LlamaRAMCache({ capacityBytes })).toThrow(RangeError);
    expect(() => new LlamaDiskCache({ cacheDir, capacityBytes })).toThrow(RangeError);
  }
  expect(() => new LlamaDiskCache({ cacheDir: "" })).toThrow(TypeError);
});
