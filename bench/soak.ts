import { Llama } from "../src/llama.ts";
import { printTable } from "./support/table.ts";

export const help = `bun run bench soak [--cycles N]
Loads the embedded model, generates 16 tokens and closes it again, N times (1000 by default), and prints resident memory
every tenth of the way. The last column is the growth since the first tenth, which should be noise.`;

function resident(): number {
  const bun = (globalThis as { Bun?: { gc(force: boolean): void } }).Bun;
  bun?.gc(true);
  return process.memoryUsage.rss() / 2 ** 20;
}

export async function run(args: string[]): Promise<void> {
  const at = args.indexOf("--cycles");
  const cycles = at < 0 ? 1000 : Number(args[at + 1]);
  const step = Math.max(1, Math.floor(cycles / 10));
  const rows: string[][] = [];
  let first = 0;
  for (let cycle = 1; cycle <= cycles; cycle++) {
    const llama = await Llama.load(undefined, { contextLength: 512, threads: 1 });
    await llama.createCompletion({ prompt: "Once upon a time", temperature: 0.8, max_tokens: 16 });
    await llama.close();
    if (cycle % step !== 0) continue;
    const now = resident();
    if (rows.length === 0) first = now;
    rows.push([String(cycle), now.toFixed(1), (now - first).toFixed(1)]);
    if (process.stderr.isTTY) process.stderr.write(`\r${cycle}/${cycles}`);
  }
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  printTable(["cycle", "resident MiB", "growth MiB"], rows);
}
