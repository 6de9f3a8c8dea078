import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { DisposedError } from "../../lib/errors.ts";
import { Llama } from "../../src/llama.ts";

setDefaultTimeout(30_000);

const load = () => Llama.load(undefined, { contextLength: 512, threads: 1 });
// The model is sure of its answer here, so that greedy runs agree whatever the batches they are computed in.
const prompt = "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n";
const greedy = { temperature: 0, max_tokens: 16 } as const;
const textOf = async (llama: Llama) => (await llama.createCompletion({ prompt, ...greedy })).choices[0]!.text;

describe("generations side by side", () => {
  test("each says what it would say alone, and none waits for another", async () => {
    await using llama = await load();
    const expected = await textOf(llama);
    const slow = llama.generate("Tom had a big red ball.", { temperature: 0, ignore_eos: true });
    await slow.next();
    const streamed = llama.createCompletion({ prompt, ...greedy, stream: true });
    const [text, whole, { data }] = await Promise.all([
      Array.fromAsync(streamed).then((chunks) => chunks.map(({ choices }) => choices[0]?.text).join("")),
      textOf(llama),
      llama.createEmbedding({ input: "The dog barks." }),
    ]);
    expect([text, whole]).toEqual([expected, expected]);
    expect(data[0]!.embedding).toHaveLength(llama.embeddingLength);
    expect((await slow.next()).done).toBe(false);
    await slow.return();
  });

  test("own samplers and stopping criteria run beside others", async () => {
    await using llama = await load();
    const expected = await textOf(llama);
    let calls = 0;
    const logits_processors = () => void calls++;
    const answers = await Promise.all([
      llama.createCompletion({ prompt, ...greedy, logits_processors, logprobs: 1 }),
      llama.createCompletion({ prompt, ...greedy, logprobs: 1 }),
      llama.createCompletion({ prompt, ...greedy, stopping_criteria: (tokens) => tokens.length > 24 }),
    ]);
    const [own, plain, stopped] = answers.map(({ choices }) => choices[0]!);
    expect([own!.text, plain!.text]).toEqual([expected, expected]);
    expect(calls).toBe(answers[0]!.usage.completion_tokens);
    expect(own!.logprobs!.tokens).toEqual(plain!.logprobs!.tokens);
    for (const [index, logprob] of own!.logprobs!.token_logprobs.entries())
      expect(logprob).toBeCloseTo(plain!.logprobs!.token_logprobs[index]!, 1);
    expect(expected).toStartWith(stopped!.text);
    expect(answers[2]!.usage.total_tokens).toBe(25);
  });

  test.each(["break", "return", "throw"])("%s frees the way", async (how) => {
    await using llama = await load();
    const tokens = llama.generate(prompt, greedy);
    await tokens.next();
    if (how === "return") await tokens.return();
    else if (how === "throw") await tokens.throw(new Error("enough")).catch(() => {});
    else for await (const _ of tokens) break;
    expect(await tokens.next()).toEqual({ done: true, value: undefined });
    expect(await textOf(llama)).toBe("The capital of France is Paris.");
  });
});

describe("abort", () => {
  test("before the start, during the prompt and during the answer; the next text is that of a fresh one", async () => {
    await using fresh = await load();
    const expected = await textOf(fresh);
    const long = "Tom had a big red ball. ".repeat(60);

    await using early = await load();
    await expect(early.createCompletion({ prompt, signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
    expect(await textOf(early)).toBe(expected);

    await using middle = await Llama.load(undefined, {
      contextLength: 1024,
      threads: 1,
      batchSize: 32,
      microBatchSize: 32,
    });
    const controller = new AbortController();
    let chunks = 0;
    let computed = 0;
    const aborted = middle.createCompletion({
      prompt: long,
      signal: controller.signal,
      onPromptProgress: ({ computedLength }) => {
        computed = computedLength;
        if (++chunks === 2) controller.abort();
      },
    });
    await expect(aborted).rejects.toThrow(/abort/i);
    expect(chunks).toBe(2);
    // What was computed stays: the same prompt goes on from there.
    const again = await middle.createCompletion({ prompt: long, temperature: 0, max_tokens: 1 });
    expect(again.timings.cache_n).toBeGreaterThanOrEqual(computed);
    expect(computed).toBe(32);
    expect(await textOf(middle)).toBe(expected);

    await using late = await load();
    const stop = new AbortController();
    const tokens = late.generate(prompt, { temperature: 0, signal: stop.signal });
    await tokens.next();
    await tokens.next();
    stop.abort();
    await expect(tokens.next()).rejects.toThrow(/abort/i);
    expect(await textOf(late)).toBe(expected);
  });
});

describe("close", () => {
  test("during a generation ends it with DisposedError", async () => {
    const llama = await load();
    const tokens = llama.generate(prompt, { temperature: 0 });
    await tokens.next();
    await llama.close();
    await expect(tokens.next()).rejects.toThrow(DisposedError);
    await llama.close();
  });

  test("every method throws DisposedError afterwards", async () => {
    const llama = await load();
    await llama.close();
    const uses: Record<string, () => unknown> = {
      createCompletion: () => llama.createCompletion({ prompt }),
      streamedCompletion: () => llama.createCompletion({ prompt, stream: true }).next(),
      createChatCompletion: () => llama.createChatCompletion({ messages: [{ role: "user", content: "hi" }] }),
      createEmbedding: () => llama.createEmbedding({ input: "a" }),
      generate: () => llama.generate(prompt).next(),
      eval: () => llama.eval([1]),
      sample: () => llama.sample(),
      reset: () => llama.reset(),
      saveState: () => llama.saveState(),
      loadState: () => llama.loadState({ tokens: new Int32Array(0), data: new Uint8Array(0) }),
      tokenize: () => llama.tokenize("a"),
      detokenize: () => llama.detokenize([1]),
      logits: () => llama.logits,
      tokens: () => llama.tokens,
    };
    for (const [name, use] of Object.entries(uses)) {
      const outcome = await Promise.resolve()
        .then(use)
        .then(
          () => `${name} went on`,
          (error) => error,
        );
      expect(outcome, name).toBeInstanceOf(DisposedError);
    }
  });
});

describe("eval and sample", () => {
  test("the loop by hand equals generate", async () => {
    await using llama = await load();
    const expected = await Array.fromAsync(llama.generate(prompt, greedy));
    llama.reset();
    await llama.eval(llama.tokenize(prompt, { parseSpecial: true }));
    const params = { temperature: 0 };
    const tokens: number[] = [];
    while (tokens.length < expected.length) {
      const token = llama.sample(params);
      tokens.push(token);
      await llama.eval([token]);
    }
    expect(tokens).toEqual(expected);
  });

  test("tokens that do not fit are refused before any is computed", async () => {
    await using llama = await load();
    await expect(llama.eval(new Int32Array(600))).rejects.toThrow(/do not fit/);
    await expect(llama.eval([-1])).rejects.toThrow(/tokens\[0\]/);
    expect(llama.tokens).toHaveLength(0);
  });
});
