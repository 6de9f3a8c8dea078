import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { WorkerEngine } from "../../src/engine/worker-engine.ts";
import { ask } from "../support/engine-events.ts";
import { endless, idle, type Listening, listen, loadEngine, post, stream } from "../support/server.ts";

setDefaultTimeout(30_000);

const france = ask("What is the capital of France?");
const paris = "The capital of France is Paris.";

let engine: WorkerEngine;
let server: Listening;
let url: string;
beforeAll(async () => {
  engine = await loadEngine();
  server = listen(engine);
  url = `${server.url}/completion`;
});
afterAll(async () => {
  await server.close();
  await engine.close();
});

const complete = (body: object, path = "/completion") =>
  post(server.url + path, { temperature: 0, n_predict: 12, ...body });

describe("how it ended", () => {
  test("by the model", async () => {
    const { json } = await complete({ prompt: france });
    expect(json).toMatchObject({ content: paris, stop: true, stop_type: "eos", stopping_word: "", index: 0 });
    expect(json.tokens).toEqual([]);
    expect(json.tokens_evaluated).toBe(json.timings.prompt_n + json.timings.cache_n);
    expect(json.timings.predicted_n).toBe(json.tokens_predicted);
  });

  test("by the limit", async () => {
    const { json } = await complete({ prompt: france, n_predict: 2 });
    expect(json).toMatchObject({ stop_type: "limit", tokens_predicted: 2, content: "The capital" });
    expect((await complete({ prompt: france, n_predict: undefined, max_tokens: 2 })).json.content).toBe(
      "The capital",
    );
  });

  test("by a word", async () => {
    const { json } = await complete({ prompt: france, stop: [" Fr", "nothing"] });
    expect(json).toMatchObject({ stop_type: "word", stopping_word: " Fr", content: "The capital of" });
  });

  test("where the context is full", async () => {
    const { json } = await complete({ ...endless, n_predict: -1 });
    expect(json.stop_type).toBe("limit");
    expect(json.tokens_evaluated + json.tokens_predicted).toBe(engine.contextLength + 1);
    expect((await complete({ prompt: "a", n_predict: -2 })).json.error.param).toBe("n_predict");
  });
});

test("a stream ends with its last chunk, not with [DONE]", async () => {
  const { chunks, done } = await stream(url, { prompt: france, temperature: 0 });
  expect(done).toBe(false);
  expect(chunks.slice(0, -1).map(({ stop }) => stop)).not.toContain(true);
  expect(chunks.at(-1)).toMatchObject({ stop: true, stop_type: "eos", content: "" });
  expect(chunks.map(({ content }) => content).join("")).toBe(paris);
  const counts = chunks.map(({ tokens_predicted }) => tokens_predicted);
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
});

test("progress of the prompt, where asked for", async () => {
  const prompt = `Tom had a big red ball. ${"The dog ran to the park. ".repeat(60)}`;
  const request = { prompt, n_predict: 1, return_progress: true, cache_prompt: false };
  const { chunks } = await stream(url, request);
  const progress = chunks.flatMap(({ prompt_progress }) => prompt_progress ?? []);
  expect(progress.at(-1).processed).toBe(chunks.at(-1).tokens_evaluated);
  expect(progress.every(({ total }) => total === chunks.at(-1).tokens_evaluated)).toBe(true);
});

test("n_probs tells of the likeliest tokens at each place", async () => {
  const { json } = await complete({ prompt: france, n_probs: 3, n_predict: 4, return_tokens: true });
  const places = json.completion_probabilities;
  expect(places.map(({ id }: { id: number }) => id)).toEqual(json.tokens);
  expect(places.map(({ token }: { token: string }) => token).join("")).toBe(json.content);
  for (const { id, token, bytes, logprob, top_logprobs } of places) {
    expect(top_logprobs).toHaveLength(3);
    expect(top_logprobs[0]).toEqual({ id, token, bytes, logprob });
    expect(new TextDecoder().decode(Uint8Array.from(bytes))).toBe(token);
    expect(logprob).toBeLessThanOrEqual(0);
  }
});

test("return_tokens gives ids that detokenize to the text", async () => {
  const { json } = await complete({ prompt: "Once upon a time", return_tokens: true });
  expect(json.tokens).toHaveLength(12);
  const text = await post(`${server.url}/detokenize`, { tokens: json.tokens });
  expect(text.json.content).toBe(json.content);
});

test("response_fields picks, from within too", async () => {
  const response_fields = ["content", "timings/predicted_n", "generation_settings/n_probs", "no/such"];
  const { json } = await complete({ prompt: france, n_probs: 1, response_fields });
  const { tokens_predicted: predicted_n } = (await complete({ prompt: france })).json;
  expect(json).toEqual({ content: paris, predicted_n, n_probs: 1 });
  const { chunks } = await stream(url, { prompt: france, temperature: 0, n_probs: 1, response_fields });
  expect(chunks.at(-1)).toEqual({ content: "", predicted_n, n_probs: 1 });
  expect(chunks.map(({ content }) => content).join("")).toBe(paris);
});

test("timings_per_token tells with each token how it went so far", async () => {
  const request = { prompt: france, temperature: 0, timings_per_token: true };
  const { chunks } = await stream(url, request);
  const counts = chunks.slice(0, -1).map(({ timings }) => timings.predicted_n);
  expect(counts).toEqual(counts.map((_, index) => index + 1));
  expect(chunks.at(-1).timings.prompt_n).toBe(chunks[0].timings.prompt_n);
  const { chunks: plain } = await stream(url, { ...request, timings_per_token: false });
  expect(plain.filter(({ timings }) => timings)).toHaveLength(1);
});

describe("prompts", () => {
  test("text, tokens, and both mixed are the same", async () => {
    const { vocab } = engine.model;
    const tokens = [...vocab.tokenize(france, { parseSpecial: true })];
    const mixed = [...tokens.slice(0, 3), vocab.detokenize(tokens.slice(3), { special: true })];
    for (const prompt of [france, tokens, mixed]) {
      const { json } = await complete({ prompt });
      expect([json.content, json.prompt]).toEqual([paris, france]);
    }
  });

  test("several are answered in their order", async () => {
    const { json } = await complete({ prompt: [france, ["Opposite", 100], ask("Opposite of hot?")] });
    expect(json.map(({ index }: { index: number }) => index)).toEqual([0, 1, 2]);
    expect(json[0].content).toBe(paris);
    expect(json[2].content).toBe("The opposite of hot is cold.");
  });

  test("a list of one text is one answer", async () => {
    expect((await complete({ prompt: [france] })).json.content).toBe(paris);
  });

  test("where one of several is refused, the others are given up", async () => {
    const before = await engine.snapshot();
    const { status, json } = await complete({ ...endless, prompt: [endless.prompt, ""], n_predict: 1900 });
    expect([status, json.error.type]).toEqual([400, "invalid_request_error"]);
    await idle(engine);
    expect((await engine.snapshot()).generatedTokens - before.generatedTokens).toBeLessThan(1500);
  });
});

test("a prefix is taken from the cache, unless cache_prompt is false", async () => {
  const prompt = `Anna saw a cat. ${france}`;
  const first = await complete({ prompt });
  const second = await complete({ prompt });
  expect(second.json.timings).toMatchObject({ cache_n: first.json.tokens_evaluated - 1, prompt_n: 1 });
  const anew = await complete({ prompt, cache_prompt: false });
  expect(anew.json.timings).toMatchObject({ cache_n: 0, prompt_n: first.json.tokens_evaluated });
});

test("other names of the same endpoint", async () => {
  expect((await complete({ prompt: france }, "/completions")).json.content).toBe(paris);
  // Under /v1 that name is OpenAI's.
  const openai = await post(`${server.url}/v1/completions`, { prompt: france, temperature: 0 });
  expect(openai.json.choices[0].text).toBe(paris);
});

test("a time limit ends a text, another fails the request", async () => {
  const limited = await complete({ ...endless, n_predict: -1, t_max_predict_ms: 1 });
  expect(limited.json.stop_type).toBe("limit");
  expect(limited.json.tokens_predicted).toBeLessThan(1000);
  const late = await complete({ ...endless, n_predict: -1, timeout_ms: 1 });
  expect([late.status, late.json.error.type]).toEqual([408, "timeout_error"]);
});
