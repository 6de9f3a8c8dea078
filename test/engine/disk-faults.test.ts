import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { embeddedModelPath } from "../../src/embedded-model.ts";
import { WorkerEngine } from "../../src/engine/worker-engine.ts";
import { generate } from "../support/engine-events.ts";
import { seededTokens } from "../support/seeded-tokens.ts";

setDefaultTimeout(120_000);

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "cria-faults-"));
  folders.push(folder);
  return folder;
}

interface Line {
  readonly warning?: string;
  readonly seed: number;
  readonly tokens: readonly number[];
  readonly cached: number;
}

const child = join(import.meta.dir, "../support/disk-engine.child.ts");
const parse = (text: string) =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);

function load(cacheDir?: string): Promise<WorkerEngine> {
  return WorkerEngine.load(embeddedModelPath(), {
    threads: 1,
    contextLength: 2048,
    flashAttention: false,
    cacheDir,
  });
}

async function answers(seeds: readonly number[], cacheDir?: string): Promise<Line[]> {
  await using engine = await load(cacheDir);
  const lines: Line[] = [];
  for (const seed of seeds) {
    const { tokens, stats } = await generate(engine, seededTokens(700, seed), {
      maxTokens: 8,
      ignoreEos: true,
    });
    lines.push({ seed, tokens, cached: stats.cachedLength });
  }
  return lines;
}

test("whenever the process is killed, what is restored afterwards is right", async () => {
  const cacheDir = newFolder();
  const seeds = [1, 2, 3, 4, 5, 6];
  const fresh = await answers(seeds);
  let restored = 0;
  for (let round = 0; round < 10; round++) {
    const running = spawn(process.execPath, ["run", child, cacheDir, "6", "1"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const ended = new Promise((resolve) => running.once("exit", resolve));
    let left = 1 + (round % 5);
    const lines = createInterface(running.stdout);
    lines.on("line", () => {
      if (--left > 0) return;
      // Somewhere in what is saved after that.
      setTimeout(() => running.kill("SIGKILL"), (round * 37) % 25);
    });
    await ended;
    const [seed] = [1 + (round % seeds.length)];
    const [after] = await answers([seed], cacheDir);
    expect(after!.tokens).toEqual(fresh[seed - 1]!.tokens);
    restored += after!.cached;
  }
  expect(restored).toBeGreaterThan(0);
});

test("with a disk that fills up requests go on being served, with one warning", async () => {
  const cacheDir = newFolder();
  // No file may become longer than 300 KiB, and blocks of this model are of 512: what the system says is as with a full disk.
  const script = `trap '' XFSZ; ulimit -f 600; exec "$@"`;
  const { stdout, status } = spawnSync(
    "sh",
    ["-c", script, "sh", process.execPath, "run", child, cacheDir, "6", "1"],
    {
      encoding: "utf8",
      timeout: 60_000,
    },
  );
  const lines = parse(stdout);
  expect(status).toBe(0);
  expect(lines.filter(({ warning }) => warning !== undefined)).toHaveLength(1);
  expect(lines.find(({ warning }) => warning)!.warning).toContain(cacheDir);
  const served = lines.filter(({ warning }) => warning === undefined);
  const fresh = await answers([1, 2, 3, 4, 5, 6]);
  expect(served.map(({ tokens }) => tokens)).toEqual(fresh.map(({ tokens }) => tokens));
});
