import { afterAll, expect, test } from "bun:test";
import { embeddedModelPath } from "../../src/embedded-model.ts";
import { WorkerEngine } from "../../src/engine/worker-engine.ts";
import { createApp } from "../../src/server/app.ts";
import { endpoints } from "../../src/server/openapi.ts";

const engine = await WorkerEngine.load(embeddedModelPath(), { threads: 1, contextLength: 256 });
afterAll(() => engine.close());
const app = createApp(engine);

/** Other names of endpoints, and what is there to say no. */
const undescribed = new Set([
  "GET /openapi.json",
  "GET /docs",
  "GET /v1/health",
  "POST /props",
  "POST /infill",
  "POST /completions",
  "POST /embeddings",
  "POST /chat/completions",
  "POST /chat/completions/input_tokens",
  "GET /models",
  "GET /models/:id{.+}",
]);

test("the description lists what is served, and nothing else", () => {
  const served = app.routes
    .filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => `${method} ${path}`)
    .filter((route) => !undescribed.has(route))
    .map((route) => route.replace(/:(\w+)(\{[^}]*\})?/g, "{$1}"));
  const described = endpoints.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  expect([...new Set(served)].sort()).toEqual(described.sort());
});

test("it is a document whose references lead somewhere, with the fields of a chat", async () => {
  const document = await (await app.request("/openapi.json")).json();
  expect(document.openapi).toBe("3.1.0");
  const chat = document.paths["/v1/chat/completions"].post.requestBody.content["application/json"].schema;
  expect(Object.keys(chat.properties)).toContain("messages");
  expect(chat.required).toEqual(["messages"]);
  expect(chat.additionalProperties).toBe(false);
  for (const [, name] of JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g))
    expect(document.components.schemas).toHaveProperty(name!);
});

test("the page names every endpoint and needs no script", async () => {
  const page = await (await app.request("/docs")).text();
  for (const { path } of endpoints) expect(page).toContain(`<code>${path}</code>`);
  expect(page).not.toContain("<script");
});
