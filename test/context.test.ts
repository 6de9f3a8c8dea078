import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Worker } from "node:worker_threads";
import { DisposedError } from "../lib/errors.ts";
import { Batch } from "../src/batch.ts";
import { Context } from "../src/context.ts";
import type { Model } from "../src/model.ts";
import { ThreadPool } from "../src/thread-pool.ts";
import {
  argmax,
  chatTokens,
  continueGreedily,
  feed,
  freshContinuation,
  loadFixture,
  loadTinyModel,
  smallContext,
} from "./support/tiny-model.ts";

let model: Model;
let prompt: Int32Array;
beforeAll(async () => {
  model = await loadTinyModel();
  prompt = chatTokens(model, "What is the capital of France?");
});
afterAll(() => model.dispose());

describe("decode", () => {
  test("in one batch or in many, the answer is the same", () => {
    const expected = freshContinuation(model, prompt, 10);
    for (const size of [1, 3, 7]) {
      using context = smallContext(model);
      for (let start = 0; start < prompt.length; start += size)
        feed(context, prompt.subarray(start, start + size), { position: start });
      expect(continueGreedily(context, 10, { position: prompt.length })).toEqual(expected);
    }
  });

  test("no room: nothing has changed, and with room it goes on", () => {
    using context = smallContext(model, {
      contextLength: 256,
      batchSize: 256,
      maxSequences: 2,
      unifiedCache: true,
    });
    feed(context, prompt);
    feed(context, new Int32Array(context.contextLength - prompt.length - 4).fill(9), { sequence: 1 });
    const batch = new Batch(model.native, { capacity: 16 });
    expect(context.decode(batch.fill(new Int32Array(8).fill(9), { position: prompt.length }))).toBe(
      "no-room",
    );
    expect(context.memory.positionMax(0)).toBe(prompt.length - 1);
    context.memory.remove(1);
    context.memory.remove(0, { from: prompt.length - 1 });
    feed(context, prompt.subarray(-1), { position: prompt.length - 1 });
    expect(continueGreedily(context, 10, { position: prompt.length })).toEqual(
      freshContinuation(model, prompt, 10),
    );
  });

  test("aborted from another thread; what is kept is a whole prefix, and it can be used again", async () => {
    using context = smallContext(model, { contextLength: 4096, batchSize: 4096, microBatchSize: 64 });
    const long = new Int32Array(4000).map((_, index) => 300 + (index % 500));
    const batch = new Batch(model.native, { capacity: 4096 });
    // The thread rings as soon as it runs, and goes on until it is told to stop.
    const go = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(new URL("./support/abort.worker.ts", import.meta.url), {
      workerData: { flag: context.abortFlag.buffer, go },
    });
    await new Promise((resolve) => worker.once("message", resolve));
    Atomics.store(go, 0, 1);
    Atomics.notify(go, 0);
    expect(context.decode(batch.fill(long, { position: 0 }))).toBe("aborted");
    await new Promise((resolve) => worker.once("exit", resolve));
    const kept = context.memory.positionMax(0) + 1;
    expect(kept).toBeLessThan(4000);
    expect(kept % 64).toBe(0);
    context.memory.clear();
    feed(context, prompt);
    expect(continueGreedily(context, 10, { position: prompt.length })).toEqual(
      freshContinuation(model, prompt, 10),
    );
  });

  test("the flag may lie in memory that is given", () => {
    const flag = new Uint8Array(new SharedArrayBuffer(8), 4, 4);
    using context = new Context(model, { contextLength: 256, threads: 1, abortFlag: flag });
    expect(context.abortFlag).toBe(flag);
    Atomics.store(flag, 0, 1);
    const batch = new Batch(model.native, { capacity: 64 });
    expect(context.decode(batch.fill(prompt, { position: 0 }))).toBe("aborted");
    expect(context.decode(batch.fill(prompt, { position: 0 }))).toBe("done");
    expect(() => new Context(model, { abortFlag: new Uint8Array(4) })).toThrow(/shared memory/);
  });

  test("encoders encode, decoders do not", async () => {
    using bert = await loadFixture("embedding");
    using context = new Context(bert, { contextLength: 128, threads: 1, embeddings: true, pooling: "mean" });
    const batch = new Batch(bert.native, { capacity: 16 });
    expect(context.encode(batch.fill(Int32Array.of(5, 6, 7), { position: 0, outputs: "all" }))).toBe("done");
    expect(context.outputs.sequenceEmbedding(0)).toHaveLength(bert.outputEmbeddingLength);
    expect(() => context.memoryPointer).toThrow(/no memory/);
    using decoder = smallContext(model);
    expect(() => decoder.encode(batch)).toThrow(/hasEncoder is false/);
  });
});

describe("memory operations", () => {
  test("a shared prefix goes on like one of its own", () => {
    using context = smallContext(model, { maxSequences: 3, unifiedCache: true });
    const others = ["What is the capital of Norway?", "What is the capital of Japan?"].map((text) =>
      chatTokens(model, text),
    );
    feed(context, prompt);
    for (const [index, tokens] of others.entries()) {
      let shared = 0;
      while (tokens[shared] === prompt[shared]) shared++;
      expect(shared).toBeGreaterThan(3);
      context.memory.copy(0, index + 1, { from: 0, to: shared });
      feed(context, tokens.subarray(shared), { position: shared, sequence: index + 1 });
      expect(continueGreedily(context, 10, { position: tokens.length, sequence: index + 1 })).toEqual(
        freshContinuation(model, tokens, 10),
      );
    }
  });

  test("copySequence: streams share a prefix through their state", () => {
    using context = smallContext(model, { maxSequences: 2 });
    feed(context, prompt);
    context.state.copySequence(0, 1);
    expect(context.memory.positionMax(1)).toBe(prompt.length - 1);
    context.memory.remove(1, { from: prompt.length - 1 });
    feed(context, prompt.subarray(-1), { position: prompt.length - 1, sequence: 1 });
    expect(continueGreedily(context, 10, { position: prompt.length, sequence: 1 })).toEqual(
      freshContinuation(model, prompt, 10),
    );
  });

  test("a tail that is removed is forgotten", () => {
    using context = smallContext(model);
    const wrong = chatTokens(model, "Opposite of hot?");
    feed(context, Int32Array.of(...prompt, ...wrong));
    expect(context.memory.remove(0, { from: prompt.length - 1 })).toBe(true);
    feed(context, prompt.subarray(-1), { position: prompt.length - 1 });
    expect(continueGreedily(context, 10, { position: prompt.length })).toEqual(
      freshContinuation(model, prompt, 10),
    );
  });

  test("keep, clear, positions and shifts", () => {
    using context = smallContext(model, { maxSequences: 3, unifiedCache: true });
    feed(context, prompt);
    feed(context, prompt, { sequence: 2 });
    context.memory.keep(2);
    expect([0, 1, 2].map((sequence) => context.memory.positionMax(sequence))).toEqual([
      -1,
      -1,
      prompt.length - 1,
    ]);
    expect(context.memory.canShift).toBe(true);
    context.memory.remove(2, { from: 0, to: 4 });
    context.memory.shift(2, -4, { from: 4 });
    expect([context.memory.positionMin(2), context.memory.positionMax(2)]).toEqual([0, prompt.length - 5]);
    context.memory.clear({ data: true });
    expect(context.memory.positionMax(2)).toBe(-1);
  });

  test("recurrent memory has no tail to remove", async () => {
    using recurrent = await loadFixture("recurrent");
    using context = smallContext(recurrent);
    feed(context, Int32Array.of(1, 2, 3, 4));
    expect(context.memory.remove(0, { from: 2 })).toBe(false);
    expect(context.memory.positionMax(0)).toBe(3);
  });

  test("arguments out of range are refused by name", () => {
    using context = smallContext(model, { maxSequences: 2 });
    const { memory } = context;
    feed(context, prompt);
    const bad: [use: () => unknown, message: RegExp][] = [
      [() => memory.remove(2), /sequence must be between 0 and 1/],
      [() => memory.copy(0, 2), /target/],
      [() => memory.copy(-1, 0), /source/],
      [() => memory.copy(0, 1, { from: 2 }), /unifiedCache/],
      [() => memory.remove(0, { from: 3, to: 2 }), /from <= to/],
      [() => memory.remove(0, { from: Number.NaN }), /range\.from/],
      [() => memory.divide(0, 1), /divisor/],
      [() => memory.shift(0, 2 ** 40), /delta/],
      [() => memory.positionMax(1.5), /sequence/],
    ];
    for (const [use, message] of bad) expect(use).toThrow(message);
    expect(memory.positionMax(0)).toBe(prompt.length - 1);
  });
});

describe("thread pools", () => {
  test("compute the same, and live as long as a context uses them", () => {
    using context = smallContext(model, { threads: 2 });
    const pool = new ThreadPool(model.native, { threads: 2, poll: 0, priority: "low" });
    context.attachThreadPool(pool);
    expect(context.attachedThreadPools).toEqual([pool, pool]);
    pool.dispose();
    feed(context, prompt);
    expect(continueGreedily(context, 10, { position: prompt.length })).toEqual(
      freshContinuation(model, prompt, 10),
    );
    context.detachThreadPool();
    expect(() => context.attachThreadPool(pool)).toThrow(DisposedError);
    expect(argmax(context.logits())).toBeGreaterThanOrEqual(0);
  });

  test.each([
    { threads: 0 },
    { threads: 1.5 },
    { threads: 1e6 },
    { threads: 1, poll: 101 },
    { threads: 1, priority: "top" },
    { threads: 1, processors: [-1] },
  ])("%p is refused", (options) => {
    expect(() => new ThreadPool(model.native, options as never)).toThrow();
  });
});

test("counters count, and start again", () => {
  using context = smallContext(model);
  feed(context, prompt);
  continueGreedily(context, 5, { position: prompt.length });
  context.synchronize();
  expect(context.performance).toMatchObject({ promptTokens: prompt.length, generatedTokens: 5 });
  context.resetPerformance();
  expect(context.performance.promptTokens).toBeLessThanOrEqual(1);
  context.setThreads(1, 2);
  expect([context.threads, context.batchThreads]).toEqual([1, 2]);
  for (const bad of [1, "yes", null]) {
    expect(() => context.setEmbeddings(bad as never)).toThrow(TypeError);
    expect(() => context.setCausalAttention(bad as never)).toThrow(TypeError);
  }
});

test("embeddings beside logits", () => {
  using context = smallContext(model, { embeddings: true });
  feed(context, prompt, { outputs: "all" });
  const embedding = context.outputs.tokenEmbedding(-1);
  expect(embedding).toHaveLength(model.outputEmbeddingLength);
  expect(embedding.some((value) => value !== 0)).toBe(true);
  expect(() => context.outputs.sequenceEmbedding(0)).toThrow(/does not pool/);
});

test("every method of a disposed context throws, and disposing twice does nothing", () => {
  const context = smallContext(model);
  const batch = new Batch(model.native, { capacity: 8 }).fill(Int32Array.of(1), { position: 0 });
  context.decode(batch);
  const pool = new ThreadPool(model.native, { threads: 1 });
  context.dispose();
  context.dispose();
  const uses: Record<string, () => unknown> = {
    decode: () => context.decode(batch),
    encode: () => context.encode(batch),
    logits: () => context.logits(),
    tokenEmbedding: () => context.outputs.tokenEmbedding(),
    setThreads: () => context.setThreads(1),
    threads: () => context.threads,
    batchThreads: () => context.batchThreads,
    attach: () => context.attachThreadPool(pool),
    detach: () => context.detachThreadPool(),
    setEmbeddings: () => context.setEmbeddings(true),
    setCausalAttention: () => context.setCausalAttention(true),
    setAdapters: () => context.setAdapters([]),
    setControlVector: () => context.setControlVector(undefined),
    performance: () => context.performance,
    resetPerformance: () => context.resetPerformance(),
    synchronize: () => context.synchronize(),
    clear: () => context.memory.clear(),
    remove: () => context.memory.remove(0),
    copy: () => context.memory.copy(0, 0),
    positionMax: () => context.memory.positionMax(0),
    canShift: () => context.memory.canShift,
    save: () => context.state.save(),
    saveSequence: () => context.state.saveSequence(0),
    copySequence: () => context.state.copySequence(0, 0),
  };
  for (const [name, use] of Object.entries(uses)) expect(use, name).toThrow(DisposedError);
  pool.dispose();
});
