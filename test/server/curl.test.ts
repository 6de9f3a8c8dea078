import { afterAll, beforeAll, expect } from "bun:test";
import type { WorkerEngine } from "../../src/engine/worker-engine.ts";
import { requireOrSkip } from "../require.ts";
import { type Listening, listen, loadEngine, question } from "../support/server.ts";

const test = requireOrSkip(Bun.which("curl") !== null, "there is no curl");

let engine: WorkerEngine;
let server: Listening;
beforeAll(async () => {
  engine = await loadEngine();
  server = listen(engine);
});
afterAll(async () => {
  await server.close();
  await engine.close();
});

async function curl(...args: string[]) {
  const child = Bun.spawn(["curl", "--silent", "--show-error", "--max-time", "20", ...args], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const [output, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { status: await child.exited, output, errors };
}

const body = (more = {}) => JSON.stringify({ ...question("What is the capital of France?"), ...more });

test("curl -d without a content type is answered with JSON", async () => {
  const { status, output } = await curl(`${server.url}/v1/chat/completions`, "-d", body());
  expect(status).toBe(0);
  expect(JSON.parse(output).choices[0].message.content).toBe("The capital of France is Paris.");
});

test("curl -N prints a stream up to its [DONE], without an error from curl", async () => {
  const { status, output, errors } = await curl(
    "-N",
    "-i",
    `${server.url}/v1/chat/completions`,
    "-d",
    body({ stream: true }),
  );
  expect([status, errors]).toEqual([0, ""]);
  expect(output).toMatch(/^HTTP\/1\.1 200/);
  expect(output).toMatch(/^content-type: text\/event-stream/im);
  expect(output).toMatch(/^cache-control: no-cache/im);
  expect(output).toEndWith("data: [DONE]\n\n");
  const events = output.split("\r\n\r\n")[1]!.trim().split("\n\n").slice(0, -1);
  const text = events.map((event) => JSON.parse(event.replace(/^data: /, "")).choices[0].delta.content ?? "");
  expect(text.join("")).toBe("The capital of France is Paris.");
});

test("curl --fail sees a refusal", async () => {
  const { status } = await curl("--fail", `${server.url}/v1/chat/completions`, "-d", "{}");
  expect(status).toBe(22);
});

test("curl with Expect: 100-continue and a large body", async () => {
  const content = "red ball ".repeat(50_000);
  const child = Bun.spawn(
    ["curl", "-s", "--max-time", "20", "-H", "Expect: 100-continue", "-d", "@-", `${server.url}/tokenize`],
    { stdin: new TextEncoder().encode(JSON.stringify({ content })), stdout: "pipe" },
  );
  expect(JSON.parse(await new Response(child.stdout).text()).tokens.length).toBeGreaterThan(90_000);
});
