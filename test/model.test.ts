import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { DisposedError, ModelLoadError } from "../lib/errors.ts";
import { TokenArena } from "../lib/token-arena.ts";
import { Context } from "../src/context.ts";
import { embeddedModelPath } from "../src/embedded-model.ts";
import { checkGguf } from "../src/gguf-file.ts";
import { Model } from "../src/model.ts";
import type { ModelOptions } from "../src/model-options.ts";
import { Vocab } from "../src/vocab.ts";
import { badFiles } from "./fixtures/bad-files.ts";
import { fixture, splitWithMissingPart } from "./fixtures/fixture-set.ts";
import {
  chatTokens,
  continueGreedily,
  feed,
  freshContinuation,
  loadTinyModel,
  smallContext,
} from "./support/tiny-model.ts";

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
    // Early and late: a stop at 1 comes when the model is whole.
    for (const last of [0, 1]) {
      const seen: number[] = [];
      const stopped = loadTinyModel({ onProgress: (fraction) => seen.push(fraction) > 0 && fraction < last });
      await expect(stopped).rejects.toThrow(ModelLoadError);
      await expect(stopped).rejects.toThrow(/stopped by onProgress/);
      expect(seen.at(-1)!).toBeGreaterThanOrEqual(last);
      expect(seen.filter((fraction) => fraction >= last)).toHaveLength(1);
    }
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
    const named = Model.load(path, { splits: [path, missing, path.replace("00001-of", "00003-of")] });
    await expect(named).rejects.toThrow(`${missing} cannot be opened`);
    await expect(Model.load(first, { splits: parts.toReversed() })).rejects.toThrow(/put the parts in order/);
    await expect(Model.load(first, { splits: parts.slice(1) })).rejects.toThrow(/must include the path/);
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
      { mlock: true },
      { mlock: true, mmap: false },
      { directIo: true },
      { lazyMode: "on" },
      { useExtraBufferTypes: false },
      { checkTensors: true },
      { gpuLayers: 0, devices: [] },
      { tensorBufferOverrides: [{ pattern: "ffn_(up|down)", device: "CPU" }] },
    ] as const) {
      using other = await loadTinyModel(options);
      expect(freshContinuation(other, prompt, 8), JSON.stringify(options)).toEqual(expected);
    }
  });
});

describe("options", () => {
  const bad: [field: string, options: object][] = [
    ["gpuLayers", { gpuLayers: -1 }],
    ["gpuLayers", { gpuLayers: Number.NaN }],
    ["gpuLayers", { gpuLayers: 2 ** 40 }],
    ["mainGpu", { mainGpu: 1.5 }],
    ["tensorSplit", { tensorSplit: "half" }],
    ["gpuLayers", { gpuLayers: "5" }],
    ["mainGpu", { mainGpu: -1 }],
    ["tensorSplit[0]", { tensorSplit: [-1] }],
    ["tensorSplit[1]", { tensorSplit: [1, 1e300] }],
    ["tensorSplit[0]", { tensorSplit: ["1"] }],
    ["tensorSplit", { tensorSplit: new Array(65).fill(1) }],
    ["splitMode", { splitMode: "diagonal" }],
    ["devices[0]", { devices: ["nowhere"] }],
    ["devices[0]", { devices: ["CPU"] }],
    ["devices[0]", { devices: [5] }],
    ["devices", { devices: "none" }],
    ["tensorBufferOverrides[0]", { tensorBufferOverrides: [null] }],
    ["tensorBufferOverrides[0].pattern", { tensorBufferOverrides: [{ pattern: 5, device: "CPU" }] }],
    ["tensorBufferOverrides[0].device", { tensorBufferOverrides: [{ pattern: "a", device: "GPU9" }] }],
    ["directIo", { directIo: true, mlock: true }],
    ["mmap", { mmap: "yes" }],
    ["mlock", { mlock: null }],
    ["checkTensors", { checkTensors: 1 }],
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

  test("a pattern that is none is libllama's to refuse", async () => {
    const attempt = loadTinyModel({ tensorBufferOverrides: [{ pattern: "(", device: "CPU" }] });
    await expect(attempt).rejects.toThrow(ModelLoadError);
    await expect(attempt).rejects.toThrow("Parenthesis is not closed");
  });
});

describe("lifetime", () => {
  test("every getter and method of a disposed model throws", async () => {
    const model = await loadTinyModel();
    const { vocab } = model;
    // What is cached is as gone as what must be asked for.
    expect([vocab.pieceBytes(5).length, vocab.isEndOfGeneration(5)]).toEqual([1, false]);
    expect(model.metadata.size).toBeGreaterThan(0);
    model.dispose();
    model.dispose();
    const getters = Object.entries(Object.getOwnPropertyDescriptors(Model.prototype)).filter(
      ([name, { get }]) => get && name !== "tensors",
    );
    expect(getters.length).toBeGreaterThan(20);
    for (const [name] of getters) expect(() => model[name as keyof Model], name).toThrow(DisposedError);
    for (const use of [() => model.chatTemplate(), () => model.loadAdapter("x"), () => new Context(model)])
      expect(use).toThrow(DisposedError);
    const uses: Partial<Record<keyof Vocab, () => unknown>> = {
      tokenize: () => vocab.tokenize("x"),
      tokenizeInto: () => vocab.tokenizeInto(new TokenArena().allocate(1), "x"),
      detokenize: () => vocab.detokenize([1]),
      detokenizeBytes: () => vocab.detokenizeBytes([1]),
      pieceBytes: () => vocab.pieceBytes(5),
      text: () => vocab.text(1),
      score: () => vocab.score(1),
      attributes: () => vocab.attributes(1),
      specialText: () => vocab.specialText(1),
      isControl: () => vocab.isControl(1),
      isEndOfGeneration: () => vocab.isEndOfGeneration(5),
    };
    for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(Vocab.prototype))) {
      if (name === "constructor" || name === "checkToken") continue;
      const use = get ? () => vocab[name as keyof Vocab] : uses[name as keyof Vocab];
      expect(use, `a method without a line here: ${name}`).toBeDefined();
      expect(use!, name).toThrow(DisposedError);
    }
  });

  test("a context keeps its model's C object, which answers as before", async () => {
    const model = await loadTinyModel();
    const prompt = chatTokens(model, "Opposite of hot?");
    const expected = freshContinuation(model, prompt, 8);
    using context = smallContext(model);
    model.dispose();
    expect(() => new Context(model)).toThrow(DisposedError);
    feed(context, prompt);
    expect(continueGreedily(context, 8, { position: prompt.length })).toEqual(expected);
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
