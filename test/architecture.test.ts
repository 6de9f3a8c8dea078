import { expect, test } from "bun:test";
import { Glob } from "bun";
import { sortTests } from "../scripts/foreign-tests.ts";

/** Folders in the order of their dependencies: a file imports from its own layer and from those before it. */
const layers = ["lib", "ffi", "src", "src/cache", "src/engine", "src/llama", "src/server", "src/cli"];
/** Files that belong to a later layer than their folder. */
const exceptions: Readonly<Record<string, string>> = {
  "src/llama.ts": "src/llama",
  "src/index.ts": "src/llama",
};

function layerOf(path: string): number {
  const place = exceptions[path] ?? path;
  return layers.reduce((best, layer, index) => (`${place}/`.startsWith(`${layer}/`) ? index : best), -1);
}

async function importsOf(path: string): Promise<string[]> {
  const text = await Bun.file(path).text();
  const imports = text.matchAll(/(?:from|import\()\s*"([^"]+)"/g);
  return [...imports].map((match) => match[1] as string);
}

const files = [...new Glob("{lib,ffi,src}/**/*.ts").scanSync(".")].sort();

test("imports follow the order of the layers", async () => {
  const backwards: string[] = [];
  for (const file of files) {
    for (const specifier of await importsOf(file)) {
      if (!specifier.startsWith(".")) continue;
      const target = new URL(specifier, `file:///${file}`).pathname.slice(1);
      if (layerOf(target) > layerOf(file)) backwards.push(`${file} -> ${target}`);
    }
  }
  expect(files.length).toBeGreaterThan(20);
  expect(backwards).toEqual([]);
});

test("only ffi/ knows a foreign function interface", async () => {
  const trespassers: string[] = [];
  for (const file of files) {
    if (file.startsWith("ffi/")) continue;
    const foreign = (await importsOf(file)).filter(
      (specifier) => specifier === "bun:ffi" || specifier === "koffi",
    );
    trespassers.push(...foreign.map((specifier) => `${file} -> ${specifier}`));
  }
  expect(trespassers).toEqual([]);
});

test("lib/ reads no file, environment or clock", async () => {
  const impure: string[] = [];
  for (const file of files.filter((name) => name.startsWith("lib/"))) {
    const code = (await Bun.file(file).text()).replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, "");
    if (/from "node:|process\.|Date\.now|performance\.now|Bun\./.test(code)) impure.push(file);
  }
  expect(impure).toEqual([]);
});

test("files stay under 400 lines", async () => {
  const long: string[] = [];
  for (const file of files.filter((name) => !name.includes(".generated."))) {
    const lines = (await Bun.file(file).text()).split("\n").length;
    if (lines > 400) long.push(`${file}: ${lines}`);
  }
  expect(long).toEqual([]);
});

test("tests run on each foreign function interface, but for those that call no C", () => {
  const { foreign, plain } = sortTests();
  expect([...foreign, ...plain].sort()).toEqual([...new Glob("test/**/*.test.ts").scanSync(".")].sort());
  expect(plain).toContain("test/json-schema/patterns.test.ts");
  // By what they import, by a process that they start, and by a type alone.
  expect(foreign).toEqual(
    expect.arrayContaining(["test/sampler.test.ts", "test/grammar.test.ts", "test/cli/serve.test.ts"]),
  );
});
