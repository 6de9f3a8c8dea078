import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GgufEntry } from "../lib/gguf-value.ts";
import { embeddedModelPath } from "../src/embedded-model.ts";
import { checkGguf, readGgufFile } from "../src/gguf-file.ts";
import { Model } from "../src/model.ts";
import { architectureEntries, architectureTensors } from "./fixtures/architectures.ts";
import { type FixtureName, fixture, fixtureRecipes } from "./fixtures/fixture-set.ts";
import { writeGguf } from "./fixtures/gguf-writer.ts";
import { completeRecipe } from "./fixtures/recipe.ts";
import { vocabularyEntries } from "./fixtures/vocabularies.ts";
import { loadFixture, loadTinyModel } from "./support/tiny-model.ts";
import { writeVocabulary } from "./support/write-vocabulary.ts";

const folder = mkdtempSync(join(tmpdir(), "cria-metadata-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A value as libllama writes it. */
const written = ({ type, value }: GgufEntry) =>
  type === "f32" || type === "f64" ? Number(value).toFixed(6) : String(value);

test.each(["tiny", "llama-spm", "hybrid", "embedding", "encoder-decoder"] as const)(
  "metadata, tensors and sizes of %s are those of its header",
  async (name) => {
    const path = name === "tiny" ? embeddedModelPath() : await fixture(name);
    const header = readGgufFile(path);
    const summary = checkGguf(path);
    using model = await Model.load(path);
    const scalars = [...header.metadata].filter(([, { type }]) => type !== "array");
    expect(Object.fromEntries(model.metadata)).toEqual(
      Object.fromEntries(scalars.map(([key, entry]) => [key, written(entry)])),
    );
    expect(model.metadata).toBe(model.metadata);
    expect([...model.tensors]).toEqual([...header.tensors]);
    expect(model).toMatchObject({
      path,
      parameterCount: summary.parameterCount,
      trainContextLength: summary.contextLength,
      layerCount: summary.layerCount,
      embeddingLength: summary.embeddingLength,
      inputEmbeddingLength: summary.embeddingLength,
      fileType: summary.fileType,
    });
    const bytes = [...header.tensors.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(model.sizeBytes).toBe(bytes);
    expect(model.sizeBytes).toBeLessThan(statSync(path).size);
    expect(model.description).toStartWith(summary.architecture!);
    expect(model.vocab.size).toBe(summary.vocabularySize!);
  },
);

test("what the embedded model is", async () => {
  using model = await loadTinyModel();
  expect(model).toMatchObject({
    headCount: 8,
    kvHeadCount: 4,
    outputEmbeddingLength: 256,
    fileType: "F16",
    ropeType: "norm",
    ropeFrequencyScale: 1,
    slidingWindow: 0,
    hasEncoder: false,
    hasDecoder: true,
    isRecurrent: false,
    isHybrid: false,
    isDiffusion: false,
    decoderStartToken: undefined,
  });
  // Longer than the buffer metadata is first read into.
  const template = model.metadata.get("tokenizer.chat_template");
  expect(template!.length).toBeGreaterThan(1024);
  expect(model.chatTemplate()).toBe(template);
  expect(model.chatTemplate("none such")).toBeUndefined();
  expect(() => model.chatTemplate("a\0b")).toThrow(/name must not contain a NUL/);
});

test("chat templates by name, and metadata in any script", async () => {
  const path = join(folder, "templates.gguf");
  const name = `${"ラマ🦙".repeat(400)}`;
  writeVocabulary(path, "bpe", {
    entries: [
      { key: "tokenizer.chat_template.tool_use", type: "string", value: "with tools" },
      { key: "general.description", type: "string", value: name },
      { key: "general.empty", type: "string", value: "" },
    ],
  });
  using model = await Model.load(path, { vocabOnly: true });
  expect(model.chatTemplate("tool_use")).toBe("with tools");
  expect(model.chatTemplate()).toContain("im_start");
  expect(model.metadata.get("general.description")).toBe(name);
  expect(model.metadata.get("general.empty")).toBe("");
});

type Kind = Pick<
  Model,
  "isRecurrent" | "isHybrid" | "hasEncoder" | "hasDecoder" | "slidingWindow" | "ropeType"
>;
const decoder = {
  isRecurrent: false,
  isHybrid: false,
  hasEncoder: false,
  hasDecoder: true,
  slidingWindow: 0,
};
const kinds: [name: FixtureName, kind: Kind][] = [
  ["llama", { ...decoder, ropeType: "norm" }],
  ["recurrent", { ...decoder, isRecurrent: true, ropeType: "none" }],
  ["hybrid", { ...decoder, isHybrid: true, ropeType: "neox" }],
  ["sliding-window", { ...decoder, slidingWindow: 32, ropeType: "neox" }],
  ["encoder-decoder", { ...decoder, hasEncoder: true, ropeType: "none" }],
];
test.each(kinds)("%s tells what it is", async (name, kind) => {
  using model = await loadFixture(name);
  expect(model).toMatchObject(kind);
  expect(model.decoderStartToken).toBe(name === "encoder-decoder" ? 0 : undefined);
  expect(model.classifierLabels).toEqual([]);
});

test("a classifier's labels are those of its file", async () => {
  const recipe = completeRecipe(fixtureRecipes.reranker);
  const path = join(folder, "labels.gguf");
  const labels = {
    key: "bert.classifier.output_labels",
    type: "array",
    of: "string",
    value: ["fits"],
  } as const;
  const entries = [
    ...architectureEntries(recipe),
    ...vocabularyEntries(recipe.vocabulary, recipe.vocabularySize),
    labels,
  ];
  writeGguf(path, entries, architectureTensors(recipe), recipe.seed);
  using model = await Model.load(path);
  expect([model.classifierOutputCount, model.classifierLabels]).toEqual([1, ["fits"]]);
  using unnamed = await loadFixture("reranker");
  expect([unnamed.classifierOutputCount, unnamed.classifierLabels]).toEqual([1, []]);
});
