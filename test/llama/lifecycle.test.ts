import { describe, expect, test } from "bun:test";
import { DisposedError, RequestError } from "../../lib/errors.ts";
import { Llama } from "../../src/llama.ts";

const load = () => Llama.load(undefined, { contextLength: 512, threads: 1 });
// The model is sure of its answer here, so that greedy runs agree whatever the batches they are computed in.
const prompt = "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n";
const greedy = { temperature: 0, max_tokens: 16 } as const;
const textOf = async (llama: Llama) => (await llama.createCompletion({ prompt, ...greedy })).choices[0]!.text;

describe("one generation at a time", () => {
  test("a second one is refused, and the first goes on", async () => {
    await using llama = await load();
    const expected = await textOf(llama);
    const first = llama.createCompletion({ prompt, ...greedy, stream: true });
    let text = (await first.next()).value?.choices[0]?.text ?? "";
    await expect(llama.createCompletion({ prompt: "Other" })).rejects.toThrow(RequestError);
    await expect(llama.generate("Other").next()).rejects.toThrow(/generating already/);
    await expect(llama.createEmbedding({ input: "Other" })).rejects.toThrow(/generating already/);
    for await (const chunk of first) text += chunk.choices[0]?.text ?? "";
    expect(text).toBe(expected);
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
    const long = "Tom had a big red ball. ".repeat(30);

    await using early = await load();
    await expect(early.createCompletion({ prompt, signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
    expect(await textOf(early)).toBe(expected);

    await using middle = await Llama.load(undefined, {
      contextLength: 512,
      threads: 1,
      batchSize: 32,
      microBatchSize: 32,
    });
    const controller = new AbortController();
    let chunks = 0;
    const aborted = middle.createCompletion({
      prompt: long,
      signal: controller.signal,
      onPromptProgress: () => {
        if (++chunks === 2) controller.abort();
      },
    });
    await expect(aborted).rejects.toThrow(/abort/i);
    expect(chunks).toBe(2);
    // What was computed stays: the same prompt goes on from there.
    expect(middle.tokens).toHaveLength(64);
    const again = await middle.createCompletion({ prompt: long, temperature: 0, max_tokens: 1 });
    expect(again.timings.cache_n).toBe(64);
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
