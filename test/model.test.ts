import { describe, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { DisposedError, ModelLoadError } from "../lib/errors.ts";
import { Context } from "../src/context.ts";
import { embeddedModelPath } from "../src/embedded-model.ts";
import { checkGguf } from "../src/gguf-file.ts";
import { Model } from "../src/model.ts";
import type { ModelOptions } from "../src/model-options.ts";
import { badFiles } from "./fixtures/bad-files.ts";
import { fixture, splitWithMissingPart } from "./fixtures/fixture-set.ts";
import { chatTokens, freshContinuation, loadFixture, loadTinyModel } from "./support/tiny-model.ts";

describe("loading", () => {
  test("reports its progress, upwards to 1", async () => {
    const seen: number[] = [];
    using model = await loadTinyModel({ onProgress: (fraction) => void seen.push(fraction) });
    expect(seen.length).toBeGreaterThan(1);
    expect(seen.at(-1)).toBe(1);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(model.disposed).toBe(false);
  });

  test("is stopped by onProgress, by what it throws, and by a signal", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    await expect(loadTinyModel({ onProgress: () => false })).rejects.toThrow(/stopped by onProgress/);
    await expect(
      loadTinyModel({
        onProgress: () => {
          throw reason;
        },
      }),
    ).rejects.toBe(reason);
    const aborted = loadTinyModel({ signal: controller.signal, onProgress: () => controller.abort(reason) });
    await expect(aborted).rejects.toBe(reason);
    await expect(loadTinyModel({ signal: controller.signal })).rejects.toBe(reason);
  });

  test("refuses every bad file with ModelLoadError, and lives", async () => {
    for (const { name, path } of await badFiles()) {
      const error = await Model.load(path).then(
        (model) => model.dispose(),
        (thrown: unknown) => thrown,
      );
      expect(error, name).toBeInstanceOf(ModelLoadError);
    }
    await expect(Model.load(join(import.meta.dir, "nothing.gguf"))).rejects.toThrow(/nothing\.gguf/);
    await expect(
      Model.load(embeddedModelPath().replace("tiny-chat-f16", "tiny-chat-pirate-lora")),
    ).rejects.toThrow(/LoRA adapter.*loadAdapter/);
  });

  test("a split model loads by any of its parts or by a list, and not without one of them", async () => {
    const first = await fixture("split");
    const parts = [1, 2, 3].map((part) => first.replace("00001-of", `0000${part}-of`));
    for (const options of [{ path: parts[2]! }, { path: parts[0]!, splits: parts }]) {
      const { path, ...rest } = options;
      using model = await Model.load(path, rest);
      expect(model.path).toBe(first);
      expect(model.tensors.size).toBe(checkGguf(first, { splits: parts }).tensors.length);
    }
    const { path, missing } = await splitWithMissingPart();
    await expect(Model.load(path)).rejects.toThrow(missing);
  });

  test("a vocabulary alone needs vocabOnly, and then has no weights", async () => {
    const path = await fixture("vocabulary");
    await expect(Model.load(path)).rejects.toThrow(/vocabOnly: true/);
    using model = await Model.load(path, { vocabOnly: true });
    expect(model.vocab.tokenize("hello").length).toBeGreaterThan(0);
    expect(() => model.loadAdapter(path)).toThrow(/vocabOnly/);
  });

  test("however the file is read, the model says the same", async () => {
    using model = await loadTinyModel();
    const prompt = chatTokens(model, "Opposite of hot?");
    const expected = freshContinuation(model, prompt, 8);
    for (const options of [
      { mmap: false },
      { mmap: true },
      { useExtraBufferTypes: false },
      { checkTensors: true },
    ]) {
      using other = await loadTinyModel(options);
      expect(freshContinuation(other, prompt, 8), JSON.stringify(options)).toEqual(expected);
    }
  });
});

describe("metadata overrides", () => {
  test("of every type reach the model, or are refused by key", async () => {
    using model = await loadTinyModel({
      kvOverrides: {
        "llama.context_length": 777,
        "llama.rope.freq_base": { type: "float", value: 5000 },
        "tokenizer.ggml.add_bos_token": true,
        "general.name": "renamed",
      },
    });
    expect(model.trainContextLength).toBe(777);
    expect(model.vocab.addBos).toBe(true);
    const bad: [overrides: object, message: RegExp][] = [
      [{ "llama.context_length": Number.NaN }, /context_length.*number/],
      [{ "llama.context_length": { type: "int", value: 1.5 } }, /context_length/],
      [{ "general.name": { type: "bool", value: "yes" } }, /general\.name.*true or false/],
      [{ "general.name": "x".repeat(128) }, /general\.name.*127 bytes/],
      [{ ["k".repeat(128)]: 1 }, /127 bytes/],
      [{ "general.name": "\ud800" }, /lone surrogate/],
      [{ "general.name": { type: "list", value: 1 } }, /int, float, bool or str/],
      [{ "llama.block_count": 10n ** 30n }, /64 bits/],
    ];
    for (const [kvOverrides, message] of bad)
      await expect(loadTinyModel({ kvOverrides: kvOverrides as never })).rejects.toThrow(message);
  });

  test("that would end the process are refused before libllama sees them", async () => {
    for (const kvOverrides of [{ "llama.attention.head_count": 0 }, { "llama.block_count": -1 }])
      await expect(loadTinyModel({ kvOverrides })).rejects.toThrow(ModelLoadError);
  });
});

describe("options", () => {
  const bad: [field: string, options: object][] = [
    ["gpuLayers", { gpuLayers: -1 }],
    ["gpuLayers", { gpuLayers: Number.NaN }],
    ["gpuLayers", { gpuLayers: 2 ** 40 }],
    ["mainGpu", { mainGpu: 1.5 }],
    ["tensorSplit", { tensorSplit: "half" }],
    ["tensorSplit", { tensorSplit: [-1] }],
    ["splitMode", { splitMode: "diagonal" }],
    ["devices", { devices: ["nowhere"] }],
    ["mmap", { mmap: "yes" }],
    ["vocabOnly", { vocabOnly: 1 }],
    ["onProgress", { onProgress: 5 }],
    ["signal", { signal: {} }],
    ["splits", { splits: [] }],
    ["splits", { splits: [7] }],
    ["lazyMode", { lazyMode: "constructor" }],
  ];
  test.each(bad)("%s is named where it is wrong: %p", async (field, options) => {
    const error = await loadTinyModel(options as ModelOptions).catch((thrown: unknown) => thrown);
    expect(error instanceof TypeError || error instanceof RangeError).toBe(true);
    expect((error as Error).message).toContain(field);
  });

  test("a path must be one", async () => {
    for (const path of ["", 5, undefined])
      await expect(Model.load(path as never)).rejects.toThrow(/path must be/);
    await expect(Model.load("a\0b")).rejects.toThrow(/NUL/);
  });
});

test("sizes and metadata are those of the file", async () => {
  const path = embeddedModelPath();
  using model = await loadTinyModel();
  const summary = checkGguf(path);
  expect(model.metadata.get("general.name")).toBe("tiny-chat");
  expect(model.metadata.get("llama.context_length")).toBe(String(model.trainContextLength));
  expect(model).toMatchObject({
    parameterCount: summary.parameterCount,
    layerCount: summary.layerCount,
    embeddingLength: summary.embeddingLength,
    headCount: 8,
    kvHeadCount: 4,
    fileType: "F16",
    ropeType: "norm",
    slidingWindow: 0,
    hasEncoder: false,
    hasDecoder: true,
    isRecurrent: false,
    isHybrid: false,
    isDiffusion: false,
    decoderStartToken: undefined,
  });
  expect(model.sizeBytes).toBeLessThan(statSync(path).size);
  expect(model.sizeBytes).toBe(summary.dataSize);
  expect(model.chatTemplate()).toContain("im_start");
  expect(model.chatTemplate("none such")).toBeUndefined();
  expect(model.description).toContain("llama");
});

test("kinds of memory and classifiers tell themselves apart", async () => {
  using recurrent = await loadFixture("recurrent");
  using hybrid = await loadFixture("hybrid");
  using window = await loadFixture("sliding-window");
  using seq2seq = await loadFixture("encoder-decoder");
  using reranker = await loadFixture("reranker");
  expect([recurrent.isRecurrent, hybrid.isHybrid, window.slidingWindow > 0]).toEqual([true, true, true]);
  expect([seq2seq.hasEncoder, seq2seq.hasDecoder]).toEqual([true, true]);
  expect(seq2seq.decoderStartToken).toBeGreaterThanOrEqual(0);
  expect(reranker.classifierOutputCount).toBeGreaterThan(0);
  expect(reranker.classifierLabels.length).toBeLessThanOrEqual(reranker.classifierOutputCount);
});

describe("lifetime", () => {
  test("every getter and method of a disposed model throws", async () => {
    const model = await loadTinyModel();
    const { vocab } = model;
    model.dispose();
    model.dispose();
    const getters = Object.entries(Object.getOwnPropertyDescriptors(Model.prototype)).filter(
      ([name, { get }]) => get && name !== "tensors",
    );
    expect(getters.length).toBeGreaterThan(20);
    for (const [name] of getters) expect(() => model[name as keyof Model], name).toThrow(DisposedError);
    for (const use of [
      () => model.chatTemplate(),
      () => model.loadAdapter("x"),
      () => new Context(model),
      () => vocab.tokenize("x"),
      () => vocab.detokenize([1]),
      () => vocab.bos,
      () => vocab.text(1),
      () => vocab.score(1),
      () => vocab.attributes(1),
      () => vocab.isControl(1),
      () => vocab.addBos,
      () => vocab.suppressTokens,
    ])
      expect(use).toThrow(DisposedError);
  });

  test("a context keeps its model, which is freed with the last of them", async () => {
    const model = await loadTinyModel();
    const prompt = chatTokens(model, "Opposite of hot?");
    using context = new Context(model, { contextLength: 256, threads: 1 });
    model.dispose();
    expect(() => context.decode).not.toThrow();
    const { Batch } = await import("../src/batch.ts");
    const batch = new Batch(context.native, { capacity: 64 });
    expect(context.decode(batch.fill(prompt, { position: 0 }))).toBe("done");
    expect(() => new Context(model)).toThrow(DisposedError);
  });

  test("a borrowed model reads like its owner and frees nothing", async () => {
    using owner = await loadTinyModel();
    const borrowed = Model.borrow(owner.native, { path: owner.path, pointer: owner.pointer });
    expect(borrowed.vocab.tokenize("hello")).toEqual(owner.vocab.tokenize("hello"));
    expect([...borrowed.tensors.keys()]).toEqual([...owner.tensors.keys()]);
    borrowed.dispose();
    expect(() => borrowed.vocab.tokenize("hello")).toThrow(DisposedError);
    expect(owner.vocab.tokenize("hello").length).toBeGreaterThan(0);
  });
});
