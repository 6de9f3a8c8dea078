import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { ContextInitError, DecodeError, RequestError } from "../../lib/errors.ts";
import { embeddedModelPath } from "../../src/embedded-model.ts";
import { Model } from "../../src/model.ts";
import { CoreHarness } from "../support/engine-core.ts";
import { FaultyModel } from "../support/faulty-model.ts";
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

let model: Model;
beforeAll(async () => {
  model = await Model.load(embeddedModelPath());
});
afterAll(() => model.dispose());

test.each([
  ["with room to start with", norway.repeat(6), 90],
  ["with none", norway.repeat(12), 20],
])("a request that nobody reads gives its cells to one that goes on, %s", (_, prompt, maxTokens) => {
  using engine = new CoreHarness(model, { contextLength: 250, cells: 256, window: 4 });
  const unreadPrompt = france.repeat(6);
  const alone = engine.submit(unreadPrompt);
  engine.run();
  const unread = engine.submit(unreadPrompt);
  engine.of(unread).acknowledged = 0;
  while (engine.core.step() === "worked");
  const read = engine.submit(prompt, { ignoreEos: true, maxTokens });
  while (engine.core.step() === "worked");
  expect(engine.of(read).end?.reason).toBe("length");
  expect(engine.of(read).tokens.length).toBe(maxTokens);
  engine.of(unread).acknowledged = Number.POSITIVE_INFINITY;
  engine.run();
  expect(engine.text(unread)).toBe(engine.text(alone));
  expect(engine.stats(unread).preemptions).toBeGreaterThan(0);
  expectNothingLeft(engine);
});

describe("a decode that fails", () => {
  const pirates = { adapters: [{ id: 0, scale: 1 }] };
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
      const before = [engine.submit(france), engine.submit(france, pirates)];
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
      const after = [engine.submit(france), engine.submit(france, pirates)];
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
