import { expect, test } from "bun:test";
import { dirname, join } from "node:path";
import { ModelLoadError } from "../lib/errors.ts";
import { embeddedModelPath } from "../src/embedded-model.ts";
import { checkGguf, readGgufFile, splitPaths } from "../src/gguf-file.ts";
import { badFiles } from "./fixtures/bad-files.ts";
import { type FixtureName, fixture, fixtureRecipes, splitWithMissingPart } from "./fixtures/fixture-set.ts";

test("sums up the model that comes with cria", () => {
  const { tensors, tensorTypes, ...summary } = checkGguf(embeddedModelPath());
  expect(summary).toMatchObject({
    kind: "model",
    architecture: "llama",
    name: "tiny-chat",
    parameterCount: 2_623_744,
    fileType: "F16",
    contextLength: 8192,
    layerCount: 4,
    vocabularySize: 1024,
    split: undefined,
    hasTensors: true,
    hasVocabulary: true,
  });
  expect(tensors.length).toBe([...tensorTypes.values()].reduce((sum, { count }) => sum + count, 0));
  expect(summary.dataSize).toBeLessThan(summary.fileSize);
});

test("every bad file is a ModelLoadError that names it and says what is wrong", async () => {
  const files = await badFiles();
  expect(files.length).toBeGreaterThan(40);
  for (const { name, path, message } of files) {
    const attempt = () => checkGguf(path);
    expect(attempt, name).toThrow(ModelLoadError);
    expect(attempt, name).toThrow(message);
    expect(attempt, name).toThrow(path);
  }
});

test("a folder is no model", () => {
  expect(() => checkGguf(import.meta.dir)).toThrow(/is a folder/);
});

test("all parts of a split model count as one, whichever is named", async () => {
  const path = await fixture("split");
  const parts = splitPaths(path);
  expect(parts.length).toBe(3);
  const whole = checkGguf(await fixture("llama"));
  for (const part of parts) {
    const summary = checkGguf(part);
    expect(summary.parameterCount).toBe(whole.parameterCount);
    expect(summary.tensors.map(({ name }) => name)).toEqual(whole.tensors.map(({ name }) => name));
    expect(summary.split).toEqual({ index: 0, count: 3 });
  }
});

test("a missing part is named", async () => {
  const { path, missing } = await splitWithMissingPart();
  expect(() => checkGguf(path)).toThrow(ModelLoadError);
  expect(() => checkGguf(path)).toThrow(missing);
});

test("parts in the wrong order, or too few of them, are refused", async () => {
  const [first, second, third] = splitPaths(await fixture("split")) as [string, string, string];
  expect(() => checkGguf(first, { splits: [first, third, second] })).toThrow(/put the parts in order/);
  expect(() => checkGguf(first, { splits: [first, second] })).toThrow(/one of 3 parts/);
});

/** The benchmark's two take a second each to build and are checked where they are used. */
const small = (Object.keys(fixtureRecipes) as FixtureName[]).filter((name) => !name.startsWith("bench-"));

test.each(small)("the fixture %s passes, and is found again in the cache", async (name) => {
  const path = await fixture(name);
  const { architecture, vocabularySize, hasTensors } = checkGguf(path);
  const recipe: { architecture: string; vocabularySize?: number; vocabularyOnly?: boolean } =
    fixtureRecipes[name];
  expect(architecture).toBe(recipe.architecture);
  expect(vocabularySize).toBe(recipe.vocabularySize ?? 1024);
  expect(hasTensors).toBe(recipe.vocabularyOnly !== true);
  const { fileSize, expectedSize } = readGgufFile(path);
  expect(fileSize).toBe(expectedSize);
  expect(await fixture(name)).toBe(path);
});

test("different recipes are different files", async () => {
  const paths = await Promise.all(small.map(fixture));
  expect(new Set(paths.map((path) => join(dirname(path)))).size).toBe(small.length);
});
