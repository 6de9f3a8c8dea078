import { spawnSync } from "node:child_process";
import { loadBackend } from "../ffi/backend.ts";
import { compareNatively } from "../ffi/compare-natively.ts";
import { libcOf } from "../ffi/libc.ts";
import { longestCommonPrefixNaive, TokenArena } from "../lib/index.ts";
import { median, printTable } from "./support/table.ts";

const sizes = [16, 64, 256, 1_000, 10_000, 100_000, 1_000_000];
const rounds = 25;

export const help = `bun run bench prefix
Time to find the common prefix of two lists that differ in the last token: the matcher of the token memory (wasm
SIMD, which has memcmp look through long lists where a call is cheap), the naive loop, and
memcmp over the same bytes as the limit; numpy where python3 has it. Medians of ${rounds} rounds taken in turns.`;

/** Time of one call in microseconds, from as many calls as take about a millisecond. */
function timeOf(call: () => number, calls: number): number {
  const start = performance.now();
  for (let index = 0; index < calls; index++) call();
  return (1000 * (performance.now() - start)) / calls;
}

const numpyScript = `
import sys, time
import numpy as np
for n in map(int, sys.argv[1:]):
    a = np.arange(n, dtype=np.int32); b = a.copy(); b[-1] += 1
    calls = max(1, 2_000_000 // (n + 1000)); best = []
    for _ in range(9):
        start = time.perf_counter()
        for _ in range(calls): int(np.argmax(a != b))
        best.append((time.perf_counter() - start) / calls * 1e6)
    print(n, sorted(best)[4])
`;

function numpyTimes(): Map<number, number> {
  const run = spawnSync("python3", ["-c", numpyScript, ...sizes.map(String)], { encoding: "utf8" });
  if (run.status !== 0) return new Map();
  return new Map(
    run.stdout
      .trim()
      .split("\n")
      .map((line) => line.split(" ").map(Number) as [number, number]),
  );
}

export async function run(): Promise<void> {
  const backend = await loadBackend();
  const libc = libcOf(backend);
  const numpy = numpyTimes();
  const rows: string[][] = [];
  for (const size of sizes) {
    const arena = new TokenArena({ initialTokens: 2 * size + 64, maxTokens: 4 * size + 65536 });
    const { tokens } = arena;
    compareNatively(tokens, backend);
    const [a, b] = [arena.allocate(size), arena.allocate(size)];
    for (let index = 0; index < size; index++) {
      a.append(index);
      b.append(index === size - 1 ? -1 : index);
    }
    const [viewA, viewB] = [a.view(), b.view()];
    const [addressA, addressB] = [libc.addressOf(viewA), libc.addressOf(viewB)];
    const calls = Math.max(1, Math.floor(3_000_000 / (size + 100)));
    const candidates = {
      matcher: () => tokens.commonPrefix(viewA, viewB),
      naive: () => longestCommonPrefixNaive(viewA, viewB),
      memcmp: () => libc.memcmp(addressA, addressB, 4 * size),
    };
    if (candidates.matcher() !== size - 1 || candidates.naive() !== size - 1)
      throw new Error("the matcher is wrong");
    const times = { matcher: [] as number[], naive: [] as number[], memcmp: [] as number[] };
    const names = Object.keys(candidates) as (keyof typeof candidates)[];
    // The first rounds warm the engine's compiler up and are dropped.
    for (let round = -5; round < rounds; round++) {
      for (const name of names) {
        const time = timeOf(candidates[name], calls);
        if (round >= 0) times[name].push(time);
      }
    }
    const ratio = (other: "naive" | "memcmp") =>
      median(times.matcher.map((time, index) => time / times[other][index]!));
    const known = numpy.get(size);
    rows.push([
      size.toLocaleString("en"),
      ...names.map((name) => median(times[name]).toFixed(3)),
      known === undefined ? "-" : known.toFixed(2),
      ratio("naive").toFixed(2),
      ratio("memcmp").toFixed(2),
    ]);
  }
  printTable(
    ["tokens", "matcher µs", "naive µs", "memcmp µs", "numpy µs", "matcher/naive", "matcher/memcmp"],
    rows,
  );
}
