import { type Command, Option } from "commander";
import { type CacheType, cacheTypes, maxContextLength } from "../context-options.ts";
import { embeddedModelPath } from "../embedded-model.ts";
import { checkGguf, readGgufFile } from "../gguf-file.ts";
import { estimateMemory } from "./memory-estimate.ts";
import { integer } from "./numbers.ts";
import { print } from "./output.ts";

interface InspectFlags {
  model?: string;
  ctxSize?: number;
  cacheTypeK: CacheType;
  cacheTypeV: CacheType;
  tensors?: boolean;
  json?: boolean;
}

export function addInspectCommand(program: Command): void {
  const kinds = Object.keys(cacheTypes);
  program
    .command("inspect")
    .description("Show what a GGUF file holds and how much memory it would need; nothing is loaded.")
    .argument("[file]", "GGUF file (default: the tiny model that comes with cria)")
    .option("-m, --model <file>", "the file, as other commands take it")
    .option(
      "-c, --ctx-size <n>",
      "context to estimate the memory for, 0 for the model's own (default: 4096 or the model's own, whichever is less)",
      integer(0, maxContextLength),
    )
    .addOption(
      new Option("--ctk, --cache-type-k <type>", "type of the K cache").choices(kinds).default("f16"),
    )
    .addOption(
      new Option("--ctv, --cache-type-v <type>", "type of the V cache").choices(kinds).default("f16"),
    )
    .option("--tensors", "list all tensors")
    .option("--json", "print as JSON")
    .action((file: string | undefined, flags: InspectFlags) => {
      if (file !== undefined && flags.model !== undefined) {
        throw new TypeError("give the file either alone or with --model, not both");
      }
      return inspect(file ?? flags.model ?? embeddedModelPath(), flags);
    });
}

const units = ["B", "KiB", "MiB", "GiB", "TiB"];

export function formatBytes(bytes: number): string {
  const power = bytes > 0 ? Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10)) : 0;
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

async function inspect(path: string, flags: InspectFlags): Promise<void> {
  const header = readGgufFile(path);
  const summary = checkGguf(path);
  const memory = estimateMemory(header, summary, flags);
  const metadata = [...header.metadata].map(([key, { value }]) => [key, describe(value)] as const);
  const tensors = summary.tensors.map(({ name, type, shape, byteLength }) => ({
    name,
    type,
    shape: Array.from(shape, Number),
    byteLength,
  }));
  if (flags.json) {
    const types = Object.fromEntries(summary.tensorTypes);
    const value = { ...summary, tensorTypes: types, tensors, metadata: Object.fromEntries(metadata), memory };
    const json = JSON.stringify(value, (_, item) => (typeof item === "bigint" ? Number(item) : item), 2);
    return print(`${json}\n`);
  }
  const lines: [string, string][] = [
    ["file", `${path} (${formatBytes(summary.fileSize)})`],
    ["name", summary.name ?? "-"],
    ["architecture", summary.architecture ?? "-"],
    ["parameters", summary.parameterCount.toLocaleString("en")],
    ["type", summary.fileType ?? "-"],
    ["layers", String(summary.layerCount ?? "-")],
    ["embedding", String(summary.embeddingLength ?? "-")],
    ["trained context", String(summary.contextLength ?? "-")],
    ["vocabulary", String(summary.vocabularySize)],
    ...[...summary.tensorTypes].map(
      ([type, { count, byteLength }]) =>
        [`${type} tensors`, `${count} (${formatBytes(byteLength)})`] as [string, string],
    ),
    ["memory: weights", formatBytes(memory.weightsBytes)],
    [
      `memory: KV cache at ${memory.contextLength}`,
      `${formatBytes(memory.kvCacheBytes)} (K ${flags.cacheTypeK}, V ${flags.cacheTypeV})`,
    ],
    [
      "memory: together",
      `${formatBytes(memory.weightsBytes + memory.kvCacheBytes)} and what computing needs`,
    ],
  ];
  const sections = [table(lines), "\nmetadata\n", table(metadata.map(([key, text]) => [`  ${key}`, text]))];
  if (flags.tensors) {
    const rows = tensors.map(({ name, type, shape, byteLength }) => {
      return [`  ${name}`, `${type} [${shape.join(", ")}] ${formatBytes(byteLength)}`] as const;
    });
    sections.push("\ntensors\n", table(rows));
  }
  await print(sections.join(""));
}

/** Labels and values in two columns. */
function table(lines: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...lines.map(([label]) => label.length));
  return lines.map(([label, value]) => `${label.padEnd(width)}  ${value}\n`).join("");
}

const shownLength = 100;

/** A metadata value on one line: long text is cut, arrays are counted, control characters are escaped. */
function describe(value: unknown): string {
  if (typeof value === "object" && value !== null && "length" in value)
    return `[${(value as { length: number }).length} values]`;
  if (typeof value !== "string") return String(value);
  const text = JSON.stringify(value);
  return text.length > shownLength ? `${text.slice(0, shownLength)}… (${value.length} characters)` : text;
}
