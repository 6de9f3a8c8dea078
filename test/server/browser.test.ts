import { afterAll, beforeAll, expect, setDefaultTimeout } from "bun:test";
import type { WorkerEngine } from "../../src/engine/worker-engine.ts";
import { requireOrSkip } from "../require.ts";
import { chromium, servePages, withPage } from "../support/browser.ts";
import { idle, type Listening, listen, loadEngine } from "../support/server.ts";

// A browser takes its time to start on a busy machine.
setDefaultTimeout(60_000);
const test = requireOrSkip(chromium !== null, "there is no chromium; on Debian: apt-get install chromium");

let engine: WorkerEngine;
let server: Listening;
beforeAll(async () => {
  engine = await loadEngine();
  server = listen(engine, { apiKeys: ["key"] });
});
afterAll(async () => {
  await server.close();
  await engine.close();
});

/** Streams a chat into the page, asks without a key, leaves a stream, and reports what it saw. */
const page = (url: string) => `<!doctype html><meta charset="utf-8"><title>chat</title><p id="answer"></p>
<script type="module">
const answer = document.querySelector("#answer");
const ask = (body, headers = { Authorization: "Bearer key" }, signal) =>
  fetch("${url}/v1/chat/completions", {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify({ temperature: 0, stream: true, ...body }),
    signal,
  });
async function* events(response) {
  let rest = "";
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + piece).split("\\n\\n");
    rest = parts.pop();
    for (const part of parts) if (part.startsWith("data: ")) yield part.slice(6);
  }
}
const report = { origin: location.origin, chunks: 0, done: false };
try {
  const messages = [{ role: "user", content: "What is the capital of France?" }];
  for await (const data of events(await ask({ messages }))) {
    report.done = data === "[DONE]";
    if (report.done) break;
    report.chunks++;
    answer.textContent += JSON.parse(data).choices[0].delta.content ?? "";
  }
  const refused = await ask({ messages }, {});
  report.refused = { status: refused.status, type: (await refused.json()).error.type };
  const controller = new AbortController();
  const endless = await ask({ messages, ignore_eos: true }, undefined, controller.signal);
  for await (const data of events(endless)) break;
  controller.abort();
} catch (error) {
  report.error = String(error);
}
report.text = answer.textContent;
await fetch(location.href, { method: "POST", body: JSON.stringify(report) });
</script>`;

test("a page of another origin streams a chat, sees a refusal, and leaves a stream", async () => {
  await using pages = servePages({ "/chat": page(server.url) });
  const report = await withPage(`${pages.url}/chat`, () => pages.report("/chat"));
  const { chunks, ...rest } = JSON.parse(report);
  expect(rest).toEqual({
    origin: pages.url,
    done: true,
    text: "The capital of France is Paris.",
    refused: { status: 401, type: "authentication_error" },
  });
  expect(chunks).toBeGreaterThan(3);
  await idle(engine);
  expect((await engine.snapshot()).aborted).toBe(1);
});
