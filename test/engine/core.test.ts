import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { RequestError } from "../../lib/errors.ts";
import { embeddedModelPath } from "../../src/embedded-model.ts";
import { Model } from "../../src/model.ts";
import { createSampler } from "../../src/sampling-params.ts";
import { CoreHarness } from "../support/engine-core.ts";

setDefaultTimeout(60_000);

const ask = (question: string) => `<|im_start|>user\n${question}<|im_end|>\n<|im_start|>assistant\n`;
const france = ask("What is the capital of France?");
const paris = "The capital of France is Paris.";
let model: Model;
beforeAll(async () => {
  model = await Model.load(embeddedModelPath());
});
afterAll(() => model.dispose());

/** Tokens of a text that goes on for long enough. */
function longPrompt(length: number, seed = 0): Int32Array {
  const text = `Number ${seed}. ${"Tom had a big red ball. The dog ran to the park. ".repeat(length / 8)}`;
  return model.vocab.tokenize(text).slice(0, length);
}
const append = (tokens: Int32Array, ...more: number[]) => Int32Array.from([...tokens, ...more]);

for (const kind of ["shared", "streams"] as const) {
  const harness = (options = {}) =>
    new CoreHarness(model, { kind, contextLength: 2200, cells: 2200 * 4, ...options });

  describe(`${kind}: what one has computed, the others take`, () => {
    test("a running request's prompt, for at most 2 tokens", () => {
      using engine = harness();
      const prompt = longPrompt(1000);
      const first = engine.submit(prompt, { maxTokens: 200 });
      while (engine.of(first).tokens.length < 3) engine.core.step();
      const second = engine.submit(prompt, { maxTokens: 5 });
      while (!engine.of(second).end) engine.core.step();
      expect(engine.of(first).end).toBeUndefined();
      expect(engine.stats(second)).toMatchObject({ cachedLength: 999, computedLength: 1 });
    });

    test("the part of a prompt that is computed so far is not computed twice", () => {
      using engine = harness();
      const prompt = longPrompt(1000);
      const ids = [engine.submit(prompt, { maxTokens: 2 }), 0, 0];
      engine.core.step();
      ids[1] = engine.submit(prompt, { maxTokens: 2 });
      ids[2] = engine.submit(append(prompt.subarray(0, 600), 7, 8, 9), { maxTokens: 2 });
      engine.run();
      expect(ids.map((id) => engine.stats(id).computedLength)).toEqual([1000, 1, 3]);
    });

    test("three that arrive together on one cached prefix all reuse it", () => {
      using engine = harness();
      const prefix = longPrompt(500);
      engine.submit(prefix, { maxTokens: 1 });
      engine.run();
      const ids = [1, 2, 3].map((last) => engine.submit(append(prefix, last, last), { maxTokens: 3 }));
      engine.run();
      for (const id of ids) expect(engine.stats(id)).toMatchObject({ cachedLength: 500, computedLength: 2 });
    });

    test("of sixteen conversations over one system prompt one computes it", () => {
      using engine = harness({
        parallel: 16,
        cells: kind === "shared" ? 2200 + 16 * 60 : 2200 * 16,
        checkIntegrity: false,
      });
      const system = longPrompt(2000);
      const questions = Array.from({ length: 16 }, (_, index) =>
        model.vocab.tokenize(ask(`What is ${index} + 2?`), { parseSpecial: true }),
      );
      const ids = questions.map((question) => engine.submit(append(system, ...question), { maxTokens: 12 }));
      let most = 0;
      let shared = 0;
      while (engine.core.step() !== "idle") {
        most = Math.max(most, engine.core.snapshot.usedCells);
        shared = Math.max(shared, engine.core.snapshot.sharedCells);
      }
      const computed = ids.reduce((sum, id) => sum + engine.stats(id).computedLength, 0);
      const own = questions.reduce((sum, question) => sum + question.length, 0);
      expect(computed).toBeLessThanOrEqual(2000 + own);
      if (kind === "shared") {
        expect(most).toBeLessThanOrEqual(2000 + own + 16 * 12);
        expect(shared).toBeGreaterThanOrEqual(2000);
      }
    });

    test("different salts share nothing, and an engine without reuse computes everything", () => {
      using engine = harness();
      const prompt = longPrompt(300);
      const ids = [
        engine.submit(prompt, { maxTokens: 1, salt: "a" }),
        engine.submit(prompt, { maxTokens: 1, salt: "b" }),
        engine.submit(prompt, { maxTokens: 1 }),
      ];
      engine.run();
      ids.push(engine.submit(prompt, { maxTokens: 1, cachePrompt: false }));
      engine.run();
      expect(ids.map((id) => engine.stats(id).computedLength)).toEqual([300, 300, 300, 300]);
      const again = engine.submit(prompt, { maxTokens: 1, salt: "b" });
      engine.run();
      expect(engine.stats(again).computedLength).toBe(1);
    });

    test("a follower goes on by itself when the request that it follows is given up", () => {
      using engine = harness();
      const prompt = longPrompt(1000);
      const first = engine.submit(prompt, { maxTokens: 2 });
      engine.core.step();
      const second = engine.submit(prompt, { maxTokens: 2 });
      engine.core.step();
      engine.of(first).aborted = true;
      engine.run();
      const done = engine.stats(first).computedLength;
      expect(done).toBeGreaterThan(0);
      expect(engine.stats(second)).toMatchObject({ cachedLength: done, computedLength: 1000 - done });
    });
  });
}

describe("order and limits", () => {
  test("a one-word request is answered before a long prompt is done, and streams go on at each step", () => {
    using engine = new CoreHarness(model, {
      contextLength: 4096,
      cells: 10_000,
      gapMs: 5,
      checkIntegrity: false,
    });
    const stream = engine.submit(france, { maxTokens: 400, ignoreEos: true });
    while (engine.of(stream).tokens.length < 5) engine.core.step();
    const long = engine.submit(longPrompt(4000), { maxTokens: 1 });
    for (let step = 0; step < 5; step++) engine.core.step();
    const short = engine.submit("Hello", { maxTokens: 1 });
    while (!engine.of(short).end) {
      const before = engine.of(stream).tokens.length;
      engine.core.step();
      expect(engine.of(stream).tokens.length).toBe(before + 1);
    }
    expect(engine.of(long).end).toBeUndefined();
    engine.run();
    expect(engine.of(long).end?.reason).toBe("length");
  });

  test("requests that cannot be, each with its error, and the others go on", () => {
    using adapter = model.loadAdapter(embeddedModelPath().replace("tiny-chat-f16", "tiny-chat-pirate-lora"));
    using engine = new CoreHarness(model, { contextLength: 100, adapters: [adapter] });
    const good = engine.submit(france);
    const scaled = (...scales: number[]) => ({ adapters: scales.map((scale) => ({ id: 0, scale })) });
    const bad: [id: number, message: RegExp][] = [
      [engine.submit(longPrompt(101)), /101 tokens, the context holds 100/],
      [engine.submit([]), /empty/],
      [engine.submit("a", { adapters: [{ id: 3, scale: 1 }] }), /no adapter 3/],
      [engine.submit("a", scaled(Number.NaN)), /scale of adapter 0 must be a finite/],
      [engine.submit("a", scaled(1e300)), /scale of adapter 0 must be a finite/],
      [engine.submit("a", scaled(1, 2)), /adapter 0 is named twice/],
      [engine.submit("a", { sampling: { temperature: Number.NaN } }), /temperature/],
      [engine.submit("a", { sampling: { grammar: "root ::= (" } }), /line 1/],
    ];
    engine.run();
    for (const [id, message] of bad) {
      expect(engine.of(id).terminals).toBe(1);
      expect((engine.of(id).error as Error).message).toMatch(message);
    }
    expect(engine.text(good)).toBe(paris);
    expect(engine.core.snapshot).toMatchObject({ failed: bad.length, completed: 1 });
  });

  test("a text ends at its limit, where the context is full, or when its time is up", () => {
    using engine = new CoreHarness(model, { contextLength: 100 });
    const none = engine.submit(france, { maxTokens: 0 });
    const five = engine.submit(france, { maxTokens: 5 });
    const full = engine.submit(longPrompt(90), { ignoreEos: true });
    const late = engine.submit(france, { ignoreEos: true, predictMs: 0 });
    engine.run();
    expect([none, five, full].map((id) => [engine.of(id).end?.reason, engine.of(id).tokens.length])).toEqual([
      ["length", 0],
      ["length", 5],
      ["length", 11],
    ]);
    expect(engine.of(late).end?.reason).toBe("length");
    expect(engine.of(late).tokens.length).toBeLessThan(20);
    const timeout = engine.submit(france, { timeoutMs: -1 });
    engine.run();
    expect(engine.of(timeout).error).toBeInstanceOf(RequestError);
  });

  test("abort before the start, in the queue, while computing and after the end", () => {
    using engine = new CoreHarness(model, { parallel: 1, contextLength: 1024, cells: 1024 });
    const running = engine.submit(longPrompt(1000), { maxTokens: 5 });
    engine.core.step();
    const queued = engine.submit(france);
    engine.of(queued).aborted = true;
    engine.core.step();
    expect(engine.of(queued).end?.reason).toBe("abort");
    engine.of(running).aborted = true;
    const next = engine.submit(france);
    engine.run();
    engine.of(next).aborted = true;
    engine.run();
    expect([running, queued, next].map((id) => [engine.of(id).end?.reason, engine.of(id).terminals])).toEqual(
      [
        ["abort", 1],
        ["abort", 1],
        ["stop", 1],
      ],
    );
    expect(engine.text(next)).toBe(paris);
    // What the aborted prompt had computed is there for the next one.
    const again = engine.submit(longPrompt(1000), { maxTokens: 1 });
    engine.run();
    expect(engine.stats(again).cachedLength).toBe(engine.stats(running).computedLength);
  });

  test("an aborted decode loses nothing: the text goes on as it would have", () => {
    using engine = new CoreHarness(model);
    const ids = [engine.submit(france), engine.submit(ask("Opposite of hot?"))];
    for (let step = 0; step < 6; step++) {
      engine.core.step();
      engine.core.context.abort();
    }
    engine.run();
    expect(ids.map((id) => engine.text(id))).toEqual([paris, "The opposite of hot is cold."]);
  });

  test("without room the youngest gives up its cells, and its text is what it would have been", () => {
    const json = "Write JSON for Anna, age 30, from Oslo.";
    const written = '{"name": "Anna", "age": 30, "city": "Oslo"}';
    const turn = (question: string, answer: string) => `${ask(question)}${answer}<|im_end|>\n`;
    // 122 and 102 tokens, and 24 more for each: one of the two must wait, of 256 cells.
    const prompts = [
      turn(json, written) + turn(json, written) + ask(json),
      turn("What is the capital of France?", paris) + turn(json, written) + ask(json),
    ];
    using engine = new CoreHarness(model, { contextLength: 200, cells: 256 });
    const ids = prompts.map((prompt) => engine.submit(prompt, { maxTokens: 24 }));
    engine.run();
    for (const id of ids) expect(engine.text(id)).toBe(written);
    const [older, younger] = ids.map((id) => engine.stats(id).preemptions);
    expect(older).toBe(0);
    expect(younger).toBeGreaterThan(0);
    expect(engine.core.snapshot.preempted).toBe(younger!);
  });

  test("a request that nobody reads stops, and the others do not", () => {
    using engine = new CoreHarness(model, { window: 4 });
    const unread = engine.submit(france);
    engine.of(unread).acknowledged = 0;
    const read = engine.submit(ask("What is the capital of Norway?"));
    while (engine.core.step() === "worked");
    expect(engine.core.step()).toBe("waiting");
    expect(engine.of(unread).tokens.length).toBe(4);
    expect(engine.text(read)).toBe("The capital of Norway is Oslo.");
    engine.of(unread).acknowledged = Number.POSITIVE_INFINITY;
    engine.run();
    expect(engine.text(unread)).toBe(paris);
  });
});

describe("what a request may ask for", () => {
  test("log-probabilities of tokens and of the prompt are those of a plain context", () => {
    using engine = new CoreHarness(model);
    const [plain, echoed] = [
      engine.submit(france, { topLogprobs: 3 }),
      engine.submit(france, { topLogprobs: 2, promptLogprobs: true, maxTokens: 1 }),
    ];
    engine.run();
    const heard = engine.of(plain);
    for (const { token, logprob, top } of heard.tokens) {
      expect(top).toHaveLength(3);
      expect(top[0]).toEqual({ token, logprob });
      expect(logprob).toBeLessThanOrEqual(0);
    }
    const { prompt } = engine.of(echoed);
    const tokens = model.vocab.tokenize(france, { parseSpecial: true });
    expect(prompt.map(({ position, token }) => [position, token.token])).toEqual(
      [...tokens.slice(1)].map((token, index) => [index + 1, token]),
    );
    // A model that speaks in templates finds the end of the question likely.
    expect(prompt.at(-1)!.token.logprob).toBeGreaterThan(-0.1);
  });

  test("a caller that samples itself gets what the engine would have chosen", () => {
    using engine = new CoreHarness(model);
    const room = engine.arena.allocateBytes(4 * model.vocab.size);
    const id = engine.submit(france, { logitsOffset: room.byteOffset });
    const beside = engine.submit(ask("Opposite of hot?"));
    const chain = createSampler(model, { temperature: 0 });
    const logits = new Float32Array(engine.arena.memory.buffer, room.byteOffset, model.vocab.size);
    const chosen: number[] = [];
    for (let seen = 0; chosen.length < 40; ) {
      engine.core.step();
      const heard = engine.of(id);
      if (heard.logits === seen) continue;
      seen = heard.logits;
      const token = chain.sample({ checkOutput: () => {}, logits: () => logits });
      if (model.vocab.isEndOfGeneration(token)) break;
      chosen.push(token);
      engine.write(id, [token]);
      engine.core.resume(id, 1);
    }
    engine.of(id).aborted = true;
    engine.run();
    expect(model.vocab.detokenize(chosen)).toBe(paris);
    expect(engine.text(beside)).toBe("The opposite of hot is cold.");
    expect(engine.of(id).end?.reason).toBe("abort");
    chain.dispose();
    room.release();
  });

  test("adapters: requests with and without run together and say what they say alone", () => {
    using adapter = model.loadAdapter(embeddedModelPath().replace("tiny-chat-f16", "tiny-chat-pirate-lora"));
    const prompt = ask("What is the capital of France?");
    const alone = [[], [{ id: 0, scale: 1 }]].map((adapters) => {
      using engine = new CoreHarness(model, { adapters: [adapter] });
      const id = engine.submit(prompt, { adapters });
      engine.run();
      return engine.text(id);
    });
    expect(alone[0]).toBe(paris);
    expect(alone[1]).not.toBe(paris);
    using engine = new CoreHarness(model, { adapters: [adapter] });
    const ids = [0, 1, 0, 1].map((which) =>
      engine.submit(prompt, { adapters: which ? [{ id: 0, scale: 1 }] : [] }),
    );
    engine.run();
    expect(ids.map((id) => engine.text(id))).toEqual([alone[0]!, alone[1]!, alone[0]!, alone[1]!]);
    // Of two that agree in their adapters one computes the prompt; of two that do not, both do.
    expect(ids.map((id) => engine.stats(id).computedLength)).toEqual([17, 17, 1, 1]);
  });

  test("disposing fails whatever is running, once", () => {
    const engine = new CoreHarness(model);
    const ids = [engine.submit(france), engine.submit(longPrompt(300))];
    engine.core.step();
    const reason = new Error("closing");
    engine.core.dispose(reason);
    expect(ids.map((id) => [engine.of(id).error, engine.of(id).terminals])).toEqual([
      [reason, 1],
      [reason, 1],
    ]);
  });
});
