import { embeddedModelPath } from "../../src/embedded-model.ts";
import type { EngineOptions } from "../../src/engine/engine-options.ts";
import { WorkerEngine } from "../../src/engine/worker-engine.ts";
import { type App, createApp, type ServerOptions } from "../../src/server/index.ts";

/** An app on a port of its own; closing it leaves the engine alone. */
export interface Listening extends AsyncDisposable {
  readonly app: App;
  /** Without a slash at its end. */
  readonly url: string;
  close(): Promise<void>;
}

/** An engine on the embedded model. */
export function loadEngine(options: EngineOptions = {}): Promise<WorkerEngine> {
  return WorkerEngine.load(embeddedModelPath(), { threads: 1, contextLength: 2048, ...options });
}

/** Serves an app over an engine on a free port of this machine alone. */
export function listen(engine: WorkerEngine, options: ServerOptions = {}): Listening {
  const app = createApp(engine, options);
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: app.fetch });
  const close = () => server.stop(true);
  return { app, url: `http://127.0.0.1:${server.port}`, close, [Symbol.asyncDispose]: close };
}

/** What came back, with the body as JSON where it is that. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Awaited<ReturnType<Response["json"]>>;
}

async function reply(response: Response): Promise<Reply> {
  const text = await response.text();
  const { status, headers } = response;
  const isJson = headers.get("content-type")?.startsWith("application/json") ?? false;
  return { status, headers, text, json: isJson ? JSON.parse(text) : undefined };
}

/** Sends a body: text and bytes as they are, anything else as JSON. */
export async function post(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  const raw = typeof body === "string" || body instanceof Uint8Array;
  return reply(
    await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: raw ? (body as string) : JSON.stringify(body),
    }),
  );
}

export async function get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
  return reply(await fetch(url, { headers }));
}

/** A stream of events, read to its end. */
export interface EventLog {
  readonly status: number;
  readonly chunks: Reply["json"][];
  readonly comments: readonly string[];
  /** Whether it ended with `[DONE]`. */
  readonly done: boolean;
}

/** Asks for a stream and reads all of it. */
export async function stream(url: string, body: object): Promise<EventLog> {
  const { status, text } = await post(url, { ...body, stream: true });
  const events = text.split("\n\n").slice(0, -1);
  const data = events.filter((event) => event.startsWith("data: ")).map((event) => event.slice(6));
  const done = data.at(-1) === "[DONE]";
  return {
    status,
    chunks: (done ? data.slice(0, -1) : data).map((line) => JSON.parse(line)),
    comments: events.filter((event) => event.startsWith(":")),
    done,
  };
}

/** Waits for a condition, looking again and again. @throws where it does not come true. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const started = performance.now();
  while (!(await condition())) {
    if (performance.now() - started > 10_000) throw new Error(`waited in vain: ${what}`);
    await Bun.sleep(1);
  }
}

/** Waits until an engine has nothing to do. */
export function idle(engine: WorkerEngine): Promise<void> {
  return until("the engine has no requests", () => engine.requestCount === 0);
}

/** A chat of one question, greedy. */
export const question = (content: string) => ({ messages: [{ role: "user", content }], temperature: 0 });

/** A request that goes on until somebody stops it or the context is full. */
export const endless = { prompt: "Once upon a time", ignore_eos: true, temperature: 0 } as const;
