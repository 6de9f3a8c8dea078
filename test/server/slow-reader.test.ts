import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect, type Socket } from "node:net";
import type { WorkerEngine } from "../../src/engine/worker-engine.ts";
import type { RequestEntry } from "../../src/server/index.ts";
import {
  endless,
  get,
  idle,
  type Listening,
  listen,
  loadEngine,
  post,
  question,
  until,
} from "../support/server.ts";

setDefaultTimeout(30_000);

const paris = "The capital of France is Paris.";
const france = question("What is the capital of France?");
/** Takes long enough to compute that somebody can leave meanwhile. */
const long = "The dog ran to the park. ".repeat(720);

const failures: unknown[] = [];
const requests: RequestEntry[] = [];
let engine: WorkerEngine;
let server: Listening;
beforeAll(async () => {
  engine = await loadEngine({ contextLength: 8192, cells: 16_384, batchSize: 256 });
  server = listen(engine, {
    keepAliveMs: 1,
    log: {
      request: (entry) => requests.push(entry),
      failure: (error) => failures.push(error),
    },
  });
});
afterAll(async () => {
  await server.close();
  await engine.close();
});

const send = (path: string, body: object, signal?: AbortSignal) =>
  fetch(server.url + path, { method: "POST", body: JSON.stringify(body), ...(signal ? { signal } : {}) });

async function allFree(): Promise<void> {
  await idle(engine);
  await until("all slots are free", async () => {
    const { json } = await get(`${server.url}/slots`);
    return json.every(({ is_processing }: { is_processing: boolean }) => !is_processing);
  });
}

/** Sends a request and reads nothing of what comes. */
async function ignore(path: string, body: object): Promise<Socket> {
  const text = JSON.stringify(body);
  const socket = connect({ host: "127.0.0.1", port: Number(new URL(server.url).port) });
  socket.on("error", () => {});
  socket.pause();
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
  await until("the request is there", () => engine.requestCount > 0);
  return socket;
}

describe("a client that reads nothing", () => {
  test("has no more computed than its window, while others are answered", async () => {
    const before = (await engine.snapshot()).generatedTokens;
    const generated = async () => (await engine.snapshot()).generatedTokens - before;
    const { body } = await server.app.request("/completion", {
      method: "POST",
      body: JSON.stringify({ ...endless, stream: true }),
    });
    await until("the window is full", async () => (await generated()) >= 256);
    let own = 0;
    for (let round = 0; round < 5; round++) {
      const { json } = await post(`${server.url}/v1/chat/completions`, france);
      expect(json.choices[0].message.content).toBe(paris);
      own += json.usage.completion_tokens;
    }
    expect((await generated()) - own).toBeLessThan(300);
    expect(engine.requestCount).toBe(1);
    await body!.cancel();
    await allFree();
  });

  test("of a socket holds nobody up, and what it asked for ends with it", async () => {
    const before = (await engine.snapshot()).aborted;
    // Each chunk is large, so that the buffers of the connection are soon full.
    const sockets = await Promise.all(
      [1, 2].map((seed) => ignore("/completion", { ...endless, seed, n_probs: 100, stream: true })),
    );
    for (let round = 0; round < 3; round++) {
      const { json } = await post(`${server.url}/v1/chat/completions`, france);
      expect(json.choices[0].message.content).toBe(paris);
    }
    expect(engine.requestCount).toBe(2);
    for (const socket of sockets) socket.destroy();
    await allFree();
    expect((await engine.snapshot()).aborted).toBe(before + 2);
  });
});

describe("a client that leaves", () => {
  const cases: [name: string, path: string, body: object][] = [
    ["a chat", "/v1/chat/completions", { ...question(long), cache_prompt: false }],
    ["a streamed chat", "/v1/chat/completions", { ...question(long), cache_prompt: false, stream: true }],
    ["a completion", "/v1/completions", { ...endless, prompt: long, cache_prompt: false }],
    ["llama-server's completion", "/completion", { ...endless, prompt: long, cache_prompt: false }],
    ["two answers", "/v1/completions", { ...endless, prompt: long, cache_prompt: false, n: 2, stream: true }],
  ];
  test.each(cases)("while the prompt of %s is computed", async (_, path, body) => {
    const before = await engine.snapshot();
    const controller = new AbortController();
    const response = send(path, body, controller.signal)
      .then((reply) => reply.text())
      .catch((error) => error);
    await until("it is computed", async () => {
      const { computedTokens, running } = await engine.snapshot();
      return running > 0 && computedTokens > before.computedTokens;
    });
    controller.abort();
    expect(((await response) as Error).name).toBe("AbortError");
    await allFree();
    const after = await engine.snapshot();
    expect(after.aborted).toBeGreaterThan(before.aborted);
    expect(after.generatedTokens).toBe(before.generatedTokens);
  });

  test("while its text is computed, streamed or not", async () => {
    for (const stream of [true, false]) {
      const before = await engine.snapshot();
      const controller = new AbortController();
      const response = send("/completion", { ...endless, stream }, controller.signal);
      const ended = response.then((reply) => reply.text()).catch((error) => error);
      await until("text is computed", async () => {
        return (await engine.snapshot()).generatedTokens > before.generatedTokens + 5;
      });
      controller.abort();
      expect(((await ended) as Error).name).toBe("AbortError");
      await allFree();
      const after = await engine.snapshot();
      expect(after.aborted).toBe(before.aborted + 1);
      expect(after.generatedTokens - before.generatedTokens).toBeLessThan(8000);
    }
  });

  test("half way through sending what it asks for", async () => {
    const before = (await engine.snapshot()).requests;
    const socket = connect({ host: "127.0.0.1", port: Number(new URL(server.url).port) });
    socket.write('POST /completion HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{"prompt": "a');
    await new Promise<void>((resolve) => socket.once("connect", resolve));
    socket.destroy();
    const { status } = await post(`${server.url}/completion`, { prompt: "a", n_predict: 1 });
    expect(status).toBe(200);
    expect((await engine.snapshot()).requests).toBe(before + 1);
  });

  test("is no failure of the server's, and no error in its statistics", async () => {
    failures.length = 0;
    requests.length = 0;
    for (const stream of [true, false]) {
      const controller = new AbortController();
      const response = send("/v1/completions", { ...endless, max_tokens: -1, stream }, controller.signal);
      const ended = response.then((reply) => reply.text()).catch((error) => error);
      await until("it is there", () => engine.requestCount === 1);
      controller.abort();
      await ended;
      await allFree();
    }
    const own = () => requests.filter(({ path }) => path === "/v1/completions");
    await until("both are answered", () => own().length === 2);
    expect(failures).toEqual([]);
    expect(own().filter(({ status }) => status >= 500)).toEqual([]);
  });
});

test("a long prompt is told of by comments, before the first event and between events", async () => {
  const response = await send("/v1/chat/completions", {
    ...question(long.slice(0, long.length / 5)),
    cache_prompt: false,
    max_tokens: 3,
    stream: true,
  });
  expect(response.headers.get("content-type")).toStartWith("text/event-stream");
  const events = (await response.text()).split("\n\n");
  expect(events[0]).toBe(": computing");
  const first = events.findIndex((event) => event.startsWith("data: "));
  expect(events.slice(1, first)).toContain(": keep-alive");
  expect(events.at(-2)).toBe("data: [DONE]");
});

test("an error behind the first events ends a stream without [DONE]", async () => {
  const response = await send("/v1/chat/completions", {
    ...question(long),
    cache_prompt: false,
    timeout_ms: 150,
    stream: true,
  });
  expect(response.status).toBe(200);
  const events = (await response.text()).trim().split("\n\n");
  expect(JSON.parse(events.at(-1)!.slice(6)).error).toMatchObject({ code: 408, type: "timeout_error" });
  await allFree();
});

test("the runtime is told that requests may be silent for long", async () => {
  const told: unknown[] = [];
  const request = new Request("http://localhost/tokenize", { method: "POST", body: '{"content": "a"}' });
  await server.app.fetch(request, { timeout: (...args: unknown[]) => told.push(...args) });
  expect(told).toEqual([request, 0]);
});
