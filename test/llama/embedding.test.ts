import { afterAll, beforeAll, expect, test } from "bun:test";
import { Llama } from "../../src/llama.ts";
import { fixture } from "../fixtures/fixture-set.ts";

let llama: Llama;
beforeAll(async () => {
  llama = await Llama.load(undefined, { contextLength: 512, threads: 1 });
});
afterAll(() => llama.close());

const length = (values: readonly number[]) => Math.hypot(...values);

test("embeddings have length 1, and the same text the same embedding", async () => {
  const { data, usage, object } = await llama.createEmbedding({
    input: ["The dog barks.", "What is 2 + 2?", "The dog barks."],
  });
  expect(object).toBe("list");
  expect(data.map(({ index }) => index)).toEqual([0, 1, 2]);
  for (const { embedding } of data) {
    expect(embedding).toHaveLength(llama.embeddingLength);
    expect(length(embedding)).toBeCloseTo(1, 4);
  }
  expect(data[0]!.embedding).toEqual(data[2]!.embedding);
  expect(data[0]!.embedding).not.toEqual(data[1]!.embedding);
  expect(usage.prompt_tokens).toBe(
    ["The dog barks.", "What is 2 + 2?", "The dog barks."].reduce(
      (sum, text) => sum + llama.tokenize(text).length,
      0,
    ),
  );
});

test("dimensions cut and scale; base64 holds the same floats", async () => {
  const input = "The dog barks.";
  const {
    data: [short],
  } = await llama.createEmbedding({ input, dimensions: 16 });
  expect(short!.embedding).toHaveLength(16);
  expect(length(short!.embedding)).toBeCloseTo(1, 4);
  const {
    data: [plain],
  } = await llama.createEmbedding({ input });
  const {
    data: [encoded],
  } = await llama.createEmbedding({ input, encoding_format: "base64" });
  const bytes = Buffer.from(encoded!.embedding as unknown as string, "base64");
  const floats = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  expect(Array.from(floats)).toEqual(plain!.embedding);
});

test("text and its tokens give the same", async () => {
  const input = "The dog barks.";
  const {
    data: [text],
  } = await llama.createEmbedding({ input });
  const {
    data: [tokens],
  } = await llama.createEmbedding({ input: Array.from(llama.tokenize(input)) });
  expect(tokens!.embedding).toEqual(text!.embedding);
});

test("generating goes on undisturbed", async () => {
  const params = { prompt: "What is the capital of", temperature: 0, max_tokens: 1 } as const;
  const before = await llama.createCompletion(params);
  await llama.createEmbedding({ input: "The dog barks." });
  const after = await llama.createCompletion(params);
  expect(after.choices[0]!.text).toBe(before.choices[0]!.text);
  expect(after.timings.prompt_n).toBe(1);
});

test.each([
  [{ input: "" }, /no tokens/],
  [{ input: [] }, /input/],
  [{ input: "a", dimensions: 0 }, /dimensions/],
  [{ input: "a", dimensions: 1e6 }, /dimensions/],
  [{ input: "a", encoding_format: "hex" }, /encoding_format/],
  [{ input: [1e9] }, /input\[0\]/],
  [{ input: "word ".repeat(3000) }, /at most/],
])("%p is refused by name", async (params, message) => {
  await expect(llama.createEmbedding(params as never)).rejects.toThrow(message);
});

test("an encoder embeds, and says that it cannot generate", async () => {
  await using bert = await Llama.load(await fixture("embedding"), { threads: 1 });
  const { data } = await bert.createEmbedding({
    input: [
      [5, 6, 7],
      [5, 6, 8],
    ],
  });
  expect(length(data[0]!.embedding)).toBeCloseTo(1, 4);
  expect(data[0]!.embedding).not.toEqual(data[1]!.embedding);
  await expect(bert.createCompletion({ prompt: [5, 6, 7] })).rejects.toThrow(/cannot generate/);
});

test("a reranker gives its score", async () => {
  await using reranker = await Llama.load(await fixture("reranker"), { threads: 1 });
  const { data } = await reranker.createEmbedding({ input: [[5, 6, 7]] });
  expect(data[0]!.embedding).toHaveLength(reranker.model.classifierOutputCount);
});

test.each(["mean", "last", "cls"] as const)("pooling %s is for embeddings only", async (pooling) => {
  await using pooled = await Llama.load(undefined, { pooling, contextLength: 256, threads: 1 });
  const input = "The dog barks.";
  const {
    data: [embedded],
  } = await pooled.createEmbedding({ input });
  expect(length(embedded!.embedding)).toBeCloseTo(1, 4);
  const prompt = { prompt: input, max_tokens: 8, temperature: 0 };
  const [text, plain] = await Promise.all([pooled.createCompletion(prompt), llama.createCompletion(prompt)]);
  expect(text.choices[0]!.text).toBe(plain.choices[0]!.text);
});
