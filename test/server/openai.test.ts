import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import OpenAI, { APIError, AuthenticationError, BadRequestError, NotFoundError } from "openai";
import type { WorkerEngine } from "../../src/engine/worker-engine.ts";
import { ask } from "../support/engine-events.ts";
import { idle, type Listening, listen, loadEngine } from "../support/server.ts";

setDefaultTimeout(30_000);

const france = "What is the capital of France?";
const paris = "The capital of France is Paris.";
const chat = (content: string) => ({
  model: "tiny",
  messages: [{ role: "user" as const, content }],
  temperature: 0,
});
const text = (prompt: string) => ({ model: "tiny", prompt, temperature: 0 });

let engine: WorkerEngine;
let server: Listening;
let client: OpenAI;
beforeAll(async () => {
  engine = await loadEngine();
  server = listen(engine, { alias: "house/tiny" });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
});
afterAll(async () => {
  await server.close();
  await engine.close();
});

/** What a promise is rejected with. */
async function refusal(promise: Promise<unknown>): Promise<APIError> {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(APIError);
  return error as APIError;
}

describe("chat", () => {
  test("answers", async () => {
    const { choices, usage, object, model } = await client.chat.completions.create(chat(france));
    expect([object, model]).toEqual(["chat.completion", "tiny"]);
    expect(choices[0]!.message.content).toBe(paris);
    expect(choices[0]!.finish_reason).toBe("stop");
    expect(usage!.total_tokens).toBe(usage!.prompt_tokens + usage!.completion_tokens);
  });

  test("streams the same, with its usage last", async () => {
    const stream = await client.chat.completions.create({
      ...chat(france),
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await Array.fromAsync(stream);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toBe(paris);
    expect(chunks.length).toBeGreaterThan(3);
    expect(chunks.at(-2)!.choices[0]!.finish_reason).toBe("stop");
    expect(chunks.at(-1)!.usage!.completion_tokens).toBeGreaterThan(3);
  });

  test("the client's own accumulator makes a message of a stream", async () => {
    const stream = client.chat.completions.stream(chat(france));
    expect(await stream.finalContent()).toBe(paris);
  });

  test("the turns before are part of the question", async () => {
    const { choices } = await client.chat.completions.create({
      ...chat(""),
      messages: [
        { role: "user", content: [{ type: "text", text: "My name is Anna." }] },
        { role: "assistant", content: "Nice to meet you, Anna!" },
        { role: "user", content: "What is my name?" },
      ],
    });
    expect(choices[0]!.message.content).toBe("Your name is Anna.");
  });

  test("log-probabilities of each token, the chosen one first", async () => {
    const { choices } = await client.chat.completions.create({
      ...chat(france),
      logprobs: true,
      top_logprobs: 2,
    });
    const content = choices[0]!.logprobs!.content!;
    expect(content.map(({ token }) => token).join("")).toBe(paris);
    for (const { token, logprob, top_logprobs } of content) {
      expect(top_logprobs).toHaveLength(2);
      expect(top_logprobs[0]).toMatchObject({ token, logprob });
    }
  });
});

describe("completions", () => {
  test("sixteen tokens, unless told otherwise", async () => {
    const { choices, usage } = await client.completions.create(text("Once upon a time"));
    expect(choices[0]!.finish_reason).toBe("length");
    expect(usage!.completion_tokens).toBe(16);
    const one = await client.completions.create({ ...text("Once upon a time"), max_tokens: 1 });
    expect(one.usage!.completion_tokens).toBe(1);
    expect(choices[0]!.text).toStartWith(one.choices[0]!.text);
  });

  test("streams", async () => {
    const stream = await client.completions.create({ ...text(ask(france)), stream: true });
    const chunks = await Array.fromAsync(stream);
    expect(chunks.map(({ choices }) => choices[0]!.text).join("")).toBe(paris);
    expect(chunks.at(-1)!.choices[0]!.finish_reason).toBe("stop");
  });

  test("echo puts the prompt before, logprobs tell of its tokens too", async () => {
    const prompt = "Once upon a time";
    const echoed = await client.completions.create({ ...text(prompt), max_tokens: 4, echo: true });
    const plain = await client.completions.create({ ...text(prompt), max_tokens: 4 });
    expect(echoed.choices[0]!.text).toBe(prompt + plain.choices[0]!.text);
    const told = await client.completions.create({ ...text(prompt), max_tokens: 4, echo: true, logprobs: 2 });
    const { tokens, text_offset, token_logprobs, top_logprobs } = told.choices[0]!.logprobs!;
    expect(tokens!.join("")).toBe(echoed.choices[0]!.text);
    expect(text_offset!.slice(0, 3)).toEqual([0, tokens![0]!.length, (tokens![0]! + tokens![1]!).length]);
    expect(token_logprobs!.slice(1).every((value) => value < 0)).toBe(true);
    expect(Object.keys(top_logprobs!.at(-1)!)).toContain(tokens!.at(-1)!);
  });

  test("several prompts, n of each, by index", async () => {
    const { choices, usage } = await client.completions.create({
      model: "tiny",
      prompt: ["Once upon a time", "Tom had a big red ball."],
      n: 2,
      temperature: 1,
      seed: 7,
      max_tokens: 6,
    });
    expect(choices.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(new Set(choices.map(({ text }) => text)).size).toBeGreaterThan(2);
    expect(usage!.completion_tokens).toBe(24);
  });

  test("a stop string ends the text before it", async () => {
    const { choices } = await client.completions.create({
      ...text(ask(france)),
      stop: ["nowhere", " of Fr"],
    });
    expect(choices[0]).toMatchObject({ text: "The capital", finish_reason: "stop" });
  });
});

describe("embeddings", () => {
  const length = (values: readonly number[]) => Math.hypot(...values);

  test("as numbers and as base64 they are the same, and of length 1", async () => {
    const input = ["a red ball", "a blue ball"];
    const numbers = await client.embeddings.create({ model: "tiny", input, encoding_format: "float" });
    // The client asks for base64 by itself, and decodes it.
    const decoded = await client.embeddings.create({ model: "tiny", input });
    expect(numbers.data.map(({ index }) => index)).toEqual([0, 1]);
    for (const [index, { embedding }] of numbers.data.entries()) {
      expect(embedding).toHaveLength(256);
      expect(length(embedding)).toBeCloseTo(1, 4);
      // Computed twice, and not always in the same batches.
      for (const [at, value] of decoded.data[index]!.embedding.entries())
        expect(value).toBeCloseTo(embedding[at]!, 4);
    }
    expect(numbers.data[0]!.embedding).not.toEqual(numbers.data[1]!.embedding);
    expect(numbers.usage.prompt_tokens).toBeGreaterThan(4);
  });

  test("as many at once as the API takes", async () => {
    const input = Array.from({ length: 2048 }, (_, index) => `ball ${index}`);
    const { data } = await client.embeddings.create({ model: "tiny", input, dimensions: 2 });
    expect(data.map(({ index }) => index)).toEqual(input.map((_, index) => index));
  });

  test("dimensions cuts them and makes them of length 1 again", async () => {
    const { data } = await client.embeddings.create({ model: "tiny", input: "a red ball", dimensions: 8 });
    expect(data[0]!.embedding).toHaveLength(8);
    expect(length(data[0]!.embedding)).toBeCloseTo(1, 4);
    const error = await refusal(
      client.embeddings.create({ model: "tiny", input: "a red ball", dimensions: 257 }),
    );
    expect([error.status, error.param]).toEqual([400, "dimensions"]);
  });
});

test("models: the list, the one, and none other", async () => {
  const { data } = await client.models.list();
  expect(data.map(({ id, object }) => [id, object])).toEqual([["house/tiny", "model"]]);
  expect(await client.models.retrieve("house/tiny")).toEqual(data[0]!);
  const error = await refusal(client.models.retrieve("gpt-4o"));
  expect(error).toBeInstanceOf(NotFoundError);
  expect(error).toMatchObject({ status: 404, param: "model", type: "not_found_error" });
});

describe("errors are the client's own", () => {
  test("of a field", async () => {
    const error = await refusal(client.chat.completions.create({ ...chat(france), temperature: -1 }));
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error).toMatchObject({ status: 400, param: "temperature", type: "invalid_request_error" });
  });

  test("of a stream, before its first event", async () => {
    const error = await refusal(
      client.completions.create({ ...text("a"), logit_bias: { "99999": 1 }, stream: true }),
    );
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error.param).toStartWith("logit_bias");
  });

  test("of a prompt that the context cannot hold, with both lengths", async () => {
    const error = await refusal(client.chat.completions.create(chat("red ball ".repeat(2000))));
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error.type).toBe("exceed_context_size_error");
    const told = error.error as { n_prompt_tokens: number; n_ctx: number };
    expect(told.n_ctx).toBe(engine.contextLength);
    expect(told.n_prompt_tokens).toBeGreaterThan(told.n_ctx);
  });

  test("of a key that is not the server's", async () => {
    await using locked = listen(engine, { apiKeys: ["right"] });
    const options = { baseURL: `${locked.url}/v1`, maxRetries: 0 };
    const wrong = new OpenAI({ ...options, apiKey: "wrong" });
    const error = await refusal(wrong.chat.completions.create(chat(france)));
    expect(error).toBeInstanceOf(AuthenticationError);
    const right = new OpenAI({ ...options, apiKey: "right" });
    expect((await right.chat.completions.create(chat(france))).choices).toHaveLength(1);
  });
});

test("aborting a stream frees the engine", async () => {
  const before = await engine.snapshot();
  const stream = await client.completions.create({
    ...text("Once upon a time"),
    ...({ ignore_eos: true } as object),
    max_tokens: -1,
    stream: true,
  });
  for await (const _ of stream) break;
  await idle(engine);
  const after = await engine.snapshot();
  expect(after.aborted - before.aborted).toBe(1);
  // It would have filled the context.
  expect(after.generatedTokens - before.generatedTokens).toBeLessThan(1500);
});

test("in process, without a socket", async () => {
  const { app } = server;
  const inProcess = new OpenAI({
    baseURL: "http://cria.invalid/v1",
    apiKey: "none",
    maxRetries: 0,
    fetch: async (input, init) => app.request(input, init as RequestInit),
  });
  const { choices } = await inProcess.chat.completions.create(chat(france));
  expect(choices[0]!.message.content).toBe(paris);
  const stream = await inProcess.chat.completions.create({ ...chat(france), stream: true });
  let said = "";
  for await (const chunk of stream) said += chunk.choices[0]?.delta.content ?? "";
  expect(said).toBe(paris);
});
