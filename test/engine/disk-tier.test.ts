import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embeddedModelPath } from "../../src/embedded-model.ts";
import type { EngineRequest } from "../../src/engine/engine.ts";
import type { EngineOptions } from "../../src/engine/engine-options.ts";
import { WorkerEngine } from "../../src/engine/worker-engine.ts";
import { fixture } from "../fixtures/fixture-set.ts";
import { generate } from "../support/engine-events.ts";
import { seededTokens as tokens } from "../support/seeded-tokens.ts";

setDefaultTimeout(60_000);

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "cria-tier-"));
  folders.push(folder);
  return folder;
}

async function load(options: EngineOptions & { path?: string }): Promise<WorkerEngine> {
  const { path = embeddedModelPath(), ...rest } = options;
  return WorkerEngine.load(path, { contextLength: 4096, threads: 1, flashAttention: false, ...rest });
}

interface Answer {
  readonly tokens: readonly number[];
  readonly cached: number;
}

async function answer(
  engine: WorkerEngine,
  prompt: readonly number[],
  more: Partial<EngineRequest> = {},
): Promise<Answer> {
  const { tokens, stats } = await generate(engine, prompt, { maxTokens: 8, ignoreEos: true, ...more });
  return { tokens, cached: stats.cachedLength };
}

/** What a request is answered by an engine that is closed afterwards. */
async function once(
  options: EngineOptions & { path?: string },
  prompt: readonly number[],
  more: Partial<EngineRequest> = {},
) {
  await using engine = await load(options);
  return await answer(engine, prompt, more);
}

async function tiersOf(engine: WorkerEngine) {
  return (await engine.snapshot()).tiers!;
}

function blockFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".kv"))
    .map((name) => join(folder, name));
}

/** What the process warned of while `body` ran. */
async function warnings(body: () => Promise<void>): Promise<string[]> {
  const heard: string[] = [];
  const hear = (warning: Error) => heard.push(warning.message);
  process.on("warning", hear);
  await body();
  // Warnings are told on a later turn.
  await new Promise((resolve) => setTimeout(resolve, 20));
  process.off("warning", hear);
  return heard;
}

describe.each(["shared", "streams"] as const)("%s", (kvLayout) => {
  test("a prompt seen before a restart is restored, all but its last token", async () => {
    const options = { cacheDir: newFolder(), kvLayout };
    const prompt = tokens(700, 1);
    const cold = await once(options, prompt);
    expect(cold.cached).toBe(0);
    const warm = await once(options, prompt);
    expect(warm).toEqual({ tokens: cold.tokens, cached: 699 });
    // A prompt that leaves it inside a block has the part before, and one that goes on has all.
    const other = [...prompt.slice(0, 300), ...tokens(50, 2)];
    expect((await once(options, other)).cached).toBe(300);
    const longer = [...prompt, ...cold.tokens, ...tokens(30, 3)];
    expect((await once(options, longer)).cached).toBeGreaterThanOrEqual(700);
  });

  test("what one layout has written the other one reads", async () => {
    const cacheDir = newFolder();
    const other = kvLayout === "shared" ? "streams" : "shared";
    const prompt = tokens(400, 4);
    const cold = await once({ cacheDir, kvLayout, flashAttention: true }, prompt);
    expect(await once({ cacheDir, kvLayout: other }, prompt)).toEqual({ ...cold, cached: 399 });
  });

  test("twenty conversations over one prefix keep it once, in host memory and on disk", async () => {
    const cacheDir = newFolder();
    const prefix = tokens(2000, 5);
    const rest = 40;
    await using engine = await load({ cacheDir, kvLayout, parallel: 4, cells: 4 * 4096 });
    for (let conversation = 0; conversation < 20; conversation++)
      await answer(engine, [...prefix, ...tokens(rest, 10 + conversation)], { maxTokens: 1 });
    await engine.close();
    // Once all is written by the end of the first engine.
    await using second = await load({ cacheDir, kvLayout, parallel: 4, cells: 4 * 4096 });
    for (let conversation = 0; conversation < 20; conversation++) {
      const { cached } = await answer(second, [...prefix, ...tokens(rest, 10 + conversation)], {
        maxTokens: 1,
      });
      expect(cached).toBe(2000 + rest - 1);
    }
    const { host, disk } = await tiersOf(second);
    expect(host.tokens).toBe(2000 + 20 * rest);
    expect(disk!.tokens).toBe(2000 + 20 * rest);
  });

  test("what is evicted from the context comes back from host memory", async () => {
    await using engine = await load({ kvLayout, parallel: 1, cells: 1024, contextLength: 1024 });
    const prompts = Array.from({ length: 6 }, (_, index) => tokens(600, 20 + index));
    const first: Answer[] = [];
    for (const prompt of prompts) first.push(await answer(engine, prompt));
    for (const [index, prompt] of prompts.entries()) {
      const again = await answer(engine, prompt);
      expect(again.tokens).toEqual(first[index]!.tokens);
      expect(again.cached).toBe(599);
    }
    expect((await tiersOf(engine)).restores).toBeGreaterThanOrEqual(5);
    await engine.clearCache();
    expect((await tiersOf(engine)).host.tokens).toBe(0);
    expect((await answer(engine, prompts[0]!)).cached).toBe(0);
  });
});

test("with shared cells, parked prefixes leave the context when others would be slowed down", async () => {
  const path = await fixture("llama");
  await using engine = await load({
    path,
    kvLayout: "shared",
    parallel: 2,
    cells: 8192,
    contextLength: 2048,
  });
  const prompt = tokens(1200, 30).map((token) => token % 200);
  const cold = await answer(engine, prompt, { maxTokens: 4 });
  expect((await engine.snapshot()).parked).toBe(1);
  await answer(engine, [5, 6, 7], { maxTokens: 40 });
  const { parked, usedCells } = await engine.snapshot();
  expect(parked).toBe(1);
  expect(usedCells).toBeLessThan(100);
  expect(await answer(engine, prompt, { maxTokens: 4 })).toEqual({ ...cold, cached: 1199 });
});

describe.each(["recurrent", "hybrid", "sliding-window"] as const)("checkpoints, %s", (name) => {
  const wholeUnits = (length: number) => length - (length % 16);

  test.each(["shared", "streams"] as const)(
    "%s: what follows the last one is computed, after a restart too",
    async (kvLayout) => {
      const path = await fixture(name);
      const options = {
        path,
        kvLayout,
        contextLength: 2048,
        cacheDir: newFolder(),
        cacheTypeK: "f32",
        cacheTypeV: "f32",
      } as const; // prettier-ignore
      const fresh = (prompt: readonly number[]) => once({ ...options, cacheDir: undefined }, prompt);
      await using engine = await load(options);
      const end = engine.model.vocab.endOfGenerationTokens[0]!;
      const system = [...tokens(150, 80), end];
      const question = [...system, ...tokens(333, 81), end];
      const cold = await answer(engine, question);
      expect(cold).toEqual({ ...(await fresh(question)), cached: 0 });
      await engine.close();
      const next = [...question, ...cold.tokens, end, ...tokens(60, 82)];
      const other = [...system, ...tokens(200, 83)];
      // Asked anew; gone on with; another conversation after the same first message.
      for (const [prompt, cached] of [
        [question, wholeUnits(question.length - 1)],
        [next, wholeUnits(question.length)],
        [other, wholeUnits(system.length)],
      ] as const)
        expect(await once(options, prompt)).toEqual({ ...(await fresh(prompt)), cached });
    },
  );
});

describe("nothing is shared between", () => {
  const prompt = tokens(300, 40);

  test("salts", async () => {
    const cacheDir = newFolder();
    const cold = await once({ cacheDir }, prompt, { cacheSalt: "a" });
    for (const cacheSalt of [undefined, "b", "a "])
      expect((await once({ cacheDir }, prompt, { cacheSalt })).cached).toBe(0);
    expect(await once({ cacheDir }, prompt, { cacheSalt: "a" })).toEqual({ ...cold, cached: 299 });
  });

  test("adapters and their scales", async () => {
    const cacheDir = newFolder();
    const adapter = embeddedModelPath().replace("tiny-chat-f16", "tiny-chat-pirate-lora");
    const plain = { cacheDir };
    const adapted = { cacheDir, adapters: [{ path: adapter }] };
    await once(plain, prompt);
    expect((await once(adapted, prompt)).cached).toBe(0);
    expect((await once(adapted, prompt, { adapters: [{ id: 0, scale: 0.5 }] })).cached).toBe(0);
    expect((await once(adapted, prompt, { adapters: [{ id: 0, scale: 0.5 }] })).cached).toBe(299);
    expect((await once(adapted, prompt)).cached).toBe(299);
  });

  test("types of the cache", async () => {
    const cacheDir = newFolder();
    await once({ cacheDir }, prompt);
    expect((await once({ cacheDir, cacheTypeK: "f32" }, prompt)).cached).toBe(0);
    expect((await once({ cacheDir, cacheTypeK: "f16" }, prompt)).cached).toBe(299);
    const kvOverrides = { "llama.rope.scale": 2n } as const;
    expect((await once({ cacheDir, kvOverrides }, prompt)).cached).toBe(0);
    expect((await once({ cacheDir, kvOverrides }, prompt)).cached).toBe(299);
    expect((await once({ cacheDir, ropeFrequencyScale: 0.5 }, prompt)).cached).toBe(0);
  });

  test("a model and another one of its name, size and time", async () => {
    const cacheDir = newFolder();
    const path = join(newFolder(), "model.gguf");
    copyFileSync(embeddedModelPath(), path);
    const { atime, mtime, size } = statSync(path);
    const before = await once({ cacheDir, path }, prompt);
    expect((await once({ cacheDir, path }, prompt)).cached).toBe(299);
    const file = openSync(path, "r+");
    const byte = Buffer.alloc(2);
    for (let at = size - 400_000; at < size; at += 1000) {
      readSync(file, byte, 0, 2, at & ~1);
      writeSync(file, Buffer.from([byte[0]! ^ 0x55, byte[1]!]), 0, 2, at & ~1);
    }
    closeSync(file);
    utimesSync(path, atime, mtime);
    expect((await once({ cacheDir, path }, prompt)).cached).toBe(0);
    copyFileSync(embeddedModelPath(), path);
    expect(await once({ cacheDir, path }, prompt)).toEqual({ ...before, cached: 299 });
  });
});

describe("a folder that", () => {
  const prompt = tokens(600, 50);

  test("has damaged blocks is right all the same", async () => {
    const cacheDir = newFolder();
    const cold = await once({ cacheDir }, prompt);
    const files = blockFiles(cacheDir);
    expect(files.length).toBeGreaterThan(2);
    for (const [index, file] of files.entries()) {
      const bytes = readFileSync(file);
      bytes[Math.floor((bytes.length * (index + 1)) / (files.length + 1))]! ^= 1;
      writeFileSync(file, bytes);
    }
    expect(await once({ cacheDir }, prompt)).toEqual({ ...cold, cached: 0 });
    // What was found damaged was written anew.
    expect((await once({ cacheDir }, prompt)).cached).toBe(599);
  });

  test("cannot be written to leaves requests as they are, with one warning", async () => {
    const file = join(newFolder(), "file");
    writeFileSync(file, "not a folder");
    const heard = await warnings(async () => {
      await using engine = await load({ cacheDir: join(file, "cache") });
      const first = await answer(engine, prompt);
      await answer(engine, tokens(600, 51));
      expect(await answer(engine, prompt)).toEqual({ ...first, cached: 599 });
    });
    expect(heard).toEqual([expect.stringContaining(file)]);
  });

  test("is deleted while running", async () => {
    const cacheDir = newFolder();
    await using engine = await load({ cacheDir });
    const first = await answer(engine, prompt);
    rmSync(cacheDir, { recursive: true, force: true });
    await answer(engine, tokens(600, 52));
    expect(await answer(engine, prompt)).toEqual({ ...first, cached: 599 });
    expect((await answer(engine, tokens(600, 53))).cached).toBe(0);
  });

  test("two engines share at once", async () => {
    const cacheDir = newFolder();
    await using one = await load({ cacheDir });
    await using two = await load({ cacheDir });
    const prompts = Array.from({ length: 6 }, (_, index) => [...tokens(300, 60), ...tokens(300, 61 + index)]);
    const alone = await Promise.all(prompts.map((each) => answer(one, each)));
    const both = await Promise.all(prompts.map((each) => answer(two, each)));
    for (const [index, { tokens }] of both.entries()) expect(tokens).toEqual(alone[index]!.tokens);
    await one.close();
    await two.close();
    expect((await once({ cacheDir }, prompts[5]!)).cached).toBe(599);
  });
});

test("host memory can be left out, and a folder works with next to none", async () => {
  const prompt = tokens(500, 70);
  await using none = await load({ cacheRam: 0 });
  await answer(none, prompt);
  expect((await none.snapshot()).tiers).toBeUndefined();
  const cacheDir = newFolder();
  const cold = await once({ cacheDir, cacheRam: 0 }, prompt);
  expect(await once({ cacheDir, cacheRam: 0 }, prompt)).toEqual({ ...cold, cached: 499 });
  await expect(load({ cacheRam: -2 })).rejects.toThrow(/cacheRam/);
  await expect(load({ cacheDir: "" })).rejects.toThrow(/cacheDir/);
  await expect(load({ cacheDir, cacheDisk: 0 })).rejects.toThrow(/cacheDisk/);
});
