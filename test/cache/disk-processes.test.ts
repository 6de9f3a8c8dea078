import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { DiskCounters, DiskStore } from "../../src/cache/disk-store.ts";
import { CacheMaintenance } from "../../src/cache/maintenance.ts";
import { blocksOf, readTokens } from "../support/cache-blocks.ts";
import { blockFiles, DiskFolders, namespace, openStore } from "../support/disk-folders.ts";
import { sharedList, sharedLists } from "../support/disk-lists.ts";
import { randomCases } from "../support/random-cases.ts";

setDefaultTimeout(120_000);

const folders = new DiskFolders();
afterAll(() => folders.remove());

const writer = join(import.meta.dir, "../support/disk-writer.child.ts");
/** Of about a third of what the writers put. */
const budget = 24_000;
/** More rounds show rarer faults: 200 are what the store is held to. */
const killRounds = Number(process.env.CRIA_KILL_ROUNDS ?? randomCases(200));

function startWriter(folder: string, seed: number, rounds: number) {
  const args = [folder, namespace, String(seed), String(budget), String(rounds)];
  return Bun.spawn([process.execPath, "run", writer, ...args], { stdout: "pipe", stderr: "inherit" });
}

function readAll(store: DiskStore): number {
  let found = 0;
  for (let list = 0; list < sharedLists; list++) found += readTokens(store, sharedList(list));
  return found;
}

/** After all processes have ended: every row has its file, every file its row, and all are sound. */
async function checkFolder(folder: string): Promise<void> {
  using maintenance = (await CacheMaintenance.open(folder))!;
  expect(maintenance.verify({ damaged: "report" }).damaged).toEqual([]);
  maintenance.prune();
  const [usage] = maintenance.list();
  expect(maintenance.bytes).toBeLessThanOrEqual(budget);
  expect(blockFiles(folder).length).toBe(usage!.blocks);
}

test("two stores of one process take turns on one folder", async () => {
  const folder = folders.path();
  using a = await openStore(folder, { budgetBytes: budget });
  using b = await openStore(folder, { budgetBytes: budget });
  let found = 0;
  for (let round = 0; round < 200; round++) {
    const [writing, reading] = round % 2 === 0 ? [a, b] : [b, a];
    const tokens = sharedList(round * 7);
    for (const block of blocksOf(tokens, { length: 16 * (1 + (round % 9)) })) writing.put(block);
    found += readTokens(reading, tokens) + readTokens(writing, tokens);
  }
  expect(found).toBeGreaterThan(0);
  for (const { counters } of [a, b]) {
    expect(counters.damaged).toBe(0);
    expect(counters.droppedBlocks).toBeGreaterThan(0);
  }
  await checkFolder(folder);
});

test("two processes write while a third reads", async () => {
  const folder = folders.path();
  const writers = [1, 2].map((seed) => startWriter(folder, seed, 150));
  let [running, found] = [true, 0];
  const ended = Promise.all(writers.map(({ exited }) => exited)).then((codes) => {
    running = false;
    return codes;
  });
  using store = await openStore(folder, { budgetBytes: budget });
  while (running) {
    found += readAll(store);
    // The writers' end is an event like others.
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await ended).toEqual([0, 0]);
  expect(found).toBeGreaterThan(0);
  expect(store.counters.damaged).toBe(0);
  for (const { stdout } of writers) {
    const counters = JSON.parse((await new Response(stdout).text()).replace(/^\.+/, "")) as DiskCounters;
    expect(counters.damaged).toBe(0);
    expect(counters.puts).toBeGreaterThan(counters.skipped);
  }
  await checkFolder(folder);
});

test(`whenever a writer is killed, what is found is right (${killRounds} times)`, async () => {
  const folder = folders.path();
  let [found, lists] = [0, 0];
  for (let round = 0; round < killRounds; round++) {
    const child = startWriter(folder, round, 0);
    const most = 1 + ((round * 7) % 23);
    let written = 0;
    for await (const chunk of child.stdout) {
      written += chunk.length;
      if (written >= most) break;
    }
    child.kill("SIGKILL");
    await child.exited;
    expect(child.signalCode).toBe("SIGKILL");
    using store = await openStore(folder, { budgetBytes: budget });
    found += readAll(store);
    lists += written;
    expect(store.counters.damaged).toBe(0);
    expect(store.usage().all.bytes).toBeLessThanOrEqual(budget);
  }
  expect(lists).toBeGreaterThan(killRounds);
  expect(found).toBeGreaterThan(0);
  await checkFolder(folder);
});
