// Fills a folder that has no room for all, or may not be written, and says how that went. The first argument is the folder.
// With `user`, it becomes that user first; with `filler`, it makes room by removing that file, and goes on.
import { existsSync, rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { DiskStore } from "../../src/cache/disk-store.ts";
import { blocksOf, readTokens, tokensOf } from "./cache-blocks.ts";
import { blockFiles, namespace } from "./disk-folders.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    user: { type: "string" },
    filler: { type: "string" },
    lists: { type: "string", default: "400" },
  },
});
const folder = positionals[0]!;
if (values.user) process.setuid!(Number(values.user));
const warnings: string[] = [];
const options = { budgetBytes: 2 ** 30, namespace, warn: (message: string) => warnings.push(message) };
const store = await DiskStore.open(folder, options);

const lists = Array.from({ length: Number(values.lists) }, (_, seed) => tokensOf(seed, 512));
const readAll = () => lists.reduce((found, tokens) => found + readTokens(store, tokens), 0);
const putAll = () => {
  for (const tokens of lists) for (const block of blocksOf(tokens)) store.put(block);
};

const before = readAll();
putAll();
const after = { found: readAll(), counters: { ...store.counters }, warnings: [...warnings] };
const partial = existsSync(folder) ? blockFiles(folder).filter((path) => path.endsWith("partial")).length : 0;
let resumed: object | undefined;
if (values.filler) {
  rmSync(values.filler);
  putAll();
  resumed = { found: readAll(), puts: store.counters.puts };
}
store.close();
console.log(JSON.stringify({ before, ...after, partial, resumed }));
