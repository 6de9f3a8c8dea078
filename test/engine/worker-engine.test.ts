import { heapStats } from "bun:jsc";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { DisposedError, ModelLoadError, RequestError, WorkerCrashedError } from "../../lib/errors.ts";
import { embeddedModelPath } from "../../src/embedded-model.ts";
import { WorkerEngine } from "../../src/engine/worker-engine.ts";
import { Grammar } from "../../src/grammar.ts";
import { createSampler } from "../../src/sampling-params.ts";
import { ask, collect, generate } from "../support/engine-events.ts";

setDefaultTimeout(60_000);

const france = ask("What is the capital of France?");
const paris = "The capital of France is Paris.";
const load = (options = {}) =>
  WorkerEngine.load(embeddedModelPath(), { threads: 1, contextLength: 2048, ...options });
let engine: WorkerEngine;
beforeAll(async () => {
  engine = await load({ checkIntegrity: true });
});
afterAll(() => engine.close());

/** A text that the model goes on with for as long as it is asked. */
const endless = { maxTokens: 1000, ignoreEos: true } as const;
const long = "Tom had a big red ball. The dog ran to the park. ";

describe("requests", () => {
  test("many at once, each with its own answer, and exactly one last event", async () => {
    const questions: [string, string][] = [
      ["What is the capital of France?", paris],
      ["What is the capital of Norway?", "The capital of Norway is Oslo."],
      ["Opposite of hot?", "The opposite of hot is cold."],
    ];
    const wanted = Array.from({ length: 30 }, (_, index) => questions[index % 3]!);
    const answers = await Promise.all(wanted.map(([question]) => generate(engine, ask(question))));
    expect(answers.map(({ text }) => text)).toEqual(wanted.map(([, answer]) => answer));
    for (const { events, reason } of answers) {
      expect(reason).toBe("stop");
      expect(events.filter(({ type }) => type === "end" || type === "error")).toHaveLength(1);
    }
    expect(answers.reduce((sum, { stats }) => sum + stats.computedLength, 0)).toBeLessThan(100);
    expect(engine.requestCount).toBe(0);
  });

  test("waiting for a token keeps nothing once it is there", async () => {
    const objects = () => {
      Bun.gc(true);
      return heapStats().objectCount;
    };
    await generate(engine, "Once upon a time", endless);
    const before = objects();
    await generate(engine, "Once upon a time", endless);
    expect(objects() - before).toBeLessThan(endless.maxTokens / 2);
  });

  test("text and its tokens are the same request", async () => {
    const tokens = engine.model.vocab.tokenize(france, { parseSpecial: true });
    const [text, ids] = [await generate(engine, france), await generate(engine, [...tokens])];
    expect(ids.tokens).toEqual(text.tokens);
    expect(ids.stats).toMatchObject({ promptLength: tokens.length, cachedLength: tokens.length - 1 });
  });

  test("progress counts up to the prompt, and says what was cached", async () => {
    const { events, stats } = await generate(engine, `${long.repeat(30)}${france}`, { maxTokens: 1 });
    const progress = events.filter((event) => event.type === "progress");
    expect(progress.at(-1)).toEqual({
      type: "progress",
      totalLength: stats.promptLength,
      cachedLength: stats.cachedLength,
      computedLength: stats.promptLength,
    });
  });

  test("stop strings end the text before them, and what comes after is not counted", async () => {
    const { text, stop, reason, tokens, stats } = await generate(engine, france, {
      stops: ["nowhere", " of Fr"],
    });
    expect([text, stop, reason]).toEqual(["The capital", " of Fr", "stop"]);
    expect(stats.generatedLength).toBe(tokens.length);
  });

  test("grammars, as text and compiled, with biases, reach the sampler", async () => {
    const grammar = 'answer ::= "no" | "never"';
    const [root, bare] = await Promise.all([
      generate(engine, france, {
        sampling: { temperature: 0, grammar: Grammar.parse(grammar, { root: "answer" }) },
      }),
      generate(engine, france, {
        sampling: { temperature: 0, grammar: 'root ::= "yes"', logit_bias: new Map([[5, -1]]) },
      }),
    ]);
    expect(["no", "never"]).toContain(root.text);
    expect(bare.text).toBe("yes");
  });

  test("log-probabilities survive the way", async () => {
    const { events } = await generate(engine, france, { topLogprobs: 2, promptLogprobs: true });
    const token = events.find((event) => event.type === "token")!;
    expect(token.top).toHaveLength(2);
    expect(token.logprob).toBe(token.top[0]!.logprob);
    expect(events.filter(({ type }) => type === "prompt-token")).toHaveLength(16);
  });

  test("sampling on this thread gives what the engine gives, while others go on", async () => {
    const { vocab } = engine.model;
    using chain = createSampler(engine.model, { temperature: 0 });
    const seen: number[] = [];
    const [mine, other] = await Promise.all([
      generate(engine, france, {
        sample: (logits, tokens) => {
          seen.push(tokens.length);
          return chain.sample({ checkOutput: () => {}, logits: () => logits });
        },
      }),
      generate(engine, ask("Opposite of hot?")),
    ]);
    expect([mine.text, mine.reason]).toEqual([paris, "stop"]);
    expect(seen).toEqual(seen.map((_, index) => seen[0]! + index));
    expect(other.text).toBe("The opposite of hot is cold.");
    const two = await generate(engine, france, {
      sample: (_, tokens) => (tokens.length < 19 ? 100 : undefined),
    });
    expect([two.tokens, two.reason]).toEqual([[100, 100], "stop"]);
    const limited = await generate(engine, france, { sample: () => 100, maxTokens: 3 });
    expect([limited.tokens.length, limited.reason]).toEqual([3, "length"]);
    const failing = generate(engine, france, {
      sample: () => {
        throw new TypeError("my own fault");
      },
    });
    await expect(failing).rejects.toThrow("my own fault");
    await expect(generate(engine, france, { sample: () => vocab.size })).rejects.toThrow(RangeError);
    expect((await generate(engine, france)).text).toBe(paris);
  });
});

test("a full context ends a text, or drops its middle and goes on", async () => {
  await using small = await load({ contextLength: 256, checkIntegrity: true });
  const prompt = long.repeat(10);
  const full = await generate(small, prompt, endless);
  expect([full.reason, full.stats.promptLength + full.tokens.length]).toEqual(["length", 257]);
  const shifted = small.submit({
    prompt,
    ...endless,
    sampling: { temperature: 0 },
    contextShift: { keep: 10 },
  });
  const held: Int32Array[] = [];
  const tokens: number[] = [];
  for await (const event of shifted) {
    if (event.type === "error") throw event.error;
    if (event.type !== "token") continue;
    tokens.push(event.token);
    held.push(shifted.tokens.slice());
  }
  expect(tokens.length).toBe(1000);
  expect(tokens.slice(0, full.tokens.length)).toEqual([...full.tokens]);
  const promptTokens = [...small.model.vocab.tokenize(prompt, { parseSpecial: true })];
  const all = `,${[...promptTokens, ...tokens].join()},`;
  // The view is of what there is when it is asked for, and empty once the engine is done with the request.
  const views = held.filter(({ length }) => length > 0);
  expect(views.length).toBeGreaterThan(500);
  for (const view of views) {
    expect(view.length).toBeLessThanOrEqual(257);
    expect([...view.subarray(0, 10)]).toEqual(promptTokens.slice(0, 10));
    expect(all).toContain(`,${view.subarray(10).join()},`);
  }
});

describe("requests that cannot be", () => {
  test("each fails with its reason, and the others go on", async () => {
    const bad: [request: object, message: RegExp][] = [
      [{ prompt: "" }, /empty/],
      [{ prompt: [1, -5] }, /prompt\[1\]/],
      [{ prompt: "a\ud800" }, /surrogate/],
      [{ prompt: new Int32Array(2049) }, /2049 tokens, the context holds 2048/],
      [{ prompt: "a", sampling: { temperature: "hot" } }, /temperature/],
      [{ prompt: "a", sampling: { grammar: "root ::= (" } }, /line 1/],
      [{ prompt: "a", sampling: { logits_processors: () => {} } }, /sample function/],
      [{ prompt: "a", adapters: [{ id: 1, scale: 1 }] }, /no adapter 1/],
      [{ prompt: "a", timeoutMs: -1 }, /longer than -1 ms/],
    ];
    const good = generate(engine, france);
    const errors = await Promise.all(
      bad.map(([request]) => collect(engine.submit(request as never)).catch((error) => error)),
    );
    for (const [index, error] of errors.entries()) expect(String(error)).toMatch(bad[index]![1]);
    expect(errors[0]).toBeInstanceOf(RequestError);
    expect((await good).text).toBe(paris);
  });

  test("more than the engine takes are refused, not queued without end", async () => {
    await using small = await load({ maxRequests: 3, parallel: 1 });
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => generate(small, france)));
    expect(results.map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
      "fulfilled",
      "rejected",
      "rejected",
    ]);
    expect(String((results[4] as PromiseRejectedResult).reason)).toMatch(/maxRequests/);
  });

  test("thousands at once are all answered", async () => {
    await using wide = await load({ maxRequests: 3000, parallel: 16 });
    const results = await Promise.all(
      Array.from({ length: 2000 }, () => generate(wide, france, { maxTokens: 2 })),
    );
    for (const { text } of results) expect(text).toBe("The capital");
    expect((await wide.snapshot()).completed).toBe(2000);
  });

  test("any salt, and salts share nothing", async () => {
    const salts = ["\0", "🦙", "a".repeat(10_000)];
    for (const cacheSalt of salts) {
      const first = await generate(engine, `${long}salted`, { cacheSalt, maxTokens: 1 });
      const again = await generate(engine, `${long}salted`, { cacheSalt, maxTokens: 1 });
      expect([first.stats.cachedLength, again.stats.computedLength]).toEqual([0, 1]);
    }
  });
});

describe("giving up", () => {
  test("leaving the loop, cancelling and a signal end a request and keep what it computed", async () => {
    const prompt = `${long}${france}`;
    for await (const event of engine.submit({ prompt, ...endless })) if (event.type === "token") break;
    const stream = engine.submit({ prompt, ...endless });
    let tokens = 0;
    let reason = "";
    for await (const event of stream) {
      if (event.type === "token" && ++tokens === 3) stream.cancel();
      if (event.type === "end") reason = event.reason;
    }
    expect(reason).toBe("abort");
    const controller = new AbortController();
    const aborted = generate(engine, prompt, { ...endless, signal: controller.signal });
    controller.abort();
    await expect(aborted).rejects.toThrow(/abort/i);
    await expect(generate(engine, prompt, { signal: AbortSignal.abort(new Error("never")) })).rejects.toThrow(
      "never",
    );
    const after = await generate(engine, prompt, { maxTokens: 1 });
    expect(after.stats.computedLength).toBe(1);
    while (engine.requestCount > 0) await Bun.sleep(1);
  });

  test("during a long prompt it takes effect within the prompt", async () => {
    await using busy = await load({ parallel: 2, contextLength: 8192, batchSize: 4096 });
    const prompt = long.repeat(350);
    const stream = busy.submit({ prompt, maxTokens: 1 });
    for await (const event of stream) if (event.type === "progress" && event.computedLength > 0) break;
    expect((await generate(busy, "Hello", { maxTokens: 1 })).reason).toBe("length");
    const { computedTokens, aborted } = await busy.snapshot();
    expect(aborted).toBe(1);
    expect(computedTokens).toBeLessThan(4000);
  });

  test("who does not read holds nobody up, and does not make the engine run ahead without bound", async () => {
    await using narrow = await load({ window: 8, parallel: 2 });
    const unread = narrow.submit({ prompt: long, ...endless });
    await generate(narrow, france);
    await generate(narrow, ask("Opposite of hot?"));
    expect((await narrow.snapshot()).running).toBe(1);
    expect(unread.tokens.length).toBeLessThanOrEqual(engine.model.vocab.tokenize(long).length + 8);
    const { tokens } = await collect(unread);
    expect(tokens.length).toBe(1000);
  });
});

describe("lifetime", () => {
  test("closing ends what is running with DisposedError, and a second time does nothing", async () => {
    const one = await load();
    const running = [generate(one, long, endless), generate(one, france)].map((each) =>
      each.catch((error) => error),
    );
    await Promise.all([one.close(), one.close()]);
    for (const error of await Promise.all(running)) expect(error).toBeInstanceOf(DisposedError);
    expect(() => one.submit({ prompt: "a" })).toThrow(DisposedError);
    expect(() => one.model.metadata).toThrow(DisposedError);
    await expect(one.snapshot()).rejects.toThrow(DisposedError);
  });

  test("a model that cannot be loaded fails as it does without an engine", async () => {
    await expect(WorkerEngine.load("/nowhere.gguf")).rejects.toThrow(ModelLoadError);
    await expect(load({ contextLength: -1 })).rejects.toThrow(/contextLength/);
    await expect(load({ parallel: 0 })).rejects.toThrow(/parallel/);
    await expect(load({ kvLayout: "heap" })).rejects.toThrow(/kvLayout/);
    await expect(load({ threads: 0 })).rejects.toThrow(/threads/);
    await expect(load({ adapters: [{ path: "/nowhere.gguf" }] })).rejects.toThrow(/nowhere/);
    await expect(load({ onProgress: () => false })).rejects.toThrow(/stopped by onProgress/);
    const reason = new Error("enough");
    await expect(load({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test("a thread that dies fails its requests, and another one takes its place", async () => {
    const one = await load();
    const lost = generate(one, long, endless).catch((error) => error);
    await generate(one, "Hello", { maxTokens: 1 });
    await one.crash();
    expect(await lost).toBeInstanceOf(WorkerCrashedError);
    await one.snapshot();
    expect((await generate(one, france)).text).toBe(paris);
    await one.close();
  });

  test("adapters that were loaded are used unless a request says otherwise", async () => {
    const path = embeddedModelPath().replace("tiny-chat-f16", "tiny-chat-pirate-lora");
    await using pirate = await load({ adapters: [{ path }] });
    const [with_, without] = await Promise.all([
      generate(pirate, france),
      generate(pirate, france, { adapters: [] }),
    ]);
    expect(without.text).toBe(paris);
    expect(with_.text).not.toBe(paris);
  });
});
