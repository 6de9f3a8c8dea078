import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Llama } from "../../src/llama.ts";

let llama: Llama;
beforeAll(async () => {
  llama = await Llama.load(undefined, { contextLength: 512, threads: 1 });
});
afterAll(() => llama.close());

const greedy = { temperature: 0, max_tokens: 16 } as const;
// The model is sure of its answer here, so that greedy runs agree whatever the batches they are computed in.
const prompt = "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n";

describe("createCompletion", () => {
  test("goes on with a story", async () => {
    const { choices } = await llama.createCompletion({ prompt: "Once upon a time", ...greedy });
    expect(choices[0]!.text).toMatch(/^, there was a \w+ \w+ named [A-Z]\w+\./);
    expect(choices[0]!.finish_reason).toBe("length");
  });

  test("a stream joined is the whole", async () => {
    const whole = await llama.createCompletion({ prompt, ...greedy });
    const chunks = await Array.fromAsync(llama.createCompletion({ prompt, ...greedy, stream: true }));
    expect(chunks.map((chunk) => chunk.choices[0]?.text ?? "").join("")).toBe(whole.choices[0]!.text);
    expect(chunks.at(-1)!.choices[0]!.finish_reason).toBe("stop");
  });

  test("tokens and their text give the same", async () => {
    const text = await llama.createCompletion({ prompt, ...greedy });
    const tokens = await llama.createCompletion({
      prompt: Array.from(llama.tokenize(prompt, { parseSpecial: true })),
      ...greedy,
    });
    expect(tokens.choices[0]!.text).toBe(text.choices[0]!.text);
  });

  test("several prompts, several answers each", async () => {
    const { choices, usage } = await llama.createCompletion({
      prompt: [prompt, prompt.replace("France", "Italy")],
      n: 2,
      ...greedy,
    });
    expect(choices.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(choices[0]!.text).toBe(choices[1]!.text);
    expect(choices[0]!.text).toBe("The capital of France is Paris.");
    expect(choices[2]!.text).toBe("The capital of Italy is Rome.");
    const one = await llama.createCompletion({ prompt, ...greedy });
    expect(usage.prompt_tokens).toBe(2 * one.usage.prompt_tokens);
  });

  test("stop strings end the text before them, wherever the tokens end", async () => {
    const {
      choices: [free],
    } = await llama.createCompletion({ prompt, ...greedy });
    for (let start = 1; start < free!.text.length - 3; start++) {
      const stop = free!.text.slice(start, start + 3);
      const { choices } = await llama.createCompletion({
        prompt,
        ...greedy,
        stop: [stop, "never to be seen"],
      });
      expect(choices[0]!.text).toBe(free!.text.slice(0, free!.text.indexOf(stop)));
      expect(choices[0]!.finish_reason).toBe("stop");
    }
  });

  test("echo gives the prompt first, with log-probabilities of its tokens", async () => {
    const { choices } = await llama.createCompletion({
      prompt,
      ...greedy,
      max_tokens: 2,
      echo: true,
      logprobs: 2,
    });
    expect(choices[0]!.text.startsWith(prompt)).toBe(true);
    const { tokens, token_logprobs, text_offset, top_logprobs } = choices[0]!.logprobs!;
    expect(tokens.join("")).toBe(choices[0]!.text);
    expect(text_offset[0]).toBe(0);
    expect(token_logprobs).toHaveLength(tokens.length);
    // The prompt's own logits, computed token by token, bear them out.
    const ids = llama.tokenize(prompt, { parseSpecial: true });
    llama.reset();
    for (let index = 0; index + 1 < ids.length; index++) {
      await llama.eval([ids[index]!]);
      const logprobs = Llama.logitsToLogprobs(llama.logits);
      expect(token_logprobs[index + 1]).toBeCloseTo(logprobs[ids[index + 1]!]!, 2);
    }
    expect(Object.keys(top_logprobs.at(-1)!)).toHaveLength(2);
  });

  test("max_tokens 0 computes the prompt alone; 1 gives one token", async () => {
    const none = await llama.createCompletion({ prompt, temperature: 0, max_tokens: 0 });
    expect(none.choices[0]).toMatchObject({ text: "", finish_reason: "length" });
    const one = await llama.createCompletion({ prompt, temperature: 0, max_tokens: 1 });
    expect(one.usage.completion_tokens).toBe(1);
    expect(one.choices[0]!.finish_reason).toBe("length");
  });

  test("the same seed gives the same text", async () => {
    const params = { prompt: "Once upon a time", cache_prompt: false, temperature: 1.2, max_tokens: 24 };
    const texts: string[] = [];
    for (const seed of [1, 1, 2])
      texts.push((await llama.createCompletion({ ...params, seed })).choices[0]!.text);
    expect(texts[0]).toBe(texts[1]!);
    expect(texts[0]).not.toBe(texts[2]!);
  });

  test("the context full ends the text with length", async () => {
    const { choices, usage } = await llama.createCompletion({
      prompt,
      temperature: 0,
      max_tokens: -1,
      ignore_eos: true,
    });
    expect(choices[0]!.finish_reason).toBe("length");
    expect(usage.total_tokens).toBeGreaterThanOrEqual(llama.contextLength);
  });

  test("a stopping criterion ends the text", async () => {
    const lengths: number[] = [];
    const { usage } = await llama.createCompletion({
      prompt,
      temperature: 0,
      stopping_criteria: (tokens, logits) => {
        lengths.push(tokens.length);
        expect(logits).toHaveLength(llama.vocabSize);
        return tokens.length >= 20;
      },
    });
    expect(lengths.at(-1)).toBe(20);
    expect(usage.prompt_tokens + usage.completion_tokens).toBe(20);
  });

  test.each([
    [{ prompt: "" }, /prompt is empty/],
    [{ prompt: [] }, /prompt/],
    [{ prompt: [99999] }, /prompt\[0\]/],
    [{ prompt: [1.5] }, /prompt\[0\]/],
    [{ prompt: "a\uD800b" }, /lone surrogate/],
    [{ prompt: "word ".repeat(2000) }, /context holds 512/],
    [{ prompt, n: 0 }, /n must be/],
    [{ prompt, stop: [""] }, /stop\[0\]/],
    [{ prompt, logprobs: -1 }, /logprobs/],
    [{ prompt, max_tokens: 1.5 }, /max_tokens/],
    [{ prompt, temperature: Number.NaN }, /temperature/],
    [{ prompt, suffix: "end" }, /suffix/],
  ])("%p is refused with its reason, and loses nothing", async (params, message) => {
    await expect(llama.createCompletion(params as never)).rejects.toThrow(message);
    const { choices } = await llama.createCompletion({ prompt, ...greedy });
    expect(choices[0]!.text).toBe("The capital of France is Paris.");
  });
});
