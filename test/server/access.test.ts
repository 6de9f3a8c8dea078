import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { WorkerEngine } from "../../src/engine/worker-engine.ts";
import { drain } from "../../src/server/index.ts";
import { endless, get, idle, listen, loadEngine, post, question, until } from "../support/server.ts";

setDefaultTimeout(30_000);

let engine: WorkerEngine;
beforeAll(async () => {
  engine = await loadEngine();
});
afterAll(() => engine.close());

const bearer = (key: string) => ({ Authorization: `Bearer ${key}` });

describe("keys", () => {
  test("any of them opens, as a bearer token or in X-Api-Key", async () => {
    await using server = listen(engine, { apiKeys: ["first", "second key"] });
    const tokenize = (headers: Record<string, string>) =>
      post(`${server.url}/tokenize`, { content: "a" }, headers);
    const right = [
      bearer("first"),
      bearer("second key"),
      { "X-Api-Key": "first" },
      { authorization: "bearer first" },
    ];
    for (const headers of right) expect((await tokenize(headers)).status).toBe(200);
    const wrong = [
      {},
      bearer("First"),
      bearer("first second key"),
      bearer(""),
      { Authorization: "first" },
      { Authorization: "Basic first" },
      { "X-Api-Key": "" },
      { "X-Api-Key": "firs" },
      { ...bearer("wrong"), "X-Api-Key": "wrong" },
    ];
    for (const headers of wrong) {
      const { status, json } = await tokenize(headers);
      expect([headers, status]).toEqual([headers, 401]);
      expect(json.error.type).toBe("authentication_error");
      expect(json.error.message).not.toContain("first");
    }
  });

  test("without one only what tells of health, models and endpoints is open", async () => {
    await using server = listen(engine, { apiKeys: ["key"], metrics: true });
    for (const path of ["/health", "/v1/health", "/v1/models", "/models", "/docs", "/openapi.json"])
      expect([path, (await get(server.url + path)).status]).toEqual([path, 200]);
    for (const path of ["/props", "/slots", "/metrics", "/lora-adapters", "/none"])
      expect([path, (await get(server.url + path)).status]).toEqual([path, 401]);
    const document = (await get(`${server.url}/openapi.json`)).json;
    const posts = Object.entries<object>(document.paths).filter(([, methods]) => "post" in methods);
    expect(posts.length).toBeGreaterThan(8);
    for (const [path] of posts) {
      const { status } = await post(server.url + path.replace("{id}", "0"), "{}");
      expect([path, status]).toEqual([path, 401]);
    }
  });

  test("other spellings of a path open nothing", async () => {
    await using server = listen(engine, { apiKeys: ["key"] });
    const body = { prompt: "a", content: "a", n_predict: 1 };
    const spellings = [
      "/completion/",
      "//completion",
      "/%63ompletion",
      "/completion?/health",
      "/completion#/health",
      "/health/../completion",
      "/completion;/health",
      "/COMPLETION",
      "/v1/models/../completions",
      "/v1//completions",
      "/slots/health?action=erase",
      "/slots/0/health?action=erase",
      "/slots/models?action=erase",
    ];
    for (const path of spellings) {
      const { status } = await post(server.url + path, body);
      expect([path, [400, 401, 404].includes(status)]).toEqual([path, true]);
    }
  });

  test("mounted in another app they hold as well", async () => {
    await using server = listen(engine, { apiKeys: ["key"] });
    const { Hono } = await import("hono");
    const outer = new Hono().route("/llm", server.app);
    const tokenize = { method: "POST", body: '{"content": "a"}' };
    expect((await outer.request("/llm/health")).status).toBe(200);
    expect((await outer.request("/llm/tokenize", tokenize)).status).toBe(401);
    expect((await outer.request("/llm/tokenize", { ...tokenize, headers: bearer("key") })).status).toBe(200);
  });
});

describe("pages of other origins", () => {
  const page = { Origin: "https://page.example" };
  const preflight = (url: string) =>
    fetch(url, {
      method: "OPTIONS",
      headers: {
        ...page,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
      },
    });

  test("may ask, and read answers and errors alike", async () => {
    await using server = listen(engine, { apiKeys: ["key"] });
    // A browser sends no key with its preflight.
    const { status, headers } = await preflight(`${server.url}/v1/chat/completions`);
    expect(status).toBe(204);
    expect(headers.get("access-control-allow-origin")).toBe("*");
    expect(headers.get("access-control-allow-methods")).toContain("POST");
    expect(headers.get("access-control-allow-headers")).toContain("authorization");
    const send = (path: string, more = {}) => post(server.url + path, question("hi"), { ...page, ...more });
    const replies = [
      await send("/v1/chat/completions", bearer("key")),
      await send("/v1/chat/completions"),
      await send("/none", bearer("key")),
      await send("/v1/completions", bearer("key")),
    ];
    expect(replies.map(({ status }) => status)).toEqual([200, 401, 404, 400]);
    for (const { headers } of replies) expect(headers.get("access-control-allow-origin")).toBe("*");
  });

  test("only those named, where some are, and none where none are wanted", async () => {
    await using some = listen(engine, { cors: ["https://page.example", "http://localhost:3000"] });
    const allowed = async (url: string, origin: string) =>
      (await get(`${url}/health`, { Origin: origin })).headers.get("access-control-allow-origin");
    expect(await allowed(some.url, "https://page.example")).toBe("https://page.example");
    expect(await allowed(some.url, "https://page.example.evil")).toBeNull();
    await using none = listen(engine, { cors: false });
    expect(await allowed(none.url, "https://page.example")).toBeNull();
    expect((await preflight(`${none.url}/health`)).headers.get("access-control-allow-origin")).toBeNull();
  });
});

test("a server that drains takes nothing new, and finishes what runs", async () => {
  await using server = listen(engine);
  const request = { ...endless, n_predict: 300, stream: true };
  const running = await fetch(`${server.url}/completion`, { method: "POST", body: JSON.stringify(request) });
  expect(running.status).toBe(200);
  drain(server.app);
  const refused = await post(`${server.url}/v1/chat/completions`, question("hi"));
  expect([refused.status, refused.json.error.type]).toEqual([503, "unavailable_error"]);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await get(`${server.url}/health`)).status).toBe(503);
  expect((await get(`${server.url}/v1/models`)).status).toBe(200);
  expect(await running.text()).toContain('"stop":true');
});

describe("maxRequests", () => {
  test("refuses more, and takes some again when there is room", async () => {
    await using server = listen(engine, { maxRequests: 1 });
    const controller = new AbortController();
    const running = await fetch(`${server.url}/completion`, {
      method: "POST",
      body: JSON.stringify({ ...endless, stream: true }),
      signal: controller.signal,
    });
    for (const stream of [false, true]) {
      const { status, headers, json } = await post(`${server.url}/completion`, { prompt: "a", stream });
      expect([status, json.error.type]).toEqual([503, "unavailable_error"]);
      expect(headers.get("retry-after")).toBe("1");
    }
    expect((await post(`${server.url}/v1/embeddings`, { input: "a" })).status).toBe(503);
    controller.abort();
    await running.text().catch(() => {});
    await idle(engine);
    expect((await post(`${server.url}/completion`, { prompt: "a", n_predict: 1 })).status).toBe(200);
  });

  const several = { ...endless, prompt: Array(3).fill(endless.prompt), n_predict: 1900 };
  test.each([
    ["n", "/v1/completions", { ...endless, max_tokens: -1, n: 3 }],
    ["n, streamed", "/v1/completions", { ...endless, max_tokens: -1, n: 3, stream: true }],
    ["chat", "/v1/chat/completions", { ...question("hi"), ignore_eos: true, n: 3 }],
    ["llama-server's prompts", "/completion", several],
  ])("a request of more answers than there is room for leaves nothing running: %s", async (_, path, body) => {
    await using own = await loadEngine();
    await using server = listen(own, { maxRequests: 3 });
    const other = own.submit({ prompt: endless.prompt, ignoreEos: true });
    // In process nothing but the app itself could end them.
    const response = await server.app.request(path, { method: "POST", body: JSON.stringify(body) });
    expect(response.status).toBe(503);
    other.cancel();
    await idle(own);
    expect((await own.snapshot()).generatedTokens).toBeLessThan(1000);
  });
});

test("more answers than could ever wait at once are the request's own fault", async () => {
  await using server = listen(engine, { maxRequests: 2 });
  for (const [path, body] of [
    ["/v1/completions", { prompt: "a", n: 3 }],
    ["/v1/chat/completions", { ...question("hi"), n: 3 }],
    ["/completion", { prompt: ["a", "b", "c"] }],
  ] as const) {
    const { status, json } = await post(server.url + path, body);
    expect([status, json.error.message]).toEqual([400, expect.stringContaining("3 answers at once")]);
  }
});

test("a slot that a slow reader has left is the next one's alone", async () => {
  await using server = listen(engine, { parallel: 1 });
  const open = async (body: object) => {
    const response = await server.app.request("/completion", {
      method: "POST",
      body: JSON.stringify({ ...endless, stream: true, ...body }),
    });
    return response.body!.getReader();
  };
  const busy = async () => (await get(`${server.url}/slots`)).json[0].is_processing as boolean;
  // Its last event has been taken from the engine, and its last chunk is not yet read.
  const slow = await open({ n_predict: 1 });
  await slow.read();
  await until("the slot is free", async () => !(await busy()));
  const next = await open({ n_predict: 1000 });
  await next.read();
  expect(await busy()).toBe(true);
  while (!(await slow.read()).done);
  expect(await busy()).toBe(true);
  await next.cancel();
  await until("the slot is free again", async () => !(await busy()));
});
