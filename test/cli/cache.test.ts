import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { blocksOf, tokensOf } from "../support/cache-blocks.ts";
import { cria, criaAtTerminal } from "../support/cli.ts";
import { blockFiles, DiskFolders, namespace, openStore } from "../support/disk-folders.ts";

setDefaultTimeout(30_000);

const folders = new DiskFolders();
afterAll(() => folders.remove());

async function filled(): Promise<string> {
  const folder = folders.path();
  using store = await openStore(folder, { label: "tiny\nchat.gguf" });
  for (const block of blocksOf(tokensOf(1, 768))) store.put(block);
  return folder;
}

function damage(folder: string): string {
  const [path] = blockFiles(folder) as [string];
  const bytes = readFileSync(path);
  bytes[500]! ^= 1;
  writeFileSync(path, bytes);
  return path;
}

test("lists what is kept, as text and as JSON", async () => {
  const folder = await filled();
  const [text, json] = await Promise.all([
    cria(["cache", "list", "--cache-dir", folder]),
    cria(["cache", "list", "--cache-dir", folder, "--json"]),
  ]);
  expect([text.code, text.stderr, json.code, json.stderr]).toEqual([0, "", 0, ""]);
  expect(text.stdout).toStartWith(`${folder}\n\nmodel `);
  expect(text.stdout).toMatch(/^tiny\ufffdchat\.gguf +3 +768 +9\.5 KiB +abababababababab$/m);
  expect(text.stdout).toMatch(/^together +3 +768 +9\.5 KiB$/m);
  const usage = { blocks: 3, tokens: 768, bytes: 9756 };
  const entry = { namespace, label: "tiny\nchat.gguf", ...usage };
  expect(JSON.parse(json.stdout)).toEqual({ folder, namespaces: [entry], ...usage });
});

test("verifies and mends", async () => {
  const folder = await filled();
  const verify = ["cache", "verify", "--cache-dir", folder];
  expect(await cria(verify)).toMatchObject({ code: 0, stdout: "3 blocks, 9.5 KiB: all sound\n", stderr: "" });
  const path = damage(folder);
  const [text, json] = await Promise.all([cria(verify), cria([...verify, "--json"])]);
  expect([text.code, json.code, text.stderr, json.stderr]).toEqual([1, 1, "", ""]);
  expect(text.stdout).toBe(
    `${path}: its header has been changed\n3 blocks, 9.5 KiB: 1 damaged; remove them: cria cache verify --fix\n`,
  );
  expect(JSON.parse(json.stdout)).toMatchObject({ blocks: 3, damaged: [{ path }], orphans: 0, removed: 0 });
  const fixed = await cria([...verify, "--fix"]);
  expect([fixed.code, fixed.stderr]).toEqual([0, ""]);
  expect(fixed.stdout).toEndWith("3 blocks, 9.5 KiB: 1 damaged, removed\n");
  expect((await cria(verify)).stdout).toBe("2 blocks, 6.4 KiB: all sound\n");
});

test("shows how far it is at a terminal alone", async () => {
  const folder = await filled();
  const { code, screen } = await criaAtTerminal(["cache", "verify", "--cache-dir", folder], []);
  expect(code).toBe(0);
  expect(screen).toContain("3 of 3 blocks\n3 blocks, 9.5 KiB: all sound\n");
});

test("prunes what is left over, what is too much, and all", async () => {
  const folder = await filled();
  const prune = (...flags: string[]) => cria(["cache", "prune", "--cache-dir", folder, ...flags]);
  const [path] = blockFiles(folder) as [string];
  writeFileSync(path.replace(/[0-9a-f]{8}\.kv$/, "00000000.kv"), "rubbish");
  expect(await prune()).toMatchObject({
    code: 0,
    stdout: "removed 0 blocks (0 B) and 1 files of no block; 9.5 KiB are left\n",
    stderr: "",
  });
  expect(JSON.parse((await prune("--max-mib", "1", "--json")).stdout)).toEqual({
    folder,
    blocks: 0,
    bytes: 0,
    orphans: 0,
    left: 9756,
  }); // prettier-ignore
  expect((await prune("--all")).stdout).toBe(
    "removed 3 blocks (9.5 KiB) and 0 files of no block; 0 B are left\n",
  );
  expect(blockFiles(folder)).toEqual([]);
  expect((await cria(["cache", "list", "--cache-dir", folder])).stdout).toBe(
    `nothing is kept in ${folder}\n`,
  );
});

test("where there is no cache it says so and makes none", async () => {
  const home = folders.path();
  const folder = join(home, "cria");
  const env = { XDG_CACHE_HOME: home };
  for (const action of ["list", "verify", "prune"]) {
    const [text, json] = await Promise.all([
      cria(["cache", action], { env }),
      cria(["cache", action, "--json"], { env }),
    ]);
    if (process.platform === "linux")
      expect(text).toMatchObject({ code: 0, stdout: `nothing is kept in ${folder}\n`, stderr: "" });
    expect(json.code).toBe(0);
    JSON.parse(json.stdout);
  }
});

test("a folder that cannot be used is named, with what to do", async () => {
  const folder = folders.path();
  mkdirSync(join(folder, "index.sqlite"), { recursive: true });
  const { code, stdout, stderr } = await cria(["cache", "list", "--cache-dir", folder]);
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toContain(`cria: the KV cache in ${folder} cannot be written: it is not writable (`);
  expect(stderr).toContain("let this user write there, or name another folder\n");
});

test("wrong usage names the flag", async () => {
  const folder = await filled();
  const cases: [args: string, code: number, message: RegExp][] = [
    ["cache", 2, /missing required argument 'action'/],
    ["cache burn", 2, /'burn' is invalid.*list, verify, prune/],
    ["cache list --all", 2, /^cria: --all is for `cria cache prune` alone/],
    ["cache verify --max-mib 3", 2, /--max-mib is for `cria cache prune` alone/],
    ["cache prune --fix", 2, /--fix is for `cria cache verify` alone/],
    ["cache prune --all --max-mib 3", 2, /either --max-mib or --all/],
    ["cache list --cache-dir=", 2, /--cache-dir.*must not be empty/],
    ["cache prune --max-mib -1", 2, /--max-mib.*at least 0/],
    ["cache prune --max-mib much", 2, /--max-mib.*an integer/],
  ];
  for (const [args, code, message] of cases) {
    const result = await cria(["cache", "--cache-dir", folder, ...args.split(" ").slice(1)]);
    expect({ args, code: result.code, stdout: result.stdout }).toEqual({ args, code, stdout: "" });
    expect(result.stderr).toMatch(message);
  }
  expect(blockFiles(folder).length).toBe(3);
});
