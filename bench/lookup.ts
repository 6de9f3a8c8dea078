import { RadixTree, TokenArena } from "../lib/index.ts";
import { median, printTable } from "./support/table.ts";

const lengths = [200, 2_000];
const counts = [10, 100, 1_000, 10_000];
const rounds = 31;

export const help = `bun run bench lookup
Time to find the longest known prefix of a prompt in the prefix tree, by how many prompts it holds: half of them begin with
one system prompt of half their length, and each looked up is one of them with another last token. Medians of ${rounds}
rounds taken in turns; the last column is the time against that with ${counts[0]} prompts.`;

interface Forest {
  readonly tree: RadixTree<number>;
  readonly queries: readonly Int32Array[];
}

function plant(arena: TokenArena, count: number, length: number): Forest {
  const tree = new RadixTree<number>((a, b) => arena.tokens.commonPrefix(a, b));
  let state = 12345;
  const random = () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % 30_000;
  };
  const owner = { drop: () => {} };
  const system = Array.from({ length: length / 2 }, random);
  const prompts = Array.from({ length: count }, (_, index) => {
    const buffer = arena.allocate(length);
    for (const token of index % 2 === 0 ? system : []) buffer.append(token);
    while (buffer.length < length) buffer.append(random());
    return buffer.view();
  });
  for (const [index, prompt] of prompts.entries()) tree.extend(index, prompt, owner);
  const queries = Array.from({ length: 10 }, (_, index) => {
    const buffer = arena.allocate(length);
    for (const token of prompts[Math.floor((index * count) / 10)]!) buffer.append(token);
    const query = buffer.view();
    query[length - 1] = 31_000;
    return query;
  });
  return { tree, queries };
}

/** Microseconds of one lookup. */
function timeOf({ tree, queries }: Forest): number {
  const repeats = 20;
  const start = performance.now();
  for (let repeat = 0; repeat < repeats; repeat++)
    for (const query of queries)
      if (tree.find(query, (_, overlap) => overlap)?.length !== query.length - 1)
        throw new Error("the lookup is wrong");
  return (1000 * (performance.now() - start)) / (repeats * queries.length);
}

export async function run(): Promise<void> {
  const rows: string[][] = [];
  for (const length of lengths) {
    const arena = new TokenArena({ initialTokens: 2 ** 20, maxTokens: 2 ** 26 });
    const forests = counts.map((count) => plant(arena, count, length));
    const times = counts.map((): number[] => []);
    for (let round = -5; round < rounds; round++) {
      for (const [index, forest] of forests.entries()) {
        const time = timeOf(forest);
        if (round >= 0) times[index]!.push(time);
      }
    }
    for (const [index, count] of counts.entries()) {
      const ratios = times[index]!.map((time, round) => time / times[0]![round]!);
      rows.push([
        length.toLocaleString("en"),
        count.toLocaleString("en"),
        median(times[index]!).toFixed(2),
        median(ratios).toFixed(2),
      ]);
    }
  }
  printTable(["tokens", "prompts", "lookup µs", "ratio"], rows);
}
