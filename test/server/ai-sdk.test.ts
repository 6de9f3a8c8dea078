import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, embed, embedMany, generateText, streamText } from "ai";
import type { WorkerEngine } from "../../src/engine/worker-engine.ts";
import { idle, type Listening, listen, loadEngine } from "../support/server.ts";

setDefaultTimeout(30_000);

const france = "What is the capital of France?";
const paris = "The capital of France is Paris.";

let engine: WorkerEngine;
let server: Listening;
let provider: ReturnType<typeof createOpenAICompatible>;
beforeAll(async () => {
  engine = await loadEngine();
  server = listen(engine);
  provider = createOpenAICompatible({ name: "cria", baseURL: `${server.url}/v1`, includeUsage: true });
});
afterAll(async () => {
  await server.close();
  await engine.close();
});

test("generateText", async () => {
  const { text, finishReason, usage } = await generateText({
    model: provider("tiny"),
    prompt: france,
    temperature: 0,
  });
  expect([text, finishReason]).toEqual([paris, "stop"]);
  expect(usage.totalTokens).toBe(usage.inputTokens! + usage.outputTokens!);
});

test("every setting that it can send is understood", async () => {
  const { text, finishReason } = await generateText({
    model: provider("tiny"),
    system: "You are a helpful assistant.",
    messages: [
      { role: "user", content: "My name is Anna." },
      { role: "assistant", content: "Nice to meet you, Anna!" },
      { role: "user", content: [{ type: "text", text: "What is my name?" }] },
    ],
    temperature: 0,
    topP: 0.9,
    presencePenalty: 0.1,
    frequencyPenalty: 0.1,
    stopSequences: [" Anna"],
    seed: 3,
    maxOutputTokens: 20,
  });
  expect([text, finishReason]).toEqual(["Your name is", "stop"]);
});

test("a completion model", async () => {
  const { usage, finishReason } = await generateText({
    model: provider.completionModel("tiny"),
    prompt: "Once upon a time",
    maxOutputTokens: 8,
    providerOptions: { cria: { ignore_eos: true } },
  });
  expect([usage.outputTokens, finishReason]).toEqual([8, "length"]);
});

test("streamText", async () => {
  const { textStream, usage, finishReason } = streamText({
    model: provider("tiny"),
    prompt: france,
    temperature: 0,
  });
  const pieces = await Array.fromAsync(textStream);
  expect(pieces.join("")).toBe(paris);
  expect(pieces.length).toBeGreaterThan(3);
  expect(await finishReason).toBe("stop");
  expect((await usage).outputTokens).toBeGreaterThan(3);
});

test("a stream that is aborted frees the engine", async () => {
  const controller = new AbortController();
  const before = (await engine.snapshot()).aborted;
  const { textStream } = streamText({
    model: provider("tiny"),
    prompt: "Tell me a story.",
    // What the client does not know it passes on.
    providerOptions: { cria: { ignore_eos: true } },
    abortSignal: controller.signal,
  });
  for await (const _ of textStream) controller.abort();
  await idle(engine);
  expect((await engine.snapshot()).aborted).toBe(before + 1);
});

test("embed and embedMany", async () => {
  const model = provider.embeddingModel("tiny");
  const one = await embed({ model, value: "a red ball" });
  const many = await embedMany({ model, values: ["a red ball", "a blue ball"] });
  expect(one.embedding).toHaveLength(256);
  expect(many.embeddings[0]!.length).toBe(256);
  expect(many.embeddings[1]).not.toEqual(one.embedding);
  expect(one.usage.tokens).toBeGreaterThan(1);
});

test("a refusal is its own error, with the server's words", async () => {
  const failed = generateText({ model: provider("tiny"), prompt: "red ball ".repeat(2000), maxRetries: 0 });
  const error = await failed.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(APICallError.isInstance(error)).toBe(true);
  expect(error).toMatchObject({ statusCode: 400, isRetryable: false });
  expect((error as Error).message).toMatch(/the context holds 2048/);
});
