import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { embeddedModelPath } from "../../src/embedded-model.ts";
import { WorkerEngine } from "../../src/engine/worker-engine.ts";
import { fixture } from "../fixtures/fixture-set.ts";
import { ask, generate } from "../support/engine-events.ts";

setDefaultTimeout(60_000);

const lora = embeddedModelPath().replace("tiny-chat-f16", "tiny-chat-pirate-lora");
const load = (options = {}) =>
  WorkerEngine.load(embeddedModelPath(), { threads: 1, contextLength: 1024, ...options });
let engine: WorkerEngine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.close());

const texts = Array.from({ length: 40 }, (_, index) =>
  `Tom has ${index} red balls. `.repeat(1 + (index % 9)),
);
const cosine = (a: Float32Array, b: Float32Array) => {
  const dot = a.reduce((sum, value, index) => sum + value * b[index]!, 0);
  return dot / (Math.hypot(...a) * Math.hypot(...b));
};

test("many at once are what each is alone, and generation goes on beside them", async () => {
  const alone = [];
  for (const input of texts) alone.push(await engine.embed({ input }));
  const [together, { text }] = await Promise.all([
    Promise.all(texts.map((input) => engine.embed({ input }))),
    generate(engine, ask("What is the capital of France?")),
  ]);
  expect(text).toBe("The capital of France is Paris.");
  for (const [index, { values, tokenCount, pooling }] of together.entries()) {
    expect(pooling).toBe("mean");
    expect(tokenCount).toBe(alone[index]!.tokenCount);
    expect(cosine(values, alone[index]!.values)).toBeGreaterThan(0.9999);
  }
  expect(cosine(together[0]!.values, together[1]!.values)).toBeLessThan(0.9999);
  const snapshot = await engine.snapshot();
  expect(snapshot.embeddings).toBe(2 * texts.length);
  expect(snapshot.waitingEmbeddings).toBe(0);
});

test("bad inputs fail alone", async () => {
  const answers = await Promise.allSettled([
    engine.embed({ input: texts[0]! }),
    engine.embed({ input: [] }),
    engine.embed({ input: [1e9] }),
    engine.embed({ input: "word ".repeat(2000) }),
    engine.embed({ input: texts[1]!, adapters: [{ id: 0, scale: 1 }] }),
    engine.embed({ input: texts[1]! }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([
    "fulfilled",
    "rejected",
    "rejected",
    "rejected",
    "rejected",
    "fulfilled",
  ]);
  const reasons = answers.map((answer) => (answer.status === "rejected" ? String(answer.reason) : ""));
  expect(reasons[1]).toMatch(/no tokens/);
  expect(reasons[2]).toMatch(/\[0\]/);
  expect(reasons[3]).toMatch(/at most 1024 can be embedded/);
  expect(reasons[4]).toMatch(/no adapter 0/);
  expect(engine.requestCount).toBe(0);
});

test("a signal gives one up, before it starts and while it waits", async () => {
  const reason = new Error("enough");
  await expect(engine.embed({ input: "a", signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const controller = new AbortController();
  const waiting = texts.map((input) => engine.embed({ input, signal: controller.signal }));
  controller.abort(reason);
  const outcomes = await Promise.allSettled(waiting);
  for (const outcome of outcomes) if (outcome.status === "rejected") expect(outcome.reason).toBe(reason);
  expect(outcomes.some(({ status }) => status === "rejected")).toBe(true);
  expect((await engine.embed({ input: "a" })).tokenCount).toBeGreaterThan(0);
});

test("adapters change embeddings, and are told apart", async () => {
  await using other = await load({ adapters: [{ path: lora }] });
  const input = texts[3]!;
  const { values: plain } = await engine.embed({ input });
  const [withIt, without] = await Promise.all([other.embed({ input }), other.embed({ input, adapters: [] })]);
  expect(cosine(without.values, plain)).toBeGreaterThan(0.9999);
  expect(cosine(withIt.values, plain)).toBeLessThan(0.9999);
});

test("an encoder embeds several at once and refuses to generate", async () => {
  await using encoder = await WorkerEngine.load(await fixture("embedding"), { threads: 1 });
  expect(encoder.generates).toBe(false);
  const inputs = Array.from({ length: 20 }, (_, index) => [5, 6, 7 + index]);
  const together = await Promise.all(inputs.map((input) => encoder.embed({ input })));
  for (const [index, input] of inputs.entries()) {
    const { values } = await encoder.embed({ input });
    expect(cosine(values, together[index]!.values)).toBeGreaterThan(0.9999);
  }
});
