import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { basename } from "node:path";
import { pause } from "./serve-client.ts";

/** What a server has to hold: the settings that its command line gets. */
export interface Shape {
  readonly model: string;
  readonly parallel: number;
  /** Tokens of one request. */
  readonly contextLength: number;
  /** Folder for what outlives a server, where it can keep such things. */
  readonly cacheDir?: string;
}

/** A server to measure: one that runs already, or a command line to start. */
export interface Candidate {
  readonly label: string;
  readonly url?: string;
  /** With the place of {port}, {model}, {parallel} and {context}, which is the tokens of all requests together. */
  readonly command?: (shape: Shape, port: number) => readonly string[];
}

export interface Server {
  readonly label: string;
  readonly url: string;
  /** Milliseconds from the start to the first answer of /health that is well; NaN where it ran before. */
  readonly readyMs: number;
  /** Resident MiB right after; NaN where nobody can tell. */
  readonly residentMiB: number;
  stop(): Promise<void>;
}

const readyLimitMs = 120_000;
const children = new Set<ChildProcess>();

// Whatever becomes of the benchmark, no server outlives it.
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));

/** A port of the loopback interface that nobody listens on. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

function residentMiB(pid: number | undefined): number {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Number(kilobytes ?? Number.NaN) / 1024;
  } catch {
    return Number.NaN;
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(2000) });
    await response.text();
    return response.ok;
  } catch {
    return false;
  }
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  if (child.exitCode === null && child.signalCode === null) {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await ended;
    clearTimeout(timer);
  }
  children.delete(child);
}

/** The last characters of what a child says, to be told where it fails. */
function lastWords(child: ChildProcess): () => string {
  let text = "";
  const keep = (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-1000);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  return () => text;
}

/** Starts a candidate and waits until it is ready. @throws where it ends before that, or takes two minutes. */
export async function start(candidate: Candidate, shape: Shape): Promise<Server> {
  const { label, url: running, command } = candidate;
  if (running !== undefined) {
    if (!(await isReady(running))) throw new Error(`${label}: no answer from ${running}/health`);
    return { label, url: running, readyMs: Number.NaN, residentMiB: Number.NaN, stop: async () => {} };
  }
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const [program = "", ...args] = command!(shape, port);
  const started = performance.now();
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  children.add(child);
  const said = lastWords(child);
  let failed: Error | undefined;
  child.once("error", (error) => {
    failed = error;
  });
  while (!(await isReady(url))) {
    const ended = failed ?? (child.exitCode !== null || child.signalCode !== null);
    const late = performance.now() - started > readyLimitMs;
    if (ended || late) {
      if (!failed) await stop(child);
      children.delete(child);
      throw new Error(`${label} ${late ? "was not ready in time" : "ended"}: ${failed?.message ?? said()}`);
    }
    await pause(5);
  }
  const readyMs = performance.now() - started;
  return { label, url, readyMs, residentMiB: residentMiB(child.pid), stop: () => stop(child) };
}

/** cria from this tree, with the settings that are given to all. */
export const cria: Candidate = {
  label: "cria",
  command: ({ model, parallel, contextLength, cacheDir }, port) => [
    process.execPath,
    "src/cli/main.ts",
    "serve",
    ...["--host", "127.0.0.1", "--port", String(port), "-m", model, "-np", String(parallel)],
    ...["-c", String(contextLength), "--kv-cells", String(parallel * contextLength)],
    ...["-t", "1", "-fa", "off", "-lv", "1"],
    ...(cacheDir === undefined ? [] : ["--cache-dir", cacheDir]),
  ],
};

/** A peer by its URL or its command line; words are parted by spaces. */
export function peer(text: string): Candidate {
  if (/^https?:\/\//.test(text)) return { label: new URL(text).host, url: text.replace(/\/+$/, "") };
  const words = text.split(/\s+/).filter((word) => word !== "");
  return {
    label: basename(words[0] ?? ""),
    command: ({ model, parallel, contextLength }, port) => {
      const values = { port, model, parallel, context: parallel * contextLength };
      return words.map((word) =>
        word.replace(/\{(port|model|parallel|context)\}/g, (_, name) =>
          String(values[name as keyof typeof values]),
        ),
      );
    },
  };
}
