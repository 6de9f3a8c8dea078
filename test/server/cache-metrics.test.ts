import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineOptions } from "../../src/engine/engine-options.ts";
import { seededTokens } from "../support/seeded-tokens.ts";
import { get, listen, loadEngine, post, until } from "../support/server.ts";

setDefaultTimeout(30_000);

const folder = mkdtempSync(join(tmpdir(), "cria-metrics-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Samples = ReadonlyMap<string, number>;

/** Runs an app on a context that has room for one prompt of 600 tokens; `complete` tells how many of one were cached. */
async function serving(
  options: EngineOptions,
  body: (app: {
    complete: (seed: number) => Promise<number>;
    samples: () => Promise<Samples>;
  }) => Promise<void>,
): Promise<void> {
  await using engine = await loadEngine({
    contextLength: 1024,
    parallel: 1,
    flashAttention: false,
    ...options,
  });
  await using server = listen(engine, { metrics: true });
  await body({
    complete: async (seed) => {
      const { status, json } = await post(`${server.url}/completion`, {
        prompt: seededTokens(600, seed),
        n_predict: 1,
        temperature: 0,
      });
      expect(status).toBe(200);
      return json.timings.cache_n;
    },
    samples: async () => {
      const { text } = await get(`${server.url}/metrics`);
      const lines = [...text.matchAll(/^cria:cache_(\S+) (\S+)$/gm)];
      return new Map(lines.map(([, name, value]) => [name!, Number(value)]));
    },
  });
}

test("memory: what is kept, saved, restored and dropped", async () => {
  await serving({ cacheRam: 3 }, async ({ complete, samples }) => {
    for (const seed of [1, 2]) await complete(seed);
    const before = await samples();
    expect(before.get('tokens{tier="host"}')).toBeGreaterThanOrEqual(600);
    expect(before.get('blocks{tier="host"}')).toBeGreaterThanOrEqual(1);
    expect(before.get('bytes{tier="host"}')).toBeGreaterThan(600 * 1024);
    expect(before.get('saved_tokens_total{tier="host"}')).toBeGreaterThanOrEqual(600);
    expect(before.get('save_seconds_total{tier="host"}')).toBeGreaterThan(0);
    expect(before.get('hits_total{tier="host"}')).toBe(0);
    expect(await complete(1)).toBe(599);
    const after = await samples();
    expect(after.get('hits_total{tier="host"}')).toBeGreaterThanOrEqual(1);
    expect(after.get('restored_tokens_total{tier="host"}')).toBe(599);
    expect(after.get('restore_seconds_total{tier="host"}')).toBeGreaterThan(0);
    for (const seed of [3, 4, 5]) await complete(seed);
    expect((await samples()).get('dropped_blocks_total{tier="host"}')).toBeGreaterThan(0);
    expect([...after.keys()].filter((name) => name.includes('tier="disk"'))).toEqual([]);
  });
});

test("disk: what is kept, written, read and missed", async () => {
  const value = (samples: Samples, name: string) => samples.get(`${name}{tier="disk"}`) ?? -1;
  await serving({ cacheDir: folder }, async ({ complete, samples }) => {
    await complete(1);
    await complete(2);
    await until("both are written", async () => value(await samples(), "tokens") >= 1000);
    const written = await samples();
    expect(value(written, "written_bytes_total")).toBeGreaterThan(1000 * 1024);
    expect(value(written, "bytes")).toBeGreaterThan(1000 * 1024);
    expect(value(written, "read_bytes_total")).toBe(0);
  });
  await serving({ cacheDir: folder }, async ({ complete, samples }) => {
    expect(await complete(1)).toBe(599);
    // Its thread tells after it has answered.
    await until("it was told", async () => value(await samples(), "restored_tokens_total") >= 600);
    const read = await samples();
    expect(value(read, "hits_total")).toBeGreaterThanOrEqual(value(read, "blocks") / 2);
    expect(value(read, "read_bytes_total")).toBeGreaterThan(600 * 1024);
    for (const name of ["misses", "damaged_blocks", "skipped_blocks", "dropped_blocks"])
      expect([name, value(read, `${name}_total`)]).toEqual([name, 0]);
  });
});

test("without either there are none", async () => {
  await serving({ cacheRam: 0 }, async ({ complete, samples }) => {
    await complete(1);
    expect((await samples()).size).toBe(0);
  });
});
