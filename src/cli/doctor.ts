import { existsSync, readdirSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import type { Command } from "commander";
import {
  ggml_backend_dev_type,
  type LibraryAttempt,
  loadLibrary,
  type Native,
  type Pointer,
  pinnedVersion,
} from "../../ffi/index.ts";
import { defaultThreadCount } from "../context-options.ts";
import { embeddedModelPath } from "../embedded-model.ts";
import { Model } from "../model.ts";
import { formatBytes } from "./inspect.ts";
import { print } from "./output.ts";

const packageVersion = "3.22.1";

export function addDoctorCommand(program: Command): void {
  program
    .command("doctor")
    .description("Show which library and devices are used, what is wrong, and how to mend it.")
    .option("--json", "print as JSON")
    .action(doctor);
}

export interface Device {
  name: string;
  description: string;
  type: string;
  memoryFree: number;
  memoryTotal: number;
}

/** All devices that ggml found. */
export function listDevices(native: Native): Device[] {
  const { c, memory } = native;
  const typeNames = new Map<number, string>(
    Object.entries(ggml_backend_dev_type).map(([name, value]) => [
      value,
      name.replace("GGML_BACKEND_DEVICE_TYPE_", ""),
    ]),
  );
  return Array.from({ length: c.ggml_backend_dev_count() }, (_, index) => {
    const props = native.struct("ggml_backend_dev_props");
    c.ggml_backend_dev_get_props(c.ggml_backend_dev_get(index), props.address);
    const text = (field: "name" | "description") => memory.readString(props.get(field) as Pointer) ?? "";
    return {
      name: text("name"),
      description: text("description"),
      type: typeNames.get(props.get("type")) ?? "unknown",
      memoryFree: props.get("memory_free"),
      memoryTotal: props.get("memory_total"),
    };
  });
}

/** GPUs that the system shows, whether or not a library for them is installed. */
function visibleGpus(): ("cuda" | "vulkan")[] {
  const found: ("cuda" | "vulkan")[] = [];
  if (existsSync("/proc/driver/nvidia/version") || existsSync("/dev/nvidia0")) found.push("cuda");
  const render = existsSync("/dev/dri")
    ? readdirSync("/dev/dri").some((name) => name.startsWith("renderD"))
    : false;
  if (render && found.length === 0) found.push("vulkan");
  return found;
}

function gpuAdvice(native: Native): string[] {
  if (native.library.gpu) return [];
  const system = process.platform === "win32" ? "win" : "linux";
  return visibleGpus().map((kind) => {
    const name = `@node-llama-cpp/${system}-${process.arch}-${kind}@${packageVersion}`;
    return `a GPU is present; to use it, install its library: npm install ${name}`;
  });
}

interface Report {
  runtime: string;
  system: string;
  ffi?: string;
  library?: string;
  origin?: string;
  version?: string;
  devices: Device[];
  tried: readonly LibraryAttempt[];
  threads: string;
  memory: string;
  problems: string[];
  advice: string[];
}

function runtimeName(): string {
  const { bun, deno, node } = process.versions as Record<string, string | undefined>;
  return bun ? `Bun ${bun}` : deno ? `Deno ${deno}` : `Node ${node}`;
}

async function examine(): Promise<Report> {
  const report: Report = {
    runtime: runtimeName(),
    system: `${process.platform} ${process.arch}`,
    devices: [],
    tried: [],
    threads: `${availableParallelism()} processors, ${defaultThreadCount()} compute threads by default`,
    memory: formatBytes(totalmem()),
    problems: [],
    advice: [],
  };
  try {
    const native = await loadLibrary();
    report.ffi = native.backend.name === "bun" ? "bun:ffi" : "koffi";
    report.library = native.library.llama;
    report.origin = native.library.origin;
    report.version = `${native.version} (cria knows v${pinnedVersion})`;
    report.devices = listDevices(native);
    report.tried = native.attempts.filter(
      ({ reason }) => !/^(not installed|no libllama in it)$/.test(reason),
    );
    report.advice.push(...gpuAdvice(native));
    if (report.devices.length === 0) {
      report.problems.push(
        "ggml found no device at all, not even the CPU; reinstall the platform package: npm install",
      );
    }
    using model = await Model.load(embeddedModelPath());
    if (model.vocab.size === 0) report.problems.push("the embedded model has no vocabulary; reinstall cria");
  } catch (error) {
    report.problems.push((error as Error).message);
  }
  return report;
}

async function doctor(flags: { json?: boolean }): Promise<void> {
  const report = await examine();
  if (report.problems.length > 0) process.exitCode = 1;
  return print(flags.json ? `${JSON.stringify(report, null, 2)}\n` : describe(report));
}

function describe(report: Report): string {
  const lines: string[] = [];
  const line = (label: string, value = "-") => lines.push(`${label.padEnd(10)} ${value}\n`);
  line("runtime", `${report.runtime}, ${report.system}`);
  line("ffi", report.ffi);
  line("library", report.library);
  line("found by", report.origin);
  line("version", report.version);
  line("threads", report.threads);
  line("memory", report.memory);
  for (const device of report.devices) {
    const size = `${formatBytes(device.memoryFree)} free of ${formatBytes(device.memoryTotal)}`;
    line("device", `${device.name} (${device.type}): ${device.description}, ${size}`);
  }
  for (const { place, reason } of report.tried) line("not taken", `${place}: ${reason}`);
  for (const advice of report.advice) line("advice", advice);
  for (const problem of report.problems) line("PROBLEM", problem);
  if (report.problems.length === 0) line("verdict", "all well");
  return lines.join("");
}
