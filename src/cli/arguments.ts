import type { Command } from "commander";

/** Other spellings in llama.cpp's tools, and ours. Commander knows flags of several letters only with two dashes. */
const spellings = new Map([
  ...[
    "ub",
    "tb",
    "ngl",
    "fa",
    "ctk",
    "ctv",
    "sys",
    "sysf",
    "sm",
    "ts",
    "mg",
    "dev",
    "np",
    "to",
    "cram",
    "md",
    "sps",
    "lv",
    "jf",
    "rea",
  ].map((name) => [`-${name}`, `--${name}`] as const),
  ["-nkvo", "--no-kv-offload"],
  ["--n-predict", "--predict"],
  ["--embedding", "--embeddings"],
  ["-cb", "--cont-batching"],
  ["-nocb", "--no-cont-batching"],
  ["-hf", "--hf-repo"],
  ["-mu", "--model-url"],
  ["--n-gpu-layers", "--gpu-layers"],
  ["--reverse-prompt", "--stop"],
  ["--temperature", "--temp"],
  ["--typical-p", "--typical"],
  ["--top-n-sigma", "--top-nsigma"],
]);

/** Flags of all commands that are followed by a value, by each of their names. */
function flagsWithValue(program: Command): Set<string> {
  const options = program.commands.flatMap((command) => command.options);
  return new Set(
    options.filter(({ required }) => required).flatMap(({ flags }) => flags.match(/-[\w-]+/g) ?? []),
  );
}

/** Arguments as commander reads them: `-ngl 0` becomes `--ngl 0`. Values, and what follows `--`, are left alone. */
export function normaliseArguments(program: Command, argv: readonly string[]): string[] {
  const takesValue = flagsWithValue(program);
  const normalised: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] as string;
    if (argument === "--") return [...normalised, ...argv.slice(index)];
    const [name = "", ...value] = argument.split("=");
    const flag = [spellings.get(name) ?? name, ...value].join("=");
    normalised.push(flag);
    if (takesValue.has(flag) && index + 1 < argv.length) normalised.push(argv[++index] as string);
  }
  return normalised;
}
