import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ContextInitError, DecodeError, RequestError } from "../../lib/errors.ts";
import { embeddedModelPath } from "../../src/embedded-model.ts";
import { Model } from "../../src/model.ts";
import { type FixtureName, fixture } from "../fixtures/fixture-set.ts";
import { writeBrokenAdapter, writeBrokenToken } from "../support/broken-weights.ts";
import { CoreHarness } from "../support/engine-core.ts";
import { ask } from "../support/engine-events.ts";
import { FaultyModel } from "../support/faulty-model.ts";

setDefaultTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), "cria-faults-"));
const answers: readonly (readonly [prompt: string, answer: string])[] = [
  [ask("What is the capital of France?"), "The capital of France is Paris."],
  [ask("What is the capital of Norway?"), "The capital of Norway is Oslo."],
  [ask("Opposite of hot?"), "The opposite of hot is cold."],
];
const [[france, paris], [norway, oslo], [hot, cold]] = answers as [
  readonly [string, string],
  readonly [string, string],
  readonly [string, string],
];
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

/** Checks that nothing is left behind by any request. */
function expectNothingLeft(engine: CoreHarness): void {
  expect(engine.core.requestCount).toBe(0);
  engine.core.clearCache();
  expect(engine.core.snapshot.usedCells).toBe(0);
  expect(engine.lentBytes).toBe(0);
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
    const bad = [engine.submit(france, broken), engine.submit(norway, { ...broken, maxTokens: 0 })];
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

test("without room a request that nobody reads gives its cells to one that goes on", () => {
  using engine = new CoreHarness(model, { contextLength: 250, cells: 256, window: 4 });
  const [first, second] = [france.repeat(6), norway.repeat(6)];
  const alone = engine.submit(first);
  engine.run();
  const unread = engine.submit(first);
  engine.of(unread).acknowledged = 0;
  while (engine.core.step() === "worked");
  const read = engine.submit(second, { ignoreEos: true, maxTokens: 90 });
  while (engine.core.step() === "worked");
  expect(engine.of(read).end?.reason).toBe("length");
  expect(engine.of(read).tokens.length).toBe(90);
  engine.of(unread).acknowledged = Number.POSITIVE_INFINITY;
  engine.run();
  expect(engine.text(unread)).toBe(engine.text(alone));
  expectNothingLeft(engine);
});

describe("a decode that fails", () => {
  const four = [...answers, answers[0]!];
  let faulty: FaultyModel;
  beforeAll(() => {
    faulty = new FaultyModel(model);
  });
  beforeEach(() => {
    faulty.decode = undefined;
    faulty.decodes = 0;
  });
  afterAll(() => faulty[Symbol.dispose]());
  const submitAll = (engine: CoreHarness) => four.map(([prompt]) => engine.submit(prompt));

  test.each(["shared", "streams"] as const)(
    "%s: for good: who runs fails, the context is made anew and who waits goes on",
    (kind) => {
      using pirate = faulty.model.loadAdapter(
        embeddedModelPath().replace("tiny-chat-f16", "tiny-chat-pirate-lora"),
      );
      using engine = new CoreHarness(faulty.model, { kind, parallel: 2, adapters: [pirate] });
      // One that is parked, and one with an adapter, which the new context does not have set.
      const before = [engine.submit(france), engine.submit(france, broken)];
      engine.run();
      const { context } = engine.core;
      const ids = submitAll(engine);
      engine.core.step();
      engine.core.step();
      faulty.answer(-3);
      engine.core.step();
      const [failed, waiting] = [1, 0].map((count) => ids.filter((id) => engine.of(id).terminals === count));
      expect([failed!.length, waiting!.length]).toEqual([2, 2]);
      for (const id of failed!) {
        expect(engine.of(id).error).toBeInstanceOf(DecodeError);
        expect((engine.of(id).error as DecodeError).status).toBe(-3);
      }
      expect(context.disposed).toBe(true);
      expect(engine.core.context.disposed).toBe(false);
      engine.run();
      for (const id of waiting!) expect(engine.text(id)).toBe(four[ids.indexOf(id)]![1]);
      // Nothing is taken for computed that only the old context had.
      expect(Math.min(...waiting!.map((id) => engine.stats(id).cachedLength))).toBe(0);
      const after = [engine.submit(france), engine.submit(france, broken)];
      engine.run();
      expect(after.map((id) => engine.text(id))).toEqual(before.map((id) => engine.text(id)));
      expect(engine.core.snapshot).toMatchObject({ requests: 8, failed: 2, completed: 6 });
      expect(engine.core.snapshot.evictedTokens).toBeGreaterThan(0);
      for (const id of ids) expect(engine.of(id).terminals).toBe(1);
      expectNothingLeft(engine);
    },
  );

  test("and no new context: the step throws, and disposing fails who is left", () => {
    const engine = new CoreHarness(faulty.model, { parallel: 2 });
    const ids = submitAll(engine);
    faulty.answer(-2);
    faulty.makesContexts = false;
    expect(() => engine.run()).toThrow(ContextInitError);
    faulty.makesContexts = true;
    engine.core.dispose(new Error("disposed"));
    expect(ids.map((id) => engine.of(id).terminals)).toEqual([1, 1, 1, 1]);
    expect(engine.lentBytes).toBe(0);
  });

  test("because the batch was wrong: only who is in the batch fails", () => {
    using engine = new CoreHarness(faulty.model, { window: 4 });
    const outside = engine.submit(france);
    engine.of(outside).acknowledged = 0;
    while (engine.core.step() === "worked");
    const { context } = engine.core;
    const ids = [engine.submit(norway), engine.submit(hot)];
    faulty.answer(-1);
    engine.core.step();
    for (const id of ids) expect((engine.of(id).error as DecodeError).status).toBe(-1);
    engine.of(outside).acknowledged = Number.POSITIVE_INFINITY;
    const again = engine.submit(norway);
    engine.run();
    expect(engine.core.context).toBe(context);
    expect([outside, again].map((id) => engine.text(id))).toEqual([paris, oslo]);
    expect(engine.core.snapshot).toMatchObject({ failed: 2, completed: 2 });
    expectNothingLeft(engine);
  });

  test("for want of room: what is parked goes first, then who came last waits", () => {
    using engine = new CoreHarness(faulty.model);
    engine.submit(france);
    engine.run();
    expect(engine.core.snapshot.parked).toBe(1);
    const ids = [engine.submit(norway), engine.submit(hot)];
    faulty.answer(1, 1);
    engine.core.step();
    expect(engine.core.snapshot).toMatchObject({ parked: 0, running: 2, waiting: 0 });
    engine.core.step();
    expect(engine.core.snapshot).toMatchObject({ running: 1, waiting: 1, preempted: 1 });
    engine.run();
    expect(ids.map((id) => engine.text(id))).toEqual([oslo, cold]);
    // The one that waits does so until the other has ended: one token at a time, and the prompts.
    expect(faulty.decodes).toBeLessThan(50);
    expect(ids.map((id) => engine.stats(id).preemptions)).toEqual([0, 1]);
    expectNothingLeft(engine);
  });

  test("for want of room whenever two run: they run one after the other", () => {
    using engine = new CoreHarness(faulty.model);
    const ids = submitAll(engine);
    faulty.decode = () => (engine.core.snapshot.running > 1 ? 1 : undefined);
    for (let steps = 0; engine.core.step() !== "idle"; steps++) expect(steps).toBeLessThan(300);
    expect(ids.map((id) => engine.text(id))).toEqual(four.map(([, answer]) => answer));
    expectNothingLeft(engine);
  });

  test("for want of room always: every request says so, and the next one does not", () => {
    using engine = new CoreHarness(faulty.model);
    const ids = submitAll(engine);
    faulty.decode = () => 1;
    for (let steps = 0; engine.core.step() !== "idle"; steps++) expect(steps).toBeLessThan(100);
    for (const id of ids) {
      expect(engine.of(id).error).toBeInstanceOf(RequestError);
      expect((engine.of(id).error as Error).message).toMatch(/the context is full/);
      expect(engine.of(id).terminals).toBe(1);
    }
    faulty.decode = undefined;
    const next = engine.submit(france);
    engine.run();
    expect(engine.text(next)).toBe(paris);
    expectNothingLeft(engine);
  });

  test("a request whose caller samples keeps its place while it waits for room", () => {
    using engine = new CoreHarness(faulty.model);
    const other = engine.submit(norway, { ignoreEos: true, maxTokens: 30 });
    const room = engine.arena.allocateBytes(4 * model.vocab.size);
    const id = engine.submit(france, { logitsOffset: room.byteOffset });
    while (engine.of(id).logits === 0) engine.core.step();
    // Its caller is choosing when its cells are taken.
    faulty.answer(1);
    engine.core.step();
    expect(engine.core.snapshot).toMatchObject({ running: 1, waiting: 1 });
    const [first] = model.vocab.tokenize(paris);
    engine.write(id, [first!]);
    engine.core.resume(id, 1);
    while (engine.core.step() === "worked");
    expect(engine.of(id).logits).toBe(2);
    const logits = new Float32Array(engine.arena.memory.buffer, room.byteOffset, model.vocab.size);
    expect(logits.indexOf(Math.max(...logits))).toBe(model.vocab.tokenize(paris)[1]!);
    engine.of(id).aborted = true;
    engine.run();
    expect(engine.of(other).end?.reason).toBe("length");
    room.release();
  });

  test("a request that waits for its caller to make room is found where its cells were taken", () => {
    using engine = new CoreHarness(faulty.model, { contextLength: 64, cells: 128 });
    let wants = 0;
    engine.wantsRoom = () => {
      wants++;
    };
    const id = engine.submit(hot, { ignoreEos: true, contextShift: { keep: 4 }, maxTokens: 60 });
    while (engine.of(id).tokens.length < 30) engine.core.step();
    const other = engine.submit(norway, { ignoreEos: true, maxTokens: 40, priority: 1 });
    while (wants === 0) engine.core.step();
    expect(engine.of(other).tokens.length).toBeGreaterThan(0);
    engine.core.clearCache();
    faulty.answer(1);
    engine.core.step();
    expect(engine.core.snapshot).toMatchObject({ running: 1, waiting: 1 });
    const place = engine.arena.allocateBytes(4 * 65);
    const view = engine.arena.tokens.view(place.byteOffset, 65);
    const prompt = model.vocab.tokenize(hot, { parseSpecial: true });
    view.set(prompt);
    engine.lentBytes += 320;
    engine.core.move(id, { byteOffset: place.byteOffset, capacity: 65, length: prompt.length });
    engine.run();
    for (const each of [other, id]) expect(engine.of(each).end?.reason).toBe("length");
    expect(engine.of(id).tokens.length).toBe(60);
    expectNothingLeft(engine);
  });
});
