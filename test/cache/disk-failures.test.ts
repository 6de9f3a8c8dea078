import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DiskCounters } from "../../src/cache/disk-store.ts";
import { blocksOf, readTokens, tokensOf } from "../support/cache-blocks.ts";
import { blockFiles, DiskFolders, openStore } from "../support/disk-folders.ts";

setDefaultTimeout(60_000);

const folders = new DiskFolders();
afterAll(() => folders.remove());

const child = join(import.meta.dir, "../support/disk-full.child.ts");
const tokens = tokensOf(0, 512);
const isRoot = process.getuid?.() === 0;
/** Not every container allows it; a limit on the length of files then shows alone what happens without room. */
const canMount = isRoot && spawnSync("sh", ["-c", "unshare -m mount -t tmpfs none /mnt"]).status === 0;

interface Report {
  readonly before: number;
  readonly found: number;
  readonly counters: DiskCounters;
  readonly warnings: readonly string[];
  readonly partial: number;
  readonly resumed?: { readonly found: number; readonly puts: number };
}

/** Runs the child below a shell command that ends in `"$@"`, which is the child. */
function run(shell: string, args: readonly string[]): Report {
  const command = ["-c", shell, "sh", process.execPath, "run", child, ...args];
  const { stdout, stderr, signal } = spawnSync("sh", command, { encoding: "utf8" });
  expect({ stderr, signal }).toEqual({ stderr: "", signal: null });
  return JSON.parse(stdout) as Report;
}

function collect(): { warnings: string[]; warn: (message: string) => void } {
  const warnings: string[] = [];
  return { warnings, warn: (message) => warnings.push(message) };
}

async function filled(): Promise<string> {
  const folder = folders.path();
  using store = await openStore(folder);
  for (const block of blocksOf(tokens)) store.put(block);
  return folder;
}

describe("no room", () => {
  test("a limit on the length of files: puts are left out, reads go on, one warning of a kind", () => {
    // The shell counts blocks of 512 or 1024 bytes. Files of blocks have 3 KiB, the index grows beyond the limit.
    const report = run(`trap '' XFSZ; ulimit -f 3000; exec "$@"`, [folders.path()]);
    const { counters, found, warnings, partial } = report;
    expect(counters.puts).toBeGreaterThan(20);
    expect(counters.skipped).toBeGreaterThan(100);
    expect(counters.puts + counters.skipped).toBe(800);
    expect(found).toBe(256 * counters.puts);
    expect(counters).toMatchObject({ damaged: 0, misses: 0 });
    expect(warnings.length).toBe(new Set(warnings).size);
    expect(warnings.length).toBeLessThanOrEqual(2);
    expect(warnings[0]).toMatch(/^the KV cache in \/.* cannot be written: .*; (check the disk|free some)/);
    expect(partial).toBe(0);
  });

  const mayMount = canMount
    ? test
    : (name: string) => test.skip(`${name} (skipped: mounting is not allowed)`);
  mayMount("a file system that is full, and has room again", () => {
    const mount = folders.path();
    mkdirSync(mount);
    const [folder, filler] = [join(mount, "cache"), join(mount, "filler")];
    const shell = `mount -t tmpfs -o size=12m none ${mount} && head -c 10000000 /dev/zero > ${filler} && exec "$@"`;
    const command = `exec unshare -m sh -c '${shell}' sh "$@"`;
    const report = run(command, [folder, "--filler", filler]);
    const { counters, found, warnings, partial, resumed } = report;
    expect(counters.puts).toBeGreaterThan(20);
    expect(counters.skipped).toBeGreaterThan(100);
    expect(found).toBe(256 * counters.puts);
    expect(counters).toMatchObject({ damaged: 0, misses: 0 });
    expect(warnings.length).toBe(1);
    expect(warnings[0]).toMatch(
      /cannot be written: no space is left \(.*\); free some, or give the cache a smaller/,
    );
    expect(partial).toBe(0);
    expect(resumed!.puts).toBeGreaterThan(600);
    expect(resumed!.found).toBeGreaterThan(found);
  });
});

describe("a folder that cannot be written", () => {
  /** Files are the parent's; root would be allowed everything. */
  function asNobody(folder: string): Report {
    if (!isRoot) chmodSync(folder, 0o555);
    chmodSync(join(folder, ".."), 0o755);
    try {
      return run(`exec "$@"`, [folder, "--lists", "100", ...(isRoot ? ["--user", "65534"] : [])]);
    } finally {
      chmodSync(folder, 0o755);
    }
  }

  const forbidden =
    /cannot be written: it is not writable \(.*\); let this user write there, or name another folder/;

  test("what is in it is found, and nothing more comes", async () => {
    const report = asNobody(await filled());
    expect([report.before, report.found]).toEqual([512, 512]);
    expect(report.counters).toMatchObject({ puts: 0, skipped: 200, damaged: 0, misses: 0 });
    expect(report.warnings.length).toBe(1);
    expect(report.warnings[0]).toMatch(forbidden);
  });

  test("so it is while its owner writes", async () => {
    const folder = await filled();
    using store = await openStore(folder);
    const more = tokensOf(1, 512);
    for (const block of blocksOf(more)) store.put(block);
    const report = asNobody(folder);
    expect(report.before).toBeGreaterThanOrEqual(512);
    expect(report.counters).toMatchObject({ puts: 0, skipped: 200, damaged: 0 });
    expect(report.warnings.length).toBe(1);
    expect(readTokens(store, more)).toBe(512);
  });

  test("it is an empty store where there is no index", () => {
    const folder = folders.path();
    mkdirSync(folder);
    const report = asNobody(folder);
    expect([report.before, report.found]).toEqual([0, 0]);
    expect(report.counters).toMatchObject({ puts: 0, skipped: 200 });
    expect(report.warnings.length).toBe(1);
    expect(report.warnings[0]).toMatch(forbidden);
  });

  test("so it is below a file, and works once that is gone", async () => {
    const file = folders.path();
    writeFileSync(file, "");
    const { warnings, warn } = collect();
    using store = await openStore(join(file, "cache"), { warn });
    const blocks = blocksOf(tokens);
    for (let count = 0; count < 60; count++) store.put(blocks[0]!);
    expect(readTokens(store, tokens)).toBe(0);
    expect(store.usage().all).toEqual({ blocks: 0, tokens: 0, bytes: 0 });
    expect(() => store.clear()).toThrow(/cannot be written/);
    expect(store.counters).toMatchObject({ puts: 0, skipped: 60 });
    expect(warnings.length).toBe(1);
    expect(warnings[0]).toMatch(/the folder cannot be made .*; name a folder that can be made/);
    rmSync(file);
    for (let count = 0; count < 60; count++) for (const block of blocks) store.put(block);
    expect(readTokens(store, tokens)).toBe(512);
    expect(warnings.length).toBe(1);
  });
});

describe("a folder that others meddle with", () => {
  test("one that is removed is made again, and what was in it is a miss", async () => {
    const folder = await filled();
    using store = await openStore(folder);
    expect(readTokens(store, tokens)).toBe(512);
    const [first] = blocksOf(tokens);
    rmSync(folder, { recursive: true });
    expect(store.get(first!.first)).toBeUndefined();
    expect(readTokens(store, tokens)).toBe(0);
    for (const block of blocksOf(tokens)) store.put(block);
    expect(readTokens(store, tokens)).toBe(512);
    rmSync(folder, { recursive: true });
    for (const block of blocksOf(tokens)) store.put(block);
    expect(readTokens(store, tokens)).toBe(512);
    expect(store.counters.damaged).toBe(0);
  });

  test("one that is replaced by another is taken as it is", async () => {
    const folder = await filled();
    using store = await openStore(folder);
    const other = tokensOf(5, 512);
    const elsewhere = folders.path();
    {
      using another = await openStore(elsewhere);
      for (const block of blocksOf(other)) another.put(block);
    }
    renameSync(folder, folders.path());
    renameSync(elsewhere, folder);
    expect([readTokens(store, tokens), readTokens(store, other)]).toEqual([0, 512]);
  });

  test("files that are removed are misses, and come again", async () => {
    const folder = await filled();
    using store = await openStore(folder);
    rmSync(join(folder, "blocks"), { recursive: true });
    expect(readTokens(store, tokens)).toBe(0);
    expect(store.counters).toMatchObject({ damaged: 1, hits: 0 });
    for (const block of blocksOf(tokens)) store.put(block);
    expect(readTokens(store, tokens)).toBe(256);
    expect(store.counters.damaged).toBe(2);
    for (const block of blocksOf(tokens)) store.put(block);
    expect(readTokens(store, tokens)).toBe(512);
  });

  test("rubbish is left alone, what dead writers left is swept an hour later", async () => {
    const folder = await filled();
    const [path] = blockFiles(folder) as [string];
    const rubbish = [
      join(folder, "rubbish"),
      `${path}x`,
      join(folder, "blocks/rubbish"),
      join(path, "../note.kv"),
    ];
    const [dead, fresh] = ["11111111", "22222222"].map((nonce) =>
      path.replace(/[0-9a-f]{8}\.kv$/, `${nonce}.kv`),
    ) as [string, string]; // prettier-ignore
    const partial = dead.replace(/kv$/, "partial");
    for (const each of [...rubbish, dead, fresh, partial]) writeFileSync(each, "rubbish");
    mkdirSync(join(folder, "blocks", "0123456789abcdef", "ab", "cd"), { recursive: true });
    const before = blockFiles(folder).length;
    for (const each of [...rubbish, dead, partial]) utimesSync(each, 1e9, 1e9);
    using store = await openStore(folder);
    expect(readTokens(store, tokens)).toBe(512);
    expect(blockFiles(folder).length).toBe(before - 2);
    expect(blockFiles(folder)).toContain(fresh);
  });

  test("rubbish in place of what is needed", async () => {
    for (const place of ["index.sqlite", "blocks"]) {
      const folder = folders.path();
      mkdirSync(folder);
      if (place === "blocks") writeFileSync(join(folder, place), "rubbish");
      else mkdirSync(join(folder, place));
      const { warnings, warn } = collect();
      using store = await openStore(folder, { warn });
      for (const block of blocksOf(tokens)) store.put(block);
      expect(readTokens(store, tokens)).toBe(0);
      expect(warnings.length).toBe(1);
    }
  });
});
