import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadSqlite } from "../../src/cache/sqlite.ts";
import { blocksOf, readTokens, tokensOf } from "../support/cache-blocks.ts";
import { blockFiles, DiskFolders, namespace, openStore, otherNamespace } from "../support/disk-folders.ts";

setDefaultTimeout(120_000);

const folders = new DiskFolders();
afterAll(() => folders.remove());

const tokens = tokensOf(1, 320);
const branch = Int32Array.of(...tokens.subarray(0, 100), ...tokensOf(2, 60));
const all = tokens.length + branch.length;

/** A folder with a few blocks; `keep` leaves the store open for as long as that takes. */
async function filled(keep: (folder: string) => void = () => {}): Promise<string> {
  const folder = folders.path();
  using store = await openStore(folder);
  for (const list of [tokens, branch])
    for (const block of blocksOf(list, { tokenBytes: 2 })) store.put(block);
  keep(folder);
  return folder;
}

function put(store: { put(block: object): void }): void {
  for (const list of [tokens, branch])
    for (const block of blocksOf(list, { tokenBytes: 2 })) store.put(block);
}

/** Opens a damaged folder: what is found must be right, and once it was put again all must be. */
async function survive(folder: string, note: string): Promise<number> {
  const warnings: string[] = [];
  using store = await openStore(folder, { warn: (message) => warnings.push(message) });
  const read = () => readTokens(store, tokens, 2) + readTokens(store, branch, 2);
  const found = read();
  // Damage that one look removed shows what lies behind it.
  for (let round = 0; round < 4 && read() < all; round++) put(store as never);
  expect({ note, found: read(), warnings }).toEqual({ note, found: all, warnings: [] });
  return found;
}

test("any byte of a block's file", async () => {
  const folder = await filled();
  let missed = 0;
  for (const path of blockFiles(folder).slice(0, 2)) {
    const bytes = readFileSync(path);
    for (let index = 0; index < bytes.length; index += index < 200 ? 5 : 29) {
      const copy = folders.copyOf(folder);
      const changed = Buffer.from(bytes);
      changed[index]! ^= 0x10;
      const place = path.replace(folder, copy);
      writeFileSync(place, changed);
      using store = await openStore(copy);
      const found = readTokens(store, tokens, 2) + readTokens(store, branch, 2);
      expect(found).toBeLessThan(all);
      expect(store.counters.damaged).toBe(1);
      expect(existsSync(place)).toBe(false);
      missed++;
      await survive(copy, `byte ${index}`);
      rmSync(copy, { recursive: true });
    }
  }
  expect(missed).toBeGreaterThan(50);
});

test("a file that is cut, empty or longer", async () => {
  const folder = await filled();
  const [path] = blockFiles(folder) as [string];
  const bytes = readFileSync(path);
  for (const changed of [
    bytes.subarray(0, 0),
    bytes.subarray(0, 100),
    bytes.subarray(0, -1),
    Buffer.concat([bytes, bytes]),
  ]) {
    // prettier-ignore
    const copy = folders.copyOf(folder);
    writeFileSync(path.replace(folder, copy), changed);
    expect(await survive(copy, `${changed.length} bytes`)).toBeLessThan(all);
  }
});

test("any byte of the index", async () => {
  const folder = await filled();
  const bytes = readFileSync(join(folder, "index.sqlite"));
  let [places, sound] = [0, 0];
  for (let index = 0; index < bytes.length; index += index < 120 ? 3 : 151) {
    const copy = folders.copyOf(folder);
    const changed = Buffer.from(bytes);
    changed[index]! ^= 1 << (index % 8);
    writeFileSync(join(copy, "index.sqlite"), changed);
    places++;
    if ((await survive(copy, `byte ${index}`)) === all) sound++;
    rmSync(copy, { recursive: true });
  }
  expect(places).toBeGreaterThan(300);
  // Most of it is made anew, or of no consequence.
  expect(sound / places).toBeGreaterThan(0.8);
});

test("an index that is cut, empty, missing, or something else", async () => {
  const folder = await filled();
  const bytes = readFileSync(join(folder, "index.sqlite"));
  for (let length = 0; length < bytes.length; length += 1999) {
    const copy = folders.copyOf(folder);
    writeFileSync(join(copy, "index.sqlite"), bytes.subarray(0, length));
    await survive(copy, `${length} bytes`);
  }
  const { rebuilt, rubbish, missing } = {
    rebuilt: folders.copyOf(folder),
    rubbish: folders.copyOf(folder),
    missing: folders.copyOf(folder),
  }; // prettier-ignore
  writeFileSync(join(rubbish, "index.sqlite"), Buffer.alloc(50_000, "rubbish"));
  rmSync(join(missing, "index.sqlite"));
  writeFileSync(
    join(rebuilt, "index.sqlite"),
    Buffer.concat([bytes.subarray(0, 100), Buffer.alloc(bytes.length)]),
  );
  for (const copy of [rubbish, missing, rebuilt]) expect(await survive(copy, copy)).toBe(all);
});

test("the log of an index whose process died", async () => {
  let copy = "";
  await filled((folder) => {
    copy = folders.copyOf(folder);
  });
  expect(readdirSync(copy)).toContain("index.sqlite-wal");
  const log = readFileSync(join(copy, "index.sqlite-wal"));
  expect(await survive(folders.copyOf(copy), "unchanged")).toBe(all);
  for (let index = 0; index < log.length; index += 1013) {
    const again = folders.copyOf(copy);
    const changed = Buffer.from(log);
    changed[index]! ^= 0x04;
    writeFileSync(join(again, "index.sqlite-wal"), index % 2 === 0 ? changed : log.subarray(0, index));
    await survive(again, `byte ${index}`);
    rmSync(again, { recursive: true });
  }
});

test("an index that is damaged while the store is open", async () => {
  for (const [from, length] of [
    [0, 100],
    [4096, 20_000],
    [0, 200_000],
  ] as const) {
    // prettier-ignore
    const folder = await filled();
    const warnings: string[] = [];
    using store = await openStore(folder, { warn: (message) => warnings.push(message) });
    // Another process does it: one that closes a file gives up its locks on it.
    const script = `head -c ${length} /dev/zero | tr '\\0' 'x' | dd of="$1" bs=1 seek=${from} conv=notrunc status=none`;
    expect(spawnSync("sh", ["-c", script, "sh", join(folder, "index.sqlite")]).status).toBe(0);
    for (let round = 0; round < 3; round++) {
      readTokens(store, tokens, 2);
      put(store as never);
      for (const block of blocksOf(tokensOf(10 + round, 512), { tokenBytes: 2 })) store.put(block);
    }
    expect(readTokens(store, tokens, 2) + readTokens(store, branch, 2)).toBe(all);
    expect(warnings).toEqual([]);
    using again = await openStore(folder);
    expect(readTokens(again, tokens, 2) + readTokens(again, branch, 2)).toBe(all);
  }
});

test("an index of another version is made anew from the files, for all namespaces", async () => {
  const folder = await filled();
  {
    using other = await openStore(folder, { namespace: otherNamespace });
    put(other as never);
  }
  const database = (await loadSqlite())(join(folder, "index.sqlite"), "write");
  database.exec("PRAGMA user_version = 99");
  database.close();
  using store = await openStore(folder);
  using other = await openStore(folder, { namespace: otherNamespace });
  for (const each of [store, other]) {
    expect(readTokens(each, tokens, 2) + readTokens(each, branch, 2)).toBe(all);
    expect(each.counters.damaged).toBe(0);
  }
});

test("files that say other things than their names, and lost parents, are not taken up", async () => {
  const folder = await filled();
  const [path] = blockFiles(folder) as [string];
  const copy = folders.copyOf(folder);
  rmSync(join(copy, "index.sqlite"));
  cpSync(path, path.replace(folder, copy).replace(/[0-9a-f]{64}-/, `${"0".repeat(64)}-`));
  expect(await survive(copy, "renamed")).toBe(all);
  // Without the first block nobody finds the others.
  const orphaned = folders.copyOf(folder);
  rmSync(join(orphaned, "index.sqlite"));
  const first = blocksOf(tokens)[0]!.first;
  for (const file of blockFiles(orphaned)) if (file.includes(first)) rmSync(file);
  using store = await openStore(orphaned, { namespace });
  expect(store.usage().own.blocks).toBe(0);
});
