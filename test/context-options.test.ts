import { afterAll, describe, expect, test } from "bun:test";
import { ContextInitError } from "../lib/errors.ts";
import { Context } from "../src/context.ts";
import {
  type ContextOptions,
  cacheTypes,
  contextParameters,
  defaultThreadCount,
} from "../src/context-options.ts";
import { Model } from "../src/model.ts";
import { buildFixture } from "./fixtures/build-fixture.ts";
import { loadFixture } from "./support/tiny-model.ts";

const model = await loadFixture("llama");
const embedder = await loadFixture("embedding");
afterAll(() => {
  model.dispose();
  embedder.dispose();
});

/** Every option with a value that is not its default, and the C field it must reach. */
const reaches: readonly [keyof ContextOptions, unknown, field: string, expected: number][] = [
  ["contextLength", 777, "n_ctx", 777],
  ["batchSize", 99, "n_batch", 99],
  ["microBatchSize", 33, "n_ubatch", 33],
  ["maxSequences", 7, "n_seq_max", 7],
  ["recurrentSnapshots", 3, "n_rs_seq", 3],
  ["maxOutputs", 5, "n_outputs_max", 5],
  ["maxOutputsPerSequence", 4, "n_outputs_max_per_seq", 4],
  ["threads", 3, "n_threads", 3],
  ["batchThreads", 5, "n_threads_batch", 5],
  ["contextType", "mtp", "ctx_type", 1],
  ["ropeScaling", "yarn", "rope_scaling_type", 2],
  ["pooling", "last", "pooling_type", 3],
  ["attention", "non-causal", "attention_type", 1],
  ["flashAttention", "on", "flash_attn_type", 1],
  ["flashAttention", false, "flash_attn_type", 0],
  ["flashAttention", "auto", "flash_attn_type", -1],
  ["ropeFrequencyBase", 5e5, "rope_freq_base", 5e5],
  ["ropeFrequencyScale", 0.25, "rope_freq_scale", 0.25],
  ["yarnExtrapolationFactor", 0.5, "yarn_ext_factor", 0.5],
  ["yarnAttentionFactor", 2, "yarn_attn_factor", 2],
  ["yarnBetaFast", 16, "yarn_beta_fast", 16],
  ["yarnBetaSlow", 2, "yarn_beta_slow", 2],
  ["yarnOriginalContextLength", 1024, "yarn_orig_ctx", 1024],
  ["cacheTypeK", "q8_0", "type_k", 8],
  ["cacheTypeV", "f32", "type_v", 0],
  ["embeddings", true, "embeddings", 1],
  ["offloadKqv", false, "offload_kqv", 0],
  ["measure", false, "no_perf", 1],
  ["offloadOperations", false, "op_offload", 0],
  ["fullSlidingWindow", false, "swa_full", 0],
  ["unifiedCache", true, "kv_unified", 1],
];

describe("contextParameters", () => {
  test.each(reaches)("%s: %p sets %s to %d and nothing else does", (option, value, field, expected) => {
    const parameters = contextParameters({ [option]: value }, 4096);
    expect(parameters[field]).toBe(expected);
    const plain = contextParameters({}, 4096);
    if (option !== "flashAttention" || value !== "auto") expect(plain[field]).not.toBe(expected);
  });

  test("each option is in the table above", () => {
    const parameters = Object.keys(contextParameters({}, 4096)).toSorted();
    expect([...new Set(reaches.map(([, , field]) => field))].toSorted()).toEqual(parameters);
  });

  test("defaults follow the model and the machine", () => {
    expect(contextParameters({}, 2048)).toMatchObject({ n_ctx: 2048, n_batch: 2048, n_ubatch: 512 });
    expect(contextParameters({}, 131072).n_ctx).toBe(4096);
    expect(contextParameters({}, 0).n_ctx).toBe(4096);
    expect(contextParameters({ batchSize: 100 }, 0).n_ubatch).toBe(100);
    expect(contextParameters({ threads: 3 }, 0).n_threads_batch).toBe(3);
    expect(contextParameters({}, 0).n_threads).toBe(defaultThreadCount());
    expect(defaultThreadCount()).toBeGreaterThanOrEqual(1);
  });

  const integers: (keyof ContextOptions)[] = [
    "contextLength",
    "batchSize",
    "microBatchSize",
    "maxSequences",
    "recurrentSnapshots",
    "maxOutputs",
    "maxOutputsPerSequence",
    "threads",
    "batchThreads",
    "yarnOriginalContextLength",
  ];
  const floats: (keyof ContextOptions)[] = [
    "ropeFrequencyBase",
    "ropeFrequencyScale",
    "yarnExtrapolationFactor",
    "yarnAttentionFactor",
    "yarnBetaFast",
    "yarnBetaSlow",
  ];
  const choices: (keyof ContextOptions)[] = [
    "contextType",
    "ropeScaling",
    "pooling",
    "attention",
    "flashAttention",
    "cacheTypeK",
    "cacheTypeV",
  ];
  const booleans: (keyof ContextOptions)[] = [
    "embeddings",
    "offloadKqv",
    "measure",
    "offloadOperations",
    "fullSlidingWindow",
    "unifiedCache",
  ];
  const refused = (
    option: keyof ContextOptions,
    value: unknown,
    kind: typeof TypeError | typeof RangeError,
  ) => {
    const call = () => contextParameters({ [option]: value } as ContextOptions, 4096);
    expect(call, `${option} ${String(value)}`).toThrow(kind);
    expect(call).toThrow(option);
  };

  test.each(integers)("%s refuses what is no count", (option) => {
    for (const value of [Number.NaN, 1.5, Number.POSITIVE_INFINITY, "8", true, [], {}]) {
      refused(option, value, TypeError);
    }
    for (const value of [-1, -(2 ** 31), 2 ** 31, 2 ** 32, 2 ** 53]) refused(option, value, RangeError);
  });

  test.each(["batchSize", "microBatchSize", "maxSequences", "threads", "batchThreads"] as const)(
    "%s refuses 0",
    (option) => refused(option, 0, RangeError),
  );

  test("limits that depend on others", () => {
    refused("maxSequences", 257, RangeError);
    refused("threads", 513, RangeError);
    expect(() => contextParameters({ batchSize: 10, microBatchSize: 11 }, 0)).toThrow("microBatchSize");
    expect(() => contextParameters({ batchSize: 10, maxOutputs: 11 }, 0)).toThrow("maxOutputs");
  });

  test.each(floats)("%s refuses what is no finite number", (option) => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, "1", true, 1n])
      refused(option, value, TypeError);
  });

  test.each(choices)("%s refuses a word that is not on its list, inherited ones included", (option) => {
    for (const value of ["fast", "", "toString", "__proto__", 7]) refused(option, value, RangeError);
  });

  test.each(booleans)("%s refuses what is no boolean", (option) => {
    for (const value of [0, 1, "true", Number.NaN, {}]) refused(option, value, TypeError);
  });
});

describe("Context options at libllama", () => {
  test("lengths, sequences and threads are read back", () => {
    using context = new Context(model, {
      contextLength: 1024,
      batchSize: 128,
      microBatchSize: 64,
      maxSequences: 4,
      threads: 1,
      batchThreads: 2,
      unifiedCache: true,
    });
    expect(context).toMatchObject({
      contextLength: 1024,
      sequenceLength: 1024,
      batchSize: 128,
      microBatchSize: 64,
      maxSequences: 4,
      unifiedCache: true,
      threads: 1,
      batchThreads: 2,
      pooling: "none",
    });
  });

  test("split mode divides the context among the sequences", () => {
    using context = new Context(model, { contextLength: 1024, maxSequences: 4, threads: 1 });
    expect([context.contextLength, context.sequenceLength, context.unifiedCache]).toEqual([1024, 256, false]);
  });

  test("contextLength 0 takes the model's own", () => {
    using context = new Context(model, { contextLength: 0, threads: 1 });
    expect(context.contextLength).toBe(model.trainContextLength);
  });

  test("setThreads changes both counts, and refuses bad ones", () => {
    using context = new Context(model, { contextLength: 64, threads: 1 });
    context.setThreads(2, 3);
    expect([context.threads, context.batchThreads]).toEqual([2, 3]);
    context.setThreads(4);
    expect([context.threads, context.batchThreads]).toEqual([4, 4]);
    expect(() => context.setThreads(0)).toThrow(/^threads/);
    expect(() => context.setThreads(1, -1)).toThrow(/^batchThreads/);
    expect(() => context.setThreads(Number.NaN)).toThrow(TypeError);
    expect([context.threads, context.batchThreads]).toEqual([4, 4]);
  });

  test.each(["none", "mean", "cls", "last"] as const)("pooling %s is read back", (pooling) => {
    using context = new Context(embedder, { pooling, embeddings: true, contextLength: 64, threads: 1 });
    expect(context.pooling).toBe(pooling);
  });

  test.each(Object.keys(cacheTypes) as (keyof typeof cacheTypes)[])(
    "cacheTypeK and V %s give a context or a reason",
    (type) => {
      // Heads of 16 values cannot be cut into the blocks of 32 that quantized types have.
      try {
        using context = new Context(model, {
          cacheTypeK: type,
          cacheTypeV: type,
          contextLength: 64,
          threads: 1,
        });
        expect(context.contextLength).toBeGreaterThanOrEqual(64);
      } catch (error) {
        expect(error).toBeInstanceOf(ContextInitError);
        expect((error as Error).message).not.toContain("gave no reason");
        expect(type).toMatch(/^(q|iq)/);
      }
    },
  );

  test("a quantized V cache without flash attention is refused in libllama's words", () => {
    const call = () => new Context(model, { cacheTypeV: "q8_0", flashAttention: false, contextLength: 64 });
    expect(call).toThrow(ContextInitError);
    expect(call).toThrow(/V cache/i);
  });

  test("a cache larger than the machine's memory is refused before it is asked for", async () => {
    // 64 layers of 2^24 cells are 2 TiB: no machine that runs these tests has them.
    using deep = await Model.load(await buildFixture({ architecture: "llama", layers: 64, width: 64 }));
    const call = () => new Context(deep, { contextLength: 2 ** 24, cacheTypeK: "f32", cacheTypeV: "f32" });
    expect(call).toThrow(ContextInitError);
    expect(call).toThrow(/contextLength 16777216 .* GiB.*smaller contextLength/);
  });

  test("a vocabulary alone cannot have a context", async () => {
    using vocabulary = await loadFixture("vocabulary", { vocabOnly: true });
    expect(() => new Context(vocabulary)).toThrow(/vocabOnly/);
  });

  test("a disposed model cannot have a context", async () => {
    const short = await loadFixture("llama");
    short.dispose();
    expect(() => new Context(short)).toThrow("Model has been disposed");
  });
});
