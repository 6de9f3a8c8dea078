import { heapStats } from "bun:jsc";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embeddedModelPath } from "../src/embedded-model.ts";
import { WorkerEngine } from "../src/engine/worker-engine.ts";
import { createApp } from "../src/server/index.ts";
import { fieldNames as names, spoiltShapes } from "./support/fuzz-shapes.ts";
import { printTable } from "./support/table.ts";

export const help = `bun run bench fuzz-server [--requests N] [--seed N] [--at-once N]
Sends a server on the embedded model N requests (20,000 by default), 16 at once, of a seeded random: bodies with wrong
types, missing and unknown fields, huge numbers, deep nesting, long text, broken UTF-8, hostile grammars and template
arguments, wrong ids, paths, methods and headers, connections that stop half way and clients that leave. Prints statuses,
objects and resident memory at rest at every tenth of the way, and ends with status 1 where any answer was a 500 or told of
the code, any request took more than 30 s, the decoding thread died, something was left, or a good request failed after all.`;

type Random = () => number;

/** Mulberry32. */
function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const below = (random: Random, count: number) => Math.floor(random() * count);
const pick = <T>(random: Random, list: readonly T[]): T => list[below(random, list.length)]!;

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

const grammars = [
  'root ::= "yes" | "no"',
  "root ::= [a-z]+",
  "root ::= root",
  'root ::= root "a" | "a"',
  "root ::= (",
  'root ::= ""',
  'root ::= ((("a"*)*)*)*',
  'root ::= "a"{0,2000000000}',
  `root ::= ${"(".repeat(500)}"a"${")".repeat(500)}`,
  `root ::= ${'"a" | '.repeat(3000)}"a"`,
  "root ::= [^\\x00-\\U0010FFFF]",
  "root ::= [\\U00110000-\\UFFFFFFFF]",
  'root ::= a\na ::= b\nb ::= a | "x"',
  "\0",
  'start ::= "a"',
  `root ::= ${Array.from({ length: 40 }, (_, index) => `r${index}`).join(" ")}`,
  `${Array.from({ length: 30 }, (_, index) => `r${index} ::= r${index + 1} r${index + 1}`).join("\n")}\nr30 ::= "a"?\nroot ::= r0`,
];

const values: readonly unknown[] = [
  ...[
    null,
    true,
    false,
    0,
    -0,
    -1,
    1,
    0.5,
    2,
    3,
    64,
    1e9,
    -1e9,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    1e308,
  ],
  ...["", "a", "0", "null", "\0", "\ud800", "🦙", "../x", "<|im_end|>", "{{ 7 * 7 }}", "x".repeat(20_000)],
  ...[[], {}, [[]], [null], [0], [-1], [1e9], ["a", 5], { a: 1 }, { "5": 1 }, { "-1": false }, { x: null }],
  ...[nested(70), nested(40), Array(3000).fill(5), Array(40).fill("a"), [{ id: 0, scale: 1e308 }]],
  ...[
    { __proto__: null, constructor: 1 },
    { type: "text", text: "a" },
    { role: "user", content: "a" },
  ],
  ...grammars,
];

const user = (content: unknown) => ({ role: "user", content });
const chat = { messages: [user("What is the capital of France?")], max_tokens: 8, temperature: 0 };

/** Good requests, to be spoilt. */
const requests: readonly (readonly [path: string, body: unknown])[] = [
  ["/v1/chat/completions", chat],
  ["/v1/chat/completions", { ...chat, stream: true, stream_options: { include_usage: true } }],
  ["/v1/chat/completions", { ...chat, logprobs: true, top_logprobs: 3, n: 2, stop: ["x"] }],
  ["/v1/chat/completions", { ...chat, ...spoiltShapes.tools }],
  ["/v1/chat/completions", { ...chat, ...spoiltShapes.format, stream: true }],
  [
    "/v1/chat/completions",
    { ...chat, ...spoiltShapes.tools, ...spoiltShapes.format, tool_format: "harmony" },
  ],
  ["/completion", { prompt: "Tom", n_predict: 8, json_schema: spoiltShapes.schema }],
  ["/v1/chat/completions/input_tokens", { messages: chat.messages, chat_template_kwargs: { a: 1 } }],
  ["/v1/completions", { prompt: "Once upon", max_tokens: 4, echo: true, logprobs: 2 }],
  ["/v1/completions", { prompt: [[5, 6], [7]], max_tokens: 4, stream: true, grammar: "root ::= [a-z ]+" }],
  ["/completion", { prompt: ["a", 5, "b"], n_predict: 4, n_probs: 2, response_fields: ["content"] }],
  ["/completion", { prompt: "Tom had", n_predict: 4, stream: true, return_tokens: true }],
  ["/v1/embeddings", { input: ["a red ball", "a cat"], encoding_format: "base64", dimensions: 16 }],
  ["/embedding", { content: "a red ball", embd_normalize: 2 }],
  ["/tokenize", { content: ["a", 5], with_pieces: true }],
  ["/detokenize", { tokens: [5, 6, 7] }],
  ["/apply-template", { messages: chat.messages, chat_template_kwargs: { enable_thinking: true } }],
  ["/lora-adapters", [{ id: 0, scale: 0.5 }]],
  ["/slots/0?action=save", { filename: "a.bin" }],
  ["/slots/1?action=restore", { filename: "a.bin" }],
  ["/slots/2?action=erase", {}],
];

/** Changes something at a random place of a value, which is not touched itself. */
function spoilt(random: Random, value: unknown): unknown {
  if (typeof value !== "object" || value === null || random() < 0.1) return pick(random, values);
  if (Array.isArray(value)) {
    const copy = [...value];
    const at = below(random, copy.length + 1);
    if (at === copy.length) copy.push(pick(random, values));
    else if (random() < 0.2) copy.splice(at, 1);
    else copy[at] = spoilt(random, copy[at]);
    return copy;
  }
  const copy: Record<string, unknown> = { ...value };
  const keys = Object.keys(copy);
  const choice = random();
  if (keys.length === 0 || choice < 0.5) copy[pick(random, names)] = pick(random, values);
  else if (choice < 0.6) delete copy[pick(random, keys)];
  else {
    const key = pick(random, keys);
    copy[key] = spoilt(random, copy[key]);
  }
  return copy;
}

/** Changes bytes of a body. */
function damaged(random: Random, text: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(text);
  const choice = random();
  if (choice < 0.3) return bytes.slice(0, below(random, bytes.length + 1));
  if (choice < 0.4) return new TextEncoder().encode(pick(random, ["[", '{"a":']).repeat(50_000));
  for (let count = 0; count < 3 && bytes.length > 0; count++)
    bytes[below(random, bytes.length)] = below(random, 256);
  return bytes;
}

const odd = [
  "/",
  "/v1",
  "/v1/",
  "//",
  "/slots/-1?action=save",
  "/slots/9?action=erase",
  "/slots/0",
  "/models/x",
  "/%00",
];
const known = [
  "/health",
  "/props",
  "/slots",
  "/metrics",
  "/lora-adapters",
  "/v1/models",
  "/openapi.json",
  "/docs",
];
const methods = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"];
const types = [
  "application/json",
  "text/plain",
  "multipart/form-data; boundary=x",
  "",
  "application/json; charset=utf-16",
];

class Fuzzer {
  readonly statuses = new Map<string, number>();
  /** Kinds of faults, each with how often it came and the first request. */
  readonly faults = new Map<string, { times: number; readonly first: string }>();
  slowest = { milliseconds: 0, what: "" };
  readonly #url: URL;
  readonly #held: Socket[] = [];

  constructor(url: string) {
    this.#url = new URL(url);
  }

  /** One request of whatever kind. */
  async once(random: Random): Promise<void> {
    const kind = random();
    if (kind < 0.08) return this.#raw(random);
    if (kind < 0.16) {
      const path = random() < 0.5 ? pick(random, odd) : pick(random, known);
      const method = pick(random, methods);
      const headers: Record<string, string> = {};
      if (random() < 0.3) headers[`X-${"a".repeat(50)}`] = "b".repeat(below(random, 20_000));
      if (random() < 0.3) headers.Authorization = `Bearer ${"c".repeat(below(random, 5000))}`;
      if (random() < 0.3)
        headers.Origin = pick(random, ["null", "https://x.example", "\u00ff", "a".repeat(3000)]);
      return this.#send(path, { method, headers });
    }
    const [path, good] = pick(random, requests);
    let body = good;
    for (let times = below(random, 4); times > 0; times--) body = spoilt(random, body);
    let bytes: string | Uint8Array<ArrayBuffer> = JSON.stringify(body) ?? "";
    if (random() < 0.1) bytes = damaged(random, bytes);
    const headers = { "Content-Type": pick(random, types) };
    const leaves = random() < 0.05 ? new AbortController() : undefined;
    if (leaves) setTimeout(() => leaves.abort(), below(random, 20));
    return this.#send(path, { method: "POST", headers, body: bytes }, leaves?.signal);
  }

  close(): void {
    for (const socket of this.#held) socket.destroy();
  }

  #fault(kind: string, first: string): void {
    const known = this.faults.get(kind);
    if (known) known.times++;
    else this.faults.set(kind, { times: 1, first });
  }

  #count(what: string): void {
    this.statuses.set(what, (this.statuses.get(what) ?? 0) + 1);
  }

  async #send(path: string, init: RequestInit, leaves?: AbortSignal): Promise<void> {
    const what = `${init.method} ${path} ${typeof init.body === "string" ? init.body.slice(0, 400) : ""}`;
    const tooLong = AbortSignal.timeout(30_000);
    const started = performance.now();
    try {
      const signal = leaves ? AbortSignal.any([tooLong, leaves]) : tooLong;
      const response = await fetch(this.#url.origin + path, { ...init, signal });
      const text = await response.text();
      this.#count(String(response.status));
      this.#judge(response.status, text, what);
    } catch (error) {
      if (tooLong.aborted) this.#fault("no answer in 30 s", what);
      else if (!leaves?.aborted && !isClosed(error)) this.#fault(String(error), what);
      this.#count(leaves?.aborted ? "left" : "closed");
    }
    const milliseconds = performance.now() - started;
    if (milliseconds > this.slowest.milliseconds) this.slowest = { milliseconds, what };
  }

  #judge(status: number, text: string, what: string): void {
    const told = /"error":\{"code":(\d+),"message":"((?:[^"\\]|\\.)*)"/.exec(text);
    const message = told?.[2] ?? "";
    const internal =
      /is not a function|is not an object|undefined is|cannot read|call stack|out of memory|\.ts\b/i;
    if (status === 500 || told?.[1] === "500") this.#fault(`500 ${message}`, what);
    else if (/thread that owned the model/.test(message)) this.#fault(message, what);
    else if (internal.test(message)) this.#fault(`${status} ${message}`, what);
  }

  /** Bytes on a connection that stop somewhere, or are no HTTP. */
  async #raw(random: Random): Promise<void> {
    const socket = connect({ host: this.#url.hostname, port: Number(this.#url.port) });
    socket.on("error", () => {});
    socket.resume();
    const [path, body] = pick(random, requests);
    const text = JSON.stringify(body);
    const head = `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${text.length + below(random, 3) * 100}\r\n\r\n`;
    const whole = pick(random, [
      head + text,
      head + text + head + text,
      `POST ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"pro\r\nzz\r\n`,
      `GET ${"/x".repeat(10_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
      `GET / HTTP/1.1\r\n${"A: b\r\n".repeat(5000)}\r\n`,
      "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
      `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n${text}`,
      `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ]);
    await new Promise<void>((resolve) => {
      socket.once("close", () => resolve());
      socket.write(whole.slice(0, random() < 0.5 ? whole.length : below(random, whole.length)), () =>
        resolve(),
      );
    });
    this.#count("raw");
    this.#held.push(socket);
    if (this.#held.length > 50) this.#held.shift()!.destroy();
  }
}

/** A server may close the connection of whoever sends what is no HTTP. */
function isClosed(error: unknown): boolean {
  return /closed|reset|ECONN|EPIPE/i.test(`${String(error)} ${(error as { code?: string }).code}`);
}

function option(args: readonly string[], name: string, fallback: number): number {
  const at = args.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(args[at + 1]);
}

/** Resident memory of server and clients, once the decoding thread has rested and given back what it does not need. */
async function resident(): Promise<number> {
  Bun.gc(true);
  await Bun.sleep(2000);
  Bun.gc(true);
  return process.memoryUsage.rss() / 2 ** 20;
}

/** What is wrong once all requests are over. */
async function afterwards(engine: WorkerEngine, url: string): Promise<string[]> {
  const wrong: string[] = [];
  const deadline = performance.now() + 30_000;
  while (engine.requestCount > 0 && performance.now() < deadline) await Bun.sleep(5);
  if (engine.requestCount > 0) wrong.push(`${engine.requestCount} requests are left running`);
  const slots = (await (await fetch(`${url}/slots`)).json()) as { is_processing: boolean }[];
  if (slots.some(({ is_processing }) => is_processing)) wrong.push("a slot is left busy");
  const send = (path: string, body: unknown) =>
    fetch(url + path, { method: "POST", body: JSON.stringify(body) });
  await send("/lora-adapters", [{ id: 0, scale: 0 }]);
  const answer = await (await send("/v1/chat/completions", { ...chat, max_tokens: 20 })).text();
  if (!answer.includes("The capital of France is Paris.")) wrong.push(`a good request got ${answer}`);
  return wrong;
}

export async function run(args: string[]): Promise<void> {
  const count = option(args, "requests", 20_000);
  const atOnce = option(args, "at-once", 16);
  const seed = option(args, "seed", 1);
  const folder = await mkdtemp(join(tmpdir(), "cria-fuzz-"));
  const path = embeddedModelPath();
  const adapters = [{ path: path.replace("tiny-chat-f16", "tiny-chat-pirate-lora"), scale: 0 }];
  const engine = await WorkerEngine.load(path, {
    contextLength: 512,
    parallel: 8,
    // Little, so that what is kept of prompts is not taken for a leak.
    cacheRam: 16,
    cells: 2048,
    threads: 1,
    adapters,
  });
  // Whatever a request has become, its text ends soon.
  const defaults = { t_max_predict_ms: 200 };
  const app = createApp(engine, { slotSavePath: folder, metrics: true, parallel: 8, adapters, defaults });
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: app.fetch });
  const url = `http://127.0.0.1:${server.port}`;
  const fuzzer = new Fuzzer(url);
  const rows: string[][] = [];
  const step = Math.max(1, Math.floor(count / 10));
  const started = performance.now();
  let first = 0;
  let number = 0;
  for (let done = 0; done < count; done += step) {
    let left = Math.min(step, count - done);
    const worker = async () => {
      // Each request has a random of its own, so that the order of answers changes nothing.
      while (left-- > 0) await fuzzer.once(seeded(seed * 1_000_003 + ++number));
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    const now = await resident();
    if (rows.length === 0) first = now;
    const seconds = (performance.now() - started) / 1000;
    const { objectCount } = heapStats();
    rows.push([
      String(done + step),
      seconds.toFixed(0),
      now.toFixed(1),
      (now - first).toFixed(1),
      String(objectCount),
    ]);
    if (process.stderr.isTTY) process.stderr.write(`\r${done + step}/${count}`);
  }
  fuzzer.close();
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  const wrong = await afterwards(engine, url);
  for (const [kind, { times, first }] of fuzzer.faults) wrong.push(`${times} times ${kind}; first: ${first}`);
  printTable(["requests", "seconds", "resident MiB", "growth MiB", "objects"], rows);
  printTable(
    ["answer", "times"],
    [...fuzzer.statuses].sort().map(([what, times]) => [what, String(times)]),
  );
  console.log(`slowest: ${fuzzer.slowest.milliseconds.toFixed(0)} ms, ${fuzzer.slowest.what.slice(0, 200)}`);
  console.log(`${wrong.length} kinds of faults`);
  for (const fault of wrong.slice(0, 20)) console.log(`- ${fault.slice(0, 600)}`);
  await server.stop(true);
  await engine.close();
  await rm(folder, { recursive: true });
  if (wrong.length > 0) process.exitCode = 1;
}
