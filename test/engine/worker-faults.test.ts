import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DecodeError, RequestError } from "../../lib/errors.ts";
import { embeddedModelPath } from "../../src/embedded-model.ts";
import { WorkerEngine } from "../../src/engine/worker-engine.ts";
import { fixture } from "../fixtures/fixture-set.ts";
import { writeBrokenAdapter } from "../support/broken-weights.ts";
import { ask, generate } from "../support/engine-events.ts";

setDefaultTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), "cria-worker-faults-"));
const adapter = join(folder, "nan.gguf");
beforeAll(() => writeBrokenAdapter(adapter, Number.NaN));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(["shared", "streams"] as const)(
  "%s: of many requests those with a broken adapter fail, however they choose their tokens, and no others",
  async (kvLayout) => {
    await using engine = await WorkerEngine.load(embeddedModelPath(), {
      threads: 1,
      contextLength: 512,
      adapters: [{ path: adapter }],
      kvLayout,
      checkIntegrity: true,
    });
    const france = ask("What is the capital of France?");
    let sampled = 0;
    const broken = [
      {},
      { sampling: { temperature: 0.8, seed: 1 } },
      { sampling: { temperature: 0, grammar: 'root ::= "yes" | "no"' } },
      { topLogprobs: 2 },
      { promptLogprobs: true },
      { sample: () => sampled++ },
      { maxTokens: 0 },
    ];
    const answers = broken.map((request) => [
      generate(engine, france, request).catch((error: unknown) => error),
      generate(engine, france, { adapters: [] }),
    ]);
    for (const [bad, good] of answers) {
      const error = await bad;
      expect(error).toBeInstanceOf(DecodeError);
      expect((error as Error).message).toMatch(/NaN/);
      expect(await good).toMatchObject({ text: "The capital of France is Paris.", reason: "stop" });
    }
    expect(sampled).toBe(0);
    expect(await engine.snapshot()).toMatchObject({ failed: 7, completed: 7, running: 0, waiting: 0 });
  },
);

test("an encoder generates nothing", async () => {
  await using engine = await WorkerEngine.load(await fixture("embedding"), {
    threads: 1,
    contextLength: 128,
  });
  for (const prompt of [[3, 4, 5], [6]]) {
    const error = await generate(engine, prompt).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RequestError);
    expect((error as Error).message).toMatch(/encoder/);
  }
  expect(await engine.snapshot()).toMatchObject({ running: 0, waiting: 0 });
});
