import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { embeddedModelPath } from "../src/embedded-model.ts";
import { fixture } from "../test/fixtures/fixture-set.ts";
import { type Bars, barChart, shown } from "./support/serve-chart.ts";
import { complete, randomTokens } from "./support/serve-client.ts";
import { type Share, shareOfEngine } from "./support/serve-engine.ts";
import { type Candidate, cria, peer, type Server, type Shape, start } from "./support/serve-process.ts";
import {
  type Figure,
  firstTokenMs,
  type Scenario,
  type Sizes,
  scenarios,
} from "./support/serve-scenarios.ts";
import { median, printTable } from "./support/table.ts";

const extra = {
  start:
    "from the start of the process to an answer of /health, and resident memory then, with the tiny model",
  restart:
    "time to the first token of a prompt of 2,500 tokens, cold, and again after a stop and a start; prompt tokens from the cache then (bar: 20 %)",
  engine:
    "cria's tokens per second over HTTP against its engine's own in this process, for 1 and 32 clients (bars: 97 %, 95 %)",
} as const;

export const help = `bun run bench serve [--peer URL_OR_COMMAND ...] [--model FILE] [--scenarios a,b] [--rounds N] [--tokens N] [--long N]
    [--turns N] [--json FILE] [--svg FILE]
The same requests to cria and to other servers of OpenAI's API and llama-server's, in turns within one run: one thread,
flash attention off, streamed over loopback. A peer is the URL of a server that runs, or a command line to start, such as
  "llama-server -m {model} --port {port} -c {context} -np {parallel} -t 1 -fa off"
where {context} is the tokens of all requests together. A ratio above 1 means that cria is the better.
Scenarios:
${[...scenarios.map(({ name, about }) => [name, about]), ...Object.entries(extra)].map(([name, about]) => `  ${name}: ${about}`).join("\n")}`;

/** A figure of one scenario, with a value per round of each server. */
interface Series extends Omit<Figure, "value"> {
  readonly scenario: string;
  readonly values: Record<string, number[]>;
}

class Results {
  readonly series: Series[] = [];
  readonly failures: string[] = [];

  add(scenario: string, server: string, figures: readonly Figure[]): void {
    for (const { value, ...figure } of figures) {
      let series = this.series.find((one) => one.scenario === scenario && one.name === figure.name);
      if (!series) {
        series = { scenario, ...figure, values: {} };
        this.series.push(series);
      }
      series.values[server] = [...(series.values[server] ?? []), value];
    }
  }

  failed(scenario: string, server: string, error: unknown): void {
    const failure = `${scenario}, ${server}: ${(error as Error).message}`;
    if (!this.failures.includes(failure)) this.failures.push(failure);
  }
}

const note = (text: string) => process.stderr.isTTY && process.stderr.write(`\r\x1b[K${text}`);

/** Starts all candidates; one that fails is left out and told of. */
async function startAll(candidates: readonly Candidate[], shape: Shape, results: Results): Promise<Server[]> {
  const servers: Server[] = [];
  for (const candidate of candidates) {
    try {
      servers.push(await start(candidate, shape));
    } catch (error) {
      results.failed("start", candidate.label, error);
    }
  }
  return servers;
}

async function stopAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()));
}

async function inTurns(
  scenario: Scenario,
  servers: readonly Server[],
  { sizes, rounds, results }: { sizes: Sizes; rounds: number; results: Results },
): Promise<void> {
  const given = new Set<string>();
  // The first round warms up and is dropped where there are others.
  for (let round = rounds > 1 ? -1 : 0; round < rounds; round++) {
    for (const { label, url } of servers) {
      if (given.has(label)) continue;
      note(`${scenario.name}, ${label}, round ${round + 1} of ${rounds}`);
      try {
        const figures = await scenario.measure(url, sizes, 100 * (scenarios.indexOf(scenario) + 1) + round);
        if (round >= 0) results.add(scenario.name, label, figures);
      } catch (error) {
        results.failed(scenario.name, label, error);
        given.add(label);
      }
    }
  }
}

async function startTimes(candidates: readonly Candidate[], rounds: number, results: Results): Promise<void> {
  const shape: Shape = { model: embeddedModelPath(), parallel: 4, contextLength: 1024 };
  for (let round = 0; round < rounds; round++) {
    for (const candidate of candidates) {
      if (candidate.url !== undefined) continue;
      note(`start, ${candidate.label}, round ${round + 1} of ${rounds}`);
      try {
        const { readyMs, residentMiB, stop } = await start(candidate, shape);
        await stop();
        results.add("start", candidate.label, [
          { name: "ready", unit: "ms", better: "less", value: readyMs },
          { name: "resident", unit: "MiB", better: "less", value: residentMiB },
        ]);
      } catch (error) {
        results.failed("start", candidate.label, error);
      }
    }
  }
}

async function restarts(
  candidates: readonly Candidate[],
  { model, rounds, results }: { model: string; rounds: number; results: Results },
): Promise<void> {
  const length = 2500;
  for (let round = 0; round < rounds; round++) {
    for (const candidate of candidates) {
      if (candidate.url !== undefined) continue;
      note(`restart, ${candidate.label}, round ${round + 1} of ${rounds}`);
      const cacheDir = mkdtempSync(join(tmpdir(), "cria-bench-"));
      const shape: Shape = { model, parallel: 1, contextLength: length + 64, cacheDir };
      const ask = async () => {
        const server = await start(candidate, shape);
        try {
          return await complete(server.url, { prompt: randomTokens(length, 9000 + round), maxTokens: 1 });
        } finally {
          await server.stop();
        }
      };
      try {
        const [cold, warm] = [await ask(), await ask()];
        const [coldMs, warmMs] = [firstTokenMs(cold), firstTokenMs(warm)];
        results.add("restart", candidate.label, [
          { name: "cold, first token", unit: "ms", better: "less", value: coldMs },
          { name: "again, first token", unit: "ms", better: "less", value: warmMs },
          { name: "again of cold", unit: "%", better: "less", value: (100 * warmMs) / coldMs },
          { name: `again, cached of ${length}`, unit: "tokens", better: "more", value: warm.cached },
        ]);
      } catch (error) {
        results.failed("restart", candidate.label, error);
      } finally {
        rmSync(cacheDir, { recursive: true, force: true });
      }
    }
  }
}

function middle(series: Series, server: string): number {
  const values = series.values[server] ?? [];
  return values.length > 0 ? median(values) : Number.NaN;
}

/** How much better cria is: above 1 where it is. */
function advantage(series: Series, other: string): number {
  const [ours, theirs] = [middle(series, cria.label), middle(series, other)];
  return series.better === "more" ? ours / theirs : theirs / ours;
}

function printFigures(
  { series, failures }: Results,
  labels: readonly string[],
  shares: readonly Share[],
): void {
  const others = labels.slice(1);
  if (series.length > 0)
    printTable(
      ["scenario", "figure", "unit", ...labels, ...others.map((label) => `to ${label}`)],
      series.map((one) => [
        one.scenario,
        one.name,
        one.unit,
        ...labels.map((label) => shown(middle(one, label))),
        ...others.map((label) => shown(advantage(one, label))),
      ]),
    );
  if (shares.length > 0) {
    console.log();
    printTable(
      ["clients", "http tok/s", "engine tok/s", "http of engine", "bar"],
      shares.map(({ clients, http, engine, percent }) => [
        String(clients),
        http.toFixed(1),
        engine.toFixed(1),
        `${percent.toFixed(1)}%`,
        clients === 1 ? "97%" : "95%",
      ]),
    );
  }
  for (const failure of failures) console.log(`failed: ${failure}`);
}

/** Names that tell the candidates apart. */
function distinct(candidates: readonly Candidate[]): Candidate[] {
  return candidates.map((one, index) => {
    const before = candidates.slice(0, index).filter(({ label }) => label === one.label).length;
    return before > 0 ? { ...one, label: `${one.label}-${before + 1}` } : one;
  });
}

function positive(text: string, name: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1_000_000)
    throw new RangeError(`--${name} must be a whole number from 1, got ${text}`);
  return value;
}

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      peer: { type: "string", multiple: true, default: [] },
      model: { type: "string" },
      scenarios: { type: "string" },
      rounds: { type: "string", default: "3" },
      tokens: { type: "string", default: "64" },
      long: { type: "string", default: "6000" },
      turns: { type: "string", default: "8" },
      json: { type: "string" },
      svg: { type: "string" },
    },
  });
  const names = [...scenarios.map(({ name }) => name), ...Object.keys(extra)];
  const wanted = new Set(values.scenarios?.split(",") ?? names);
  for (const name of wanted)
    if (!names.includes(name))
      throw new RangeError(`there is no scenario ${name}; there are ${names.join(", ")}`);
  const rounds = positive(values.rounds, "rounds");
  const sizes: Sizes = {
    tokens: positive(values.tokens, "tokens"),
    long: positive(values.long, "long"),
    turns: positive(values.turns, "turns"),
  };
  const model = values.model ?? (await fixture("bench-32k"));
  const candidates = distinct([cria, ...values.peer.map(peer)]);
  const labels = candidates.map(({ label }) => label);
  const results = new Results();
  const shares: Share[] = [];
  if (wanted.has("start")) await startTimes(candidates, rounds, results);
  const shapes = {
    long: { model, parallel: 6, contextLength: Math.max(4200, sizes.long + 500) },
    wide: { model, parallel: 32, contextLength: 1000 + sizes.tokens + 64 },
  } as const;
  // Each scenario gets servers that were just started: what one left in their caches must not change the next.
  for (const scenario of scenarios.filter(({ name }) => wanted.has(name))) {
    const servers = await startAll(candidates, shapes[scenario.shape], results);
    try {
      await inTurns(scenario, servers, { sizes, rounds: scenario.once ? 1 : rounds, results });
    } finally {
      await stopAll(servers);
    }
  }
  if (wanted.has("restart")) await restarts(candidates, { model, rounds, results });
  if (wanted.has("engine")) {
    for (const [clients, shape] of [
      [1, shapes.long],
      [32, shapes.wide],
    ] as const) {
      note(`engine, ${clients} clients`);
      const [server] = await startAll([cria], shape, results);
      if (!server) continue;
      // Turns of one client are short, and more of them tell more.
      const turns = clients === 1 ? 4 * rounds : rounds;
      try {
        shares.push(await shareOfEngine(server.url, shape, { clients, tokens: sizes.tokens, rounds: turns }));
      } finally {
        await server.stop();
      }
    }
  }
  note("");
  printFigures(results, labels, shares);
  if (values.json !== undefined) {
    const machine = { cpu: cpus()[0]?.model, threads: availableParallelism(), platform: process.platform };
    const settings = { model: basename(model), threads: 1, flashAttention: false, rounds, ...sizes };
    const whole = { machine, settings, servers: labels, ...results, shares };
    writeFileSync(values.json, `${JSON.stringify(whole, null, 2)}\n`);
  }
  if (values.svg !== undefined) {
    const figures: Bars[] = results.series.map((one) => ({
      scenario: one.scenario,
      name: one.name,
      unit: one.unit,
      better: one.better,
      values: labels.map((label) => middle(one, label)),
    }));
    writeFileSync(values.svg, barChart("cria serve, one thread", labels, figures));
  }
  if (results.failures.some((failure) => failure.includes(`, ${cria.label}: `))) process.exitCode = 1;
}
