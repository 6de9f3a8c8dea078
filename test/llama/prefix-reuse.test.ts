import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import type { ChatMessage } from "../../src/chat/index.ts";
import { Llama } from "../../src/llama.ts";
import { fixture } from "../fixtures/fixture-set.ts";
import { randomCases } from "../support/random-cases.ts";

let llama: Llama;
let fresh: Llama;
beforeAll(async () => {
  const options = { contextLength: 4096, flashAttention: false, threads: 1 } as const;
  llama = await Llama.load(undefined, options);
  fresh = await Llama.load(undefined, options);
});
afterAll(async () => {
  await llama.close();
  await fresh.close();
});

const greedy = { temperature: 0, max_tokens: 12 } as const;

test("a conversation of 100 turns computes each prompt token once, and says what fresh runs say", async () => {
  const questions = [
    "What is 2 + 3?",
    "Opposite of hot?",
    "What is the capital of Peru?",
    "What sound does a dog make?",
  ];
  const messages: ChatMessage[] = [];
  let computed = 0;
  let promptLength = 0;
  let sampledButNotDecoded = 0;
  llama.reset();
  // libllama reports a count of 0 as 1.
  await llama.createCompletion({ prompt: "Once upon", temperature: 0, max_tokens: 2 });
  await llama.engine.clearCache();
  llama.reset();
  const { decodedTokens } = await llama.engine.snapshot();
  for (let turn = 0; turn < 100; turn++) {
    messages.push({ role: "user", content: questions[turn % questions.length]! });
    const before = llama.tokens.length;
    const { choices, usage, timings } = await llama.createChatCompletion({ messages, ...greedy });
    computed += timings.prompt_n;
    promptLength = usage.prompt_tokens;
    // All that was held is reused: the prompt is the conversation so far, and what comes after it is new.
    expect(timings.cache_n).toBe(before);
    expect(timings.cache_n + timings.prompt_n).toBe(promptLength);
    sampledButNotDecoded++;
    const text = choices[0]!.message.content;
    if (turn % 10 === 0) {
      await fresh.engine.clearCache();
      const again = await fresh.createChatCompletion({ messages, ...greedy, cache_prompt: false });
      expect(again.timings.cache_n).toBe(0);
      expect(again.choices[0]!.message.content).toBe(text);
    }
    messages.push({ role: "assistant", content: text });
  }
  // Every position was computed exactly once, counted by libllama too: prompts and answers together fill the context.
  const after = await llama.engine.snapshot();
  expect(after.decodedTokens - decodedTokens).toBe(llama.tokens.length);
  expect(promptLength).toBeGreaterThan(1000);
  expect(computed).toBeLessThanOrEqual(llama.tokens.length);
  expect(sampledButNotDecoded).toBe(100);
}, 120_000);

test("a prompt that is held whole computes one token", async () => {
  await llama.engine.clearCache();
  const prompt = "<|im_start|>user\nWhat is the capital of Peru?<|im_end|>\n<|im_start|>assistant\n";
  const first = await llama.createCompletion({ prompt, ...greedy });
  const second = await llama.createCompletion({ prompt, ...greedy });
  expect(first.timings.cache_n).toBe(0);
  expect(second.timings.prompt_n).toBe(1);
  expect(second.usage.prompt_tokens_details.cached_tokens).toBe(first.usage.prompt_tokens - 1);
  expect(second.choices[0]!.text).toBe(first.choices[0]!.text);
});

test("whatever was held before, the text is that of a fresh context", async () => {
  const question = fc.constantFrom(
    "What is the capital of France?",
    "What is the capital of Italy?",
    "Opposite of hot?",
    "What sound does a dog make?",
    "What day comes after Monday?",
  );
  const chats = fc.array(fc.array(question, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(chats, async (list) => {
      for (const questions of list) {
        const messages = questions.flatMap((content, index): ChatMessage[] => [
          ...(index > 0 ? [{ role: "assistant" as const, content: "Yes." }] : []),
          { role: "user", content },
        ]);
        const reused = await llama.createChatCompletion({ messages, ...greedy });
        await fresh.engine.clearCache();
        const whole = await fresh.createChatCompletion({ messages, ...greedy, cache_prompt: false });
        expect(reused.choices[0]!.message.content).toBe(whole.choices[0]!.message.content);
        expect(reused.usage.prompt_tokens).toBe(whole.usage.prompt_tokens);
      }
    }),
    { numRuns: randomCases(25) },
  );
}, 120_000);

test("cached_tokens is the longest prefix of the prompt in any text there was", async () => {
  const texts = [
    "What is the capital",
    "What is the capital of France?",
    "What is a dog?",
    "What is the capital of Italy?",
  ];
  await llama.engine.clearCache();
  const held: Int32Array[] = [];
  for (const prompt of texts) {
    const tokens = llama.tokenize(prompt);
    const { usage } = await llama.createCompletion({ prompt, ...greedy });
    const common = Math.max(0, ...held.map((other) => Llama.longestTokenPrefix(other, tokens)));
    held.push(llama.tokens);
    expect(usage.prompt_tokens_details.cached_tokens).toBe(Math.min(common, tokens.length - 1));
  }
});

test.each(["recurrent", "hybrid", "sliding-window"] as const)(
  "%s: where the memory cannot drop a tail, the tokens are those of a fresh context",
  async (name) => {
    const options = { contextLength: 512, flashAttention: false, threads: 1 } as const;
    const path = await fixture(name);
    for (const fullSlidingWindow of name === "sliding-window" ? [true, false] : [true]) {
      await using reusing = await Llama.load(path, { ...options, fullSlidingWindow });
      await using whole = await Llama.load(path, { ...options, fullSlidingWindow });
      const base = Array.from({ length: 60 }, (_, index) => 10 + ((index * 7) % 50));
      const prompts = [
        base,
        [...base, 11, 12],
        [...base.slice(0, 30), 13, 14],
        [...base, 11, 12, 15],
        base.slice(0, 31),
      ];
      for (const prompt of prompts) {
        const params = { temperature: 0, max_tokens: 6, ignore_eos: true };
        const ours = await Array.fromAsync(reusing.generate(prompt, params));
        const theirs = await Array.fromAsync(whole.generate(prompt, { ...params, cache_prompt: false }));
        expect(ours).toEqual(theirs);
      }
    }
  },
  60_000,
);
