import { afterAll, expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileLengthOf } from "../../src/cache/block-file.ts";
import { defaultCacheFolder } from "../../src/cache/default-folder.ts";
import { CacheMaintenance } from "../../src/cache/maintenance.ts";
import { blocksOf, readTokens, tokensOf } from "../support/cache-blocks.ts";
import { blockFiles, DiskFolders, namespace, openStore, otherNamespace } from "../support/disk-folders.ts";

const folders = new DiskFolders();
afterAll(() => folders.remove());

const tokens = tokensOf(1, 768);
const size = fileLengthOf(blocksOf(tokens)[0]!);

async function filled(): Promise<string> {
  const folder = folders.path();
  using store = await openStore(folder, { label: "tiny.gguf" });
  using other = await openStore(folder, { namespace: otherNamespace });
  for (const block of blocksOf(tokens)) store.put(block);
  other.put(blocksOf(tokens)[0]!);
  return folder;
}

async function open(folder: string): Promise<CacheMaintenance> {
  const maintenance = await CacheMaintenance.open(folder);
  if (!maintenance) throw new Error(`nothing in ${folder}`);
  return maintenance;
}

test("lists what is kept for whom, while it is in use", async () => {
  const folder = await filled();
  using store = await openStore(folder, { label: "renamed.gguf" });
  using maintenance = await open(folder);
  expect(maintenance.list()).toEqual([
    { namespace, label: "renamed.gguf", blocks: 3, tokens: 768, bytes: 3 * size },
    { namespace: otherNamespace, label: undefined, blocks: 1, tokens: 256, bytes: size },
  ]);
  expect(maintenance.bytes).toBe(4 * size);
  store.clear();
  expect(maintenance.list().map(({ namespace }) => namespace)).toEqual([otherNamespace]);
});

test("a folder in which nothing was kept is left as it is", async () => {
  const folder = folders.path();
  expect(await CacheMaintenance.open(folder)).toBeUndefined();
  expect(existsSync(folder)).toBe(false);
});

test("finds what is damaged, and removes it where it is told to", async () => {
  const folder = await filled();
  const [changed, missing] = blockFiles(folder) as [string, string];
  const bytes = readFileSync(changed);
  bytes[bytes.length - 100]! ^= 1;
  writeFileSync(changed, bytes);
  rmSync(missing);
  writeFileSync(missing.replace(/[0-9a-f]{8}\.kv$/, "00000000.partial"), "");
  using maintenance = await open(folder);
  const steps: string[] = [];
  const progress = (done: number, total: number) => steps.push(`${done}/${total}`);
  const report = maintenance.verify({ damaged: "report", progress });
  expect(report).toMatchObject({ blocks: 4, bytes: 4 * size, orphans: 1 });
  expect(new Map(report.damaged.map(({ path, reason }) => [path, reason]))).toEqual(
    new Map([
      [changed, "its data have been changed"],
      [missing, expect.stringContaining("no such file")],
    ]),
  );
  expect(steps).toEqual(["1/4", "2/4", "3/4", "4/4"]);
  expect(maintenance.verify({ damaged: "remove" }).damaged.length).toBe(2);
  expect(maintenance.verify({ damaged: "report" })).toMatchObject({ blocks: 2, damaged: [] });
  expect(existsSync(changed)).toBe(false);
});

test("a damaged index is reported, or made anew", async () => {
  const folder = await filled();
  const path = join(folder, "index.sqlite");
  const bytes = readFileSync(path);
  // Pages of the indexes, which opening does not look at.
  bytes.fill(0xff, 5 * 4096 + 10, 12 * 4096);
  writeFileSync(path, bytes);
  using maintenance = await open(folder);
  expect(maintenance.verify({ damaged: "report" }).damaged).toEqual([
    { path, reason: "the index is damaged" },
  ]);
  expect(maintenance.verify({ damaged: "remove" })).toMatchObject({ blocks: 4, damaged: [{ path }] });
  expect(maintenance.verify({ damaged: "report" })).toMatchObject({ blocks: 4, damaged: [] });
  expect(maintenance.bytes).toBe(4 * size);
});

test("prunes what belongs to nothing, what is too much, or all", async () => {
  const folder = await filled();
  const [path] = blockFiles(folder) as [string];
  for (const name of ["00000000.kv", "00000001.partial"])
    writeFileSync(path.replace(/[0-9a-f]{8}\.kv$/, name), "rubbish");
  using store = await openStore(folder);
  using maintenance = await open(folder);
  expect(maintenance.prune()).toEqual({ blocks: 0, bytes: 0, orphans: 2 });
  expect(blockFiles(folder).length).toBe(4);
  expect(maintenance.prune({ mostBytes: 2 * size + 1 })).toEqual({ blocks: 2, bytes: 2 * size, orphans: 0 });
  expect(maintenance.bytes).toBe(2 * size);
  expect(blockFiles(folder).length).toBe(2);
  expect(maintenance.prune({ mostBytes: 0 })).toEqual({ blocks: 2, bytes: 2 * size, orphans: 0 });
  expect(existsSync(path)).toBe(false);
  expect(maintenance.list()).toEqual([]);
  // Whoever uses the folder goes on.
  expect(readTokens(store, tokens)).toBe(0);
  for (const block of blocksOf(tokens)) store.put(block);
  expect(readTokens(store, tokens)).toBe(768);
  expect(store.counters.damaged).toBe(0);
});

test("the folder of each system", () => {
  const folder = (platform: NodeJS.Platform, environment: Record<string, string> = {}) =>
    defaultCacheFolder({ HOME: "/home/me", ...environment }, platform).replaceAll("\\", "/");
  expect(folder("linux", { XDG_CACHE_HOME: "/caches" })).toBe("/caches/cria");
  expect(folder("linux", { XDG_CACHE_HOME: "relative" })).toEndWith("/.cache/cria");
  expect(folder("linux")).toEndWith("/.cache/cria");
  expect(folder("darwin")).toEndWith("/Library/Caches/cria");
  expect(folder("win32", { LOCALAPPDATA: "C:/Local" })).toBe("C:/Local/cria");
  expect(folder("win32")).toEndWith("/AppData/Local/cria");
});
