import type { Command } from "commander";

import { metadataNumber } from "../../lib/gguf-header.ts";
import { embeddedModelPath } from "../embedded-model.ts";
import { checkGguf, readGgufFile } from "../gguf-file.ts";
import { integer } from "./options.ts";

interface InspectFlags {
  ctxSize?: number;
  tensors?: boolean;
  json?: boolean;
}

export function addInspectCommand(program: Command): void {
  program
    .command("inspect")
    .description("Show what a GGUF file holds and how much memory it would need; nothing is loaded.")
    .argument("[file]", "GGUF file (default: the tiny model that comes with cria)")
    .option("-c, --ctx-size <n>", "context to estimate the memory for", integer, 4096)
    .option("--tensors", "list all tensors")
    .option("--json", "print as JSON")
    .action((file: string | undefined, flags: InspectFlags) => inspect(file ?? embeddedModelPath(), flags));
}

export interface MemoryEstimate {
  contextLength: number;
  weightsBytes: number;
  kvCacheBytes: number;
}

/** Bytes of weights and of an f16 KV cache; what computing needs comes on top. Undefined parts are unknown shapes. */
export function estimateMemory(path: string, contextLength: number): MemoryEstimate {
  const header = readGgufFile(path);
  const summary = checkGguf(path);
  const own = (key: string) => metadataNumber(header, `${summary.architecture}.${key}`);
  const heads = own("attention.head_count") ?? 0;
  const kvHeads = own("attention.head_count_kv") ?? heads;
  const width = heads > 0 ? (summary.embeddingLength ?? 0) / heads : 0;
  const keyLength = own("attention.key_length") ?? width;
  const valueLength = own("attention.value_length") ?? width;
  const f16 = 2;
  const kvCacheBytes = contextLength * (summary.layerCount ?? 0) * kvHeads * (keyLength + valueLength) * f16;
  return { contextLength, weightsBytes: summary.dataSize, kvCacheBytes };
}

const units = ["B", "KiB", "MiB", "GiB", "TiB"];

export function formatBytes(bytes: number): string {
  const power = bytes > 0 ? Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10)) : 0;
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

async function inspect(path: string, flags: InspectFlags): Promise<void> {
  const header = readGgufFile(path);
  const summary = checkGguf(path);
  const memory = estimateMemory(path, flags.ctxSize ?? 4096);
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
    process.stdout.write(
      `${JSON.stringify(value, (_, item) => (typeof item === "bigint" ? Number(item) : item), 2)}\n`,
    );
    return;
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
    [`memory: KV cache at ${memory.contextLength}`, `${formatBytes(memory.kvCacheBytes)} (f16)`],
    [
      "memory: together",
      `${formatBytes(memory.weightsBytes + memory.kvCacheBytes)} and what computing needs`,
    ],
  ];
  print(lines);
  process.stdout.write("\nmetadata\n");
  print(metadata.map(([key, value]) => [`  ${key}`, value]));
  if (!flags.tensors) return;
  process.stdout.write("\ntensors\n");
  print(
    tensors.map(({ name, type, shape, byteLength }) => [
      `  ${name}`,
      `${type} [${shape.join(", ")}] ${formatBytes(byteLength)}`,
    ]),
  );
}

function print(lines: readonly (readonly [string, string])[]): void {
  const width = Math.max(...lines.map(([label]) => label.length));
  for (const [label, value] of lines) process.stdout.write(`${label.padEnd(width)}  ${value}\n`);
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
