import { Argument, type Command, Option } from "commander";
import { defaultCacheFolder } from "../cache/default-folder.ts";
import { CacheMaintenance, type NamespaceUsage } from "../cache/maintenance.ts";
import { cacheFolder, folderVariable } from "./cache-options.ts";
import { formatBytes } from "./inspect.ts";
import { integer } from "./numbers.ts";
import { print } from "./output.ts";

interface CacheFlags {
  cacheDir: string;
  maxMib?: number;
  all?: boolean;
  fix?: boolean;
  json?: boolean;
}

const actions = { list, verify, prune };
type Action = keyof typeof actions;

export function addCacheCommand(program: Command): void {
  program
    .command("cache")
    .description("Show, check or shorten the KV cache that is kept on disk; it may be in use meanwhile.")
    .addArgument(
      new Argument(
        "<action>",
        "list what is kept for which model; verify every block; prune what is left over, or more",
      ).choices(Object.keys(actions)),
    )
    .addOption(
      new Option("--cache-dir <folder>", `where it is kept (or ${folderVariable})`)
        .argParser(cacheFolder)
        .default(process.env[folderVariable] || defaultCacheFolder()),
    )
    .option("--max-mib <n>", "prune: keep no more than so many MiB, what is worth most", integer(0))
    .option("--all", "prune: keep nothing")
    .option("--fix", "verify: remove what is damaged")
    .option("--json", "print as JSON")
    .action(run);
}

async function run(action: Action, flags: CacheFlags): Promise<void> {
  const { maxMib, all, fix } = flags;
  if (action !== "prune" && (maxMib !== undefined || all))
    throw new TypeError(`${all ? "--all" : "--max-mib"} is for \`cria cache prune\` alone`);
  if (action !== "verify" && fix) throw new TypeError("--fix is for `cria cache verify` alone");
  if (maxMib !== undefined && all) throw new TypeError("give either --max-mib or --all, not both");
  const maintenance = await CacheMaintenance.open(flags.cacheDir);
  try {
    await actions[action](maintenance, flags);
  } finally {
    maintenance?.close();
  }
}

/** Undefined where there is no cache. */
type Maintenance = CacheMaintenance | undefined;

function nothingIn({ cacheDir }: CacheFlags): string {
  return `nothing is kept in ${cacheDir}\n`;
}

async function list(maintenance: Maintenance, flags: CacheFlags): Promise<void> {
  const namespaces = maintenance?.list() ?? [];
  const sum = (field: "blocks" | "tokens" | "bytes") =>
    namespaces.reduce((total, usage) => total + usage[field], 0);
  const total = { blocks: sum("blocks"), tokens: sum("tokens"), bytes: sum("bytes") };
  if (flags.json) return printJson({ folder: flags.cacheDir, namespaces, ...total });
  if (namespaces.length === 0) return print(nothingIn(flags));
  const rows = [
    ["model", "blocks", "tokens", "size", "namespace"],
    ...namespaces.map((usage) => rowOf(usage)),
    ["together", String(total.blocks), String(total.tokens), formatBytes(total.bytes), ""],
  ];
  return print(`${flags.cacheDir}\n\n${columns(rows)}`);
}

function rowOf({ label, namespace, blocks, tokens, bytes }: NamespaceUsage): string[] {
  // Names of files may hold anything.
  const name = (label ?? "-").replace(/\p{Cc}/gu, "\ufffd");
  return [name, String(blocks), String(tokens), formatBytes(bytes), namespace.slice(0, 16)];
}

/** Numbers end at the same column, as do sizes; text begins there. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    row
      .map((text, column) =>
        column === 0 || column === row.length - 1
          ? text.padEnd(widths[column]!)
          : text.padStart(widths[column]!),
      )
      .join("  ")
      .trimEnd();
  return rows.map((row) => `${line(row)}\n`).join("");
}

async function verify(maintenance: Maintenance, flags: CacheFlags): Promise<void> {
  const report = maintenance?.verify({
    damaged: flags.fix ? "remove" : "report",
    ...(process.stderr.isTTY ? { progress: showProgress } : {}),
  }) ?? { blocks: 0, bytes: 0, damaged: [], orphans: 0 };
  if (process.stderr.isTTY && report.blocks > 0) process.stderr.write("\n");
  const { blocks, bytes, damaged, orphans } = report;
  const removed = flags.fix ? damaged.length : 0;
  if (damaged.length > removed) process.exitCode = 1;
  if (flags.json) return printJson({ folder: flags.cacheDir, ...report, removed });
  if (!maintenance) return print(nothingIn(flags));
  const lines = damaged.map(({ path, reason }) => `${path}: ${reason}\n`);
  const verdict = damaged.length === 0 ? "all sound" : `${damaged.length} damaged`;
  const advice = flags.fix ? ", removed" : "; remove them: cria cache verify --fix";
  lines.push(`${blocks} blocks, ${formatBytes(bytes)}: ${verdict}${damaged.length > 0 ? advice : ""}\n`);
  if (orphans > 0) lines.push(`${orphans} files belong to no block; remove them: cria cache prune\n`);
  return print(lines.join(""));
}

const progressStep = 16;

function showProgress(done: number, total: number): void {
  if (done % progressStep === 0 || done === total) process.stderr.write(`\r${done} of ${total} blocks`);
}

async function prune(maintenance: Maintenance, flags: CacheFlags): Promise<void> {
  const mostBytes = flags.all
    ? 0
    : flags.maxMib === undefined
      ? Number.POSITIVE_INFINITY
      : flags.maxMib * 2 ** 20;
  const pruned = maintenance?.prune({ mostBytes }) ?? { blocks: 0, bytes: 0, orphans: 0 };
  const left = maintenance?.bytes ?? 0;
  if (flags.json) return printJson({ folder: flags.cacheDir, ...pruned, left });
  if (!maintenance) return print(nothingIn(flags));
  const { blocks, bytes, orphans } = pruned;
  return print(
    `removed ${blocks} blocks (${formatBytes(bytes)}) and ${orphans} files of no block; ${formatBytes(left)} are left\n`,
  );
}

function printJson(value: unknown): Promise<void> {
  return print(`${JSON.stringify(value, null, 2)}\n`);
}
