// usage: bun run bench NAME [arguments]
interface Benchmark {
  readonly help: string;
  run(args: string[]): Promise<void>;
}

const benchmarks: Readonly<Record<string, () => Promise<Benchmark>>> = {
  prefix: () => import("./prefix.ts"),
  decode: () => import("./decode.ts"),
  engine: () => import("./engine.ts"),
  lookup: () => import("./lookup.ts"),
  gaps: () => import("./gaps.ts"),
  cache: () => import("./cache.ts"),
  serve: () => import("./serve.ts"),
  constrained: () => import("./constrained.ts"),
  sample: () => import("./sample.ts"),
  "sample-engine": () => import("./sample-engine.ts"),
  soak: () => import("./soak.ts"),
  "fuzz-server": () => import("./fuzz-server.ts"),
};

const [name, ...args] = process.argv.slice(2);
const load = name === undefined ? undefined : benchmarks[name];
if (!load) {
  if (name !== undefined && name !== "--help") console.error(`there is no benchmark ${name}`);
  for (const each of Object.values(benchmarks)) console.log(`${(await each()).help}\n`);
  process.exit(name === "--help" ? 0 : 2);
}
const benchmark = await load();
if (args.includes("--help")) console.log(benchmark.help);
else await benchmark.run(args);
