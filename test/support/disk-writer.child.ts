// Puts blocks into a store and reads them back, and writes a byte to standard output for each list: for ever, or for as many
// rounds as it is told. What it reads must be right, else it ends with an error.
import { writeSync } from "node:fs";
import { DiskStore } from "../../src/cache/disk-store.ts";
import { blocksOf, readTokens } from "./cache-blocks.ts";
import { sharedList } from "./disk-lists.ts";

const [folder = "", namespace = "", seed = "1", budget = "0", rounds = "0"] = process.argv.slice(2);
const warn = (message: string) => {
  throw new Error(`unexpected warning: ${message}`);
};
const store = await DiskStore.open(folder, { budgetBytes: Number(budget), namespace, warn });
let state = Number(seed);
for (let round = 0; rounds === "0" || round < Number(rounds); round++) {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0;
  const tokens = sharedList(state >>> 8);
  for (const block of blocksOf(tokens, { length: 16 * (1 + ((state >>> 4) % 16)) })) store.put(block);
  readTokens(store, tokens);
  writeSync(1, ".");
}
store.close();
writeSync(1, JSON.stringify(store.counters));
