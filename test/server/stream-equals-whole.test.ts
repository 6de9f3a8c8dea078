import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { WorkerEngine } from "../../src/engine/worker-engine.ts";
import { ask } from "../support/engine-events.ts";
import { type Listening, listen, loadEngine, post, question, type Reply, stream } from "../support/server.ts";

type Json = Reply["json"];

let engine: WorkerEngine;
let server: Listening;
beforeAll(async () => {
  // So that what the cache holds besides changes next to nothing.
  engine = await loadEngine({ flashAttention: false, cacheTypeK: "f32", cacheTypeV: "f32" });
  server = listen(engine);
});
afterAll(async () => {
  await server.close();
  await engine.close();
});

const france = "What is the capital of France?";
const story = { prompt: "Once upon a time", temperature: 0 };

/** Between logits of the same text, by what the cache's state does to them. */
const tolerance = 0.02;

/** What was received, with numbers as they were wanted where they differ by what the cache's state does to them. */
function settled(received: Json, wanted: Json): Json {
  if (typeof received === "number" && typeof wanted === "number")
    return Math.abs(received - wanted) < tolerance ? wanted : received;
  if (Array.isArray(received)) return received.map((value, index) => settled(value, wanted?.[index]));
  if (typeof received !== "object" || received === null) return received;
  return Object.fromEntries(
    Object.entries(received).map(([name, value]) => [
      name,
      settled(name === "top_logprobs" ? sameRanks(value, wanted?.[name]) : value, wanted?.[name]),
    ]),
  );
}

/**
 * Alternatives that are about as likely may change places, or come in for one another: those are as they were wanted. They are
 * entries in order, or a record of log-probabilities for each token of the text.
 */
function sameRanks(received: Json, wanted: Json): Json {
  if (!Array.isArray(received)) return received;
  return received.map((entry, index) => {
    const pair = [likelihoods(entry), likelihoods(wanted?.[index])];
    const isClose = pair[0]!.every((logprob, rank) => Math.abs(logprob - pair[1]![rank]!) < tolerance);
    return isClose && pair[0]!.length === pair[1]!.length ? wanted[index] : entry;
  });
}

function likelihoods(entry: Json): number[] {
  if (typeof entry?.logprob === "number") return [entry.logprob];
  return Object.values(entry ?? {})
    .map(Number)
    .sort((a, b) => b - a);
}

/** Joins lists of the same names: two of each become one of each. */
function joined(lists: readonly Record<string, unknown[]>[]): Json {
  if (lists.length === 0) return null;
  const names = Object.keys(lists[0]!);
  return Object.fromEntries(names.map((name) => [name, lists.flatMap((list) => list[name] ?? [])]));
}

/** What a stream of OpenAI's says of each choice. */
function choicesOf(chunks: readonly Json[]): Json[] {
  const choices = chunks.flatMap((chunk) => chunk.choices);
  const indices = [...new Set<number>(choices.map(({ index }) => index))].sort((a, b) => a - b);
  return indices.map((index) => {
    const own = choices.filter((choice) => choice.index === index);
    const logprobs = own.map((choice) => choice.logprobs).filter(Boolean);
    return {
      index,
      text: own.map((choice) => choice.text ?? choice.delta.content ?? "").join(""),
      logprobs: logprobs[0]?.content ? logprobs.flatMap(({ content }) => content) : joined(logprobs),
      finish_reason: own.map((choice) => choice.finish_reason).filter(Boolean),
    };
  });
}

function wholeChoices(body: Json): Json[] {
  return body.choices.map((choice: Json) => ({
    index: choice.index,
    text: choice.text ?? choice.message.content,
    logprobs: choice.logprobs?.content ?? choice.logprobs,
    finish_reason: [choice.finish_reason],
  }));
}

describe("OpenAI's endpoints", () => {
  const chat = question(france);
  const table: [name: string, path: string, body: Record<string, unknown>][] = [
    ["a chat", "chat/completions", chat],
    ["a chat with logprobs", "chat/completions", { ...chat, logprobs: true, top_logprobs: 3 }],
    ["a chat with logprobs without others", "chat/completions", { ...chat, logprobs: true }],
    ["a chat with a stop string", "chat/completions", { ...chat, stop: [" Fr"] }],
    ["a stop string that begins and never ends", "chat/completions", { ...chat, stop: "Paris. And" }],
    ["a stop string within a token", "chat/completions", { ...chat, stop: "ari", logprobs: true }],
    ["a chat cut by max_tokens", "chat/completions", { ...chat, max_tokens: 3 }],
    ["a chat of max_completion_tokens", "chat/completions", { ...chat, max_completion_tokens: 2 }],
    ["two answers", "chat/completions", { ...chat, n: 2, logprobs: true }],
    ["sampled answers of a seed", "chat/completions", { ...chat, n: 2, temperature: 1, seed: 9 }],
    ["a grammar", "chat/completions", { ...chat, grammar: 'root ::= "no" | "yes, it is"' }],
    ["a completion", "completions", story],
    ["a completion with logprobs", "completions", { ...story, logprobs: 2 }],
    ["an echo", "completions", { ...story, echo: true, max_tokens: 5 }],
    ["an echo with logprobs", "completions", { ...story, echo: true, logprobs: 1, max_tokens: 5 }],
    ["an echo and nothing more", "completions", { ...story, echo: true, logprobs: 1, max_tokens: 0 }],
    ["several prompts", "completions", { ...story, prompt: [ask(france), "Tom had"], n: 2, logprobs: 0 }],
    ["tokens", "completions", { ...story, prompt: [100, 200, 300], max_tokens: 8 }],
    ["characters of several tokens", "completions", { ...story, grammar: 'root ::= "🦙é🦙"', logprobs: 1 }],
  ];
  test.each(table)("%s", async (_, path, body) => {
    const url = `${server.url}/v1/${path}`;
    // What was cached is part of the usage, so nothing is.
    const request = { ...body, cache_prompt: false };
    const whole = await post(url, request);
    expect(whole.status).toBe(200);
    const log = await stream(url, { ...request, stream_options: { include_usage: true } });
    expect([log.status, log.done]).toEqual([200, true]);
    const choices = wholeChoices(whole.json);
    expect(settled(choicesOf(log.chunks.slice(0, -1)), choices)).toEqual(choices);
    expect(log.chunks.at(-1).choices).toEqual([]);
    expect(log.chunks.at(-1).usage).toEqual(whole.json.usage);
    expect(new Set(log.chunks.map(({ id }) => id)).size).toBe(1);
  });

  test("usage counts the tokens that were asked for", async () => {
    const { json } = await post(`${server.url}/v1/completions`, { ...story, max_tokens: 7 });
    expect(json.usage.completion_tokens).toBe(7);
    expect(json.usage.prompt_tokens).toBe(engine.model.vocab.tokenize(story.prompt).length);
  });
});

describe("llama-server's /completion", () => {
  const base = { ...story, n_predict: 24, return_tokens: true };
  const table: [name: string, body: Record<string, unknown>][] = [
    ["cut by n_predict", base],
    ["ended by the model", { ...base, prompt: ask(france) }],
    ["with probabilities", { ...base, prompt: "Tom had", n_probs: 2 }],
    ["with probabilities to the model's own end", { ...base, prompt: ask(france), n_probs: 2 }],
    ["with a stop string", { ...base, prompt: ask(france), stop: [" Fr"] }],
    ["with a stop string within a token", { ...base, prompt: ask(france), stop: ["ari"], n_probs: 1 }],
    ["no tokens", { ...base, n_predict: 0 }],
    ["several prompts", { ...base, prompt: [ask(france), [100, 200, " and"]] }],
    ["characters of several tokens", { ...base, grammar: 'root ::= "🦙é🦙"', n_probs: 1 }],
  ];
  const told = (final: Json) => {
    const { tokens_predicted, tokens_evaluated, stop_type, stopping_word, prompt } = final;
    return { tokens_predicted, tokens_evaluated, stop_type, stopping_word, prompt };
  };
  test.each(table)("%s", async (_, body) => {
    const request = { ...body, cache_prompt: false };
    const whole = await post(`${server.url}/completion`, request);
    expect(whole.status).toBe(200);
    const log = await stream(`${server.url}/completion`, request);
    expect([log.status, log.done]).toEqual([200, false]);
    for (const answer of [whole.json].flat()) {
      const own = log.chunks.filter(({ index }) => index === answer.index);
      expect(own.map(({ stop }) => stop)).toEqual(own.map((_, at) => at === own.length - 1));
      expect(own.map(({ content }) => content).join("")).toBe(answer.content);
      expect(own.flatMap(({ tokens }) => tokens)).toEqual(answer.tokens);
      const probabilities = answer.completion_probabilities ?? [];
      const streamed = own.flatMap((chunk) => chunk.completion_probabilities ?? []);
      expect(settled(streamed, probabilities)).toEqual(probabilities);
      expect(told(own.at(-1))).toEqual(told(answer));
    }
  });
});
