import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DecodeError } from "../../lib/errors.ts";
import { embeddedModelPath } from "../../src/embedded-model.ts";
import { Model } from "../../src/model.ts";
import { type FixtureName, fixture } from "../fixtures/fixture-set.ts";
import { writeBrokenAdapter, writeBrokenToken } from "../support/broken-weights.ts";
import { CoreHarness } from "../support/engine-core.ts";
import {
  answers,
  cold,
  expectNothingLeft,
  france,
  hot,
  norway,
  oslo,
  paris,
} from "../support/known-answers.ts";

setDefaultTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), "cria-faults-"));
const broken = { adapters: [{ id: 0, scale: 1 }] };
let model: Model;
beforeAll(async () => {
  model = await Model.load(embeddedModelPath());
});
afterAll(() => {
  model.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** Checks that a request ended with one error, of logits that are none. */
function expectBroken(engine: CoreHarness, id: number): void {
  const { error, terminals, tokens } = engine.of(id);
  expect(error).toBeInstanceOf(DecodeError);
  expect((error as Error).message).toMatch(/NaN|Infinity/);
  expect([terminals, tokens.length]).toEqual([1, 0]);
}

for (const kind of ["shared", "streams"] as const) {
  describe(`${kind}: an adapter that makes everything NaN`, () => {
    test.each([Number.NaN, Number.POSITIVE_INFINITY])(
      "of %p: whoever uses it fails, and nobody else",
      (value) => {
        const path = join(folder, `${kind}-${value}.gguf`);
        writeBrokenAdapter(path, value);
        using adapter = model.loadAdapter(path);
        using engine = new CoreHarness(model, { kind, adapters: [adapter] });
        const first = engine.submit(france);
        while (engine.of(first).tokens.length < 3) engine.core.step();
        const bad = [engine.submit(norway, broken), engine.submit(norway, broken)];
        const beside = engine.submit(norway);
        engine.core.step();
        const late = engine.submit(hot);
        engine.run();
        for (const id of bad) expectBroken(engine, id);
        expect([first, beside, late].map((id) => engine.text(id))).toEqual([paris, oslo, cold]);
        expect(engine.core.snapshot).toMatchObject({ failed: 2, completed: 3, requests: 5 });
        // Shorter than what was NaN, so that cells which that had may be among those that are looked at.
        const after = [hot, france, norway].map((prompt) => engine.submit(prompt));
        const again = engine.submit(norway, broken);
        engine.run();
        expect(after.map((id) => engine.text(id))).toEqual([cold, paris, oslo]);
        expectBroken(engine, again);
        expectNothingLeft(engine);
      },
    );
  });

  describe(`${kind}: a request with a token whose embedding is NaN`, () => {
    const kinds: readonly FixtureName[] = ["llama", "recurrent", "hybrid"];
    test.each(kinds)("%s: fails alone, though others are in its batch", async (name) => {
      const path = join(folder, `${kind}-${name}.gguf`);
      writeBrokenToken(path, { from: await fixture(name), token: 1000 });
      using random = await Model.load(path);
      const prompts = [0, 1, 2].map((seed) => Array.from({ length: 30 }, (_, at) => 300 + 40 * seed + at));
      const request = { maxTokens: 6, ignoreEos: true };
      const ids = (engine: CoreHarness, id: number) => engine.of(id).tokens.map(({ token }) => token);
      const alone = prompts.map((prompt) => {
        using engine = new CoreHarness(random, { kind, parallel: 1 });
        const id = engine.submit(prompt, request);
        engine.run();
        return ids(engine, id);
      });
      using engine = new CoreHarness(random, { kind });
      const good = [engine.submit(prompts[0]!, request)];
      const bad = engine.submit([...prompts[1]!.slice(0, 20), 1000, ...prompts[1]!.slice(20)], request);
      good.push(engine.submit(prompts[1]!, request));
      engine.core.step();
      good.push(engine.submit(prompts[2]!, request));
      engine.run();
      expectBroken(engine, bad);
      expect(good.map((id) => ids(engine, id))).toEqual(alone);
      const again = prompts.map((prompt) => engine.submit(prompt.slice(0, 10), request));
      engine.run();
      for (const id of again) expect(engine.of(id).end?.reason).toBe("length");
      expectNothingLeft(engine);
    });
  });
}

describe("a request that makes everything NaN", () => {
  let adapter: ReturnType<Model["loadAdapter"]>;
  beforeAll(() => {
    const path = join(folder, "nan.gguf");
    writeBrokenAdapter(path, Number.NaN);
    adapter = model.loadAdapter(path);
  });
  afterAll(() => adapter.dispose());
  const harness = (options = {}) => new CoreHarness(model, { adapters: [adapter], ...options });

  test("leaves nothing in the cache, whether it generates, only fills it, or is given up", () => {
    using engine = harness();
    // The thought's end is written without a look at the logits.
    const thought = {
      tokens: 0,
      open: "<think>",
      begun: true,
      repeats: false,
      close: "</think>",
      end: [5, 6, 7],
    };
    const bad = [
      engine.submit(france, broken),
      engine.submit(norway, { ...broken, maxTokens: 0 }),
      engine.submit(norway, { ...broken, thought }),
    ];
    engine.run();
    for (const id of bad) expectBroken(engine, id);
    expect(engine.core.snapshot).toMatchObject({ parked: 0, usedCells: 0 });
    // A prompt of several batches, given up after the first.
    const long = engine.submit(france.repeat(30), broken);
    engine.core.step();
    expect(engine.of(long).progress.length).toBeGreaterThan(0);
    engine.of(long).aborted = true;
    const good = answers.map(([prompt]) => engine.submit(prompt));
    engine.run();
    expect(engine.of(long).end?.reason).toBe("abort");
    expect(good.map((id) => engine.text(id))).toEqual(answers.map(([, answer]) => answer));
  });

  test("does not stop others because one of them is not read", () => {
    using engine = harness({ window: 4 });
    const unread = engine.submit(france);
    engine.of(unread).acknowledged = 0;
    while (engine.of(unread).tokens.length < 4) engine.core.step();
    const bad = engine.submit(norway, broken);
    const beside = engine.submit(hot);
    while (engine.core.step() === "worked");
    expectBroken(engine, bad);
    expect(engine.text(beside)).toBe(cold);
    expect(engine.of(unread).tokens.length).toBe(4);
    engine.of(unread).acknowledged = Number.POSITIVE_INFINITY;
    engine.run();
    expect(engine.text(unread)).toBe(paris);
  });

  test("gives its caller no logits, and loses no token that another caller chooses meanwhile", () => {
    using engine = harness();
    const rooms = [0, 1].map(() => engine.arena.allocateBytes(4 * model.vocab.size));
    const [own, theirs] = rooms.map(({ byteOffset }) => ({ logitsOffset: byteOffset }));
    const good = engine.submit(france, own);
    const chosen: number[] = [];
    const wanted = [...model.vocab.tokenize(paris)];
    let bad = 0;
    for (let steps = 0; chosen.length < wanted.length && steps < 200; steps++) {
      engine.core.step();
      if (chosen.length === 3 && bad === 0) {
        bad = engine.submit(norway, { ...broken, ...theirs });
        continue;
      }
      if (engine.of(good).logits <= chosen.length) continue;
      chosen.push(wanted[chosen.length]!);
      engine.write(good, chosen.slice(-1));
      engine.core.resume(good, 1);
    }
    expect(chosen).toEqual(wanted);
    while (engine.core.step() === "worked");
    const logits = new Float32Array(engine.arena.memory.buffer, rooms[0]!.byteOffset, model.vocab.size);
    expect(model.vocab.isEndOfGeneration(logits.indexOf(Math.max(...logits)))).toBe(true);
    engine.of(good).aborted = true;
    engine.run();
    expectBroken(engine, bad);
    expect(engine.of(bad).logits).toBe(0);
    for (const room of rooms) room.release();
  });

  test("does not make the likelihood of another's prompt be reported twice", () => {
    using engine = harness({ context: { batchSize: 32 } });
    const good = engine.submit(france.repeat(3), { promptLogprobs: true, maxTokens: 1 });
    engine.core.step();
    expect(engine.of(good).prompt.length).toBeGreaterThan(0);
    expect(engine.of(good).tokens.length).toBe(0);
    const bad = engine.submit(norway, { ...broken, promptLogprobs: true });
    engine.run();
    expect(engine.stats(good).preemptions).toBe(1);
    expectBroken(engine, bad);
    expect(engine.of(bad).prompt).toEqual([]);
    const { prompt } = engine.of(good);
    const { promptLength } = engine.stats(good);
    expect(prompt.map(({ position }) => position)).toEqual(
      Array.from({ length: promptLength - 1 }, (_, index) => index + 1),
    );
    for (const { token } of prompt) expect(Number.isFinite(token.logprob)).toBe(true);
  });
});
