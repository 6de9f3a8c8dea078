import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Llama } from "../../src/llama.ts";

let llama: Llama;
beforeAll(async () => {
  llama = await Llama.load(undefined, { contextLength: 1024, threads: 1 });
});
afterAll(() => llama.close());

const ask = (content: string) => [{ role: "user" as const, content }];

describe("createChatCompletion", () => {
  test("answers", async () => {
    const { choices, object, usage } = await llama.createChatCompletion({
      messages: ask("What is the capital of France?"),
      temperature: 0,
    });
    expect(object).toBe("chat.completion");
    expect(choices).toEqual([
      {
        index: 0,
        message: { role: "assistant", content: "The capital of France is Paris.", refusal: null },
        finish_reason: "stop",
        logprobs: null,
      },
    ]);
    expect(usage.total_tokens).toBe(usage.prompt_tokens + usage.completion_tokens);
  });

  test("a stream joined is the whole answer, and its usage the same", async () => {
    const params = {
      messages: ask("Tell me a story."),
      temperature: 0.9,
      seed: 11,
      max_tokens: 60,
      cache_prompt: false,
    };
    const whole = await llama.createChatCompletion(params);
    const chunks = await Array.fromAsync(
      llama.createChatCompletion({ ...params, stream: true, stream_options: { include_usage: true } }),
    );
    const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
    expect(text).toBe(whole.choices[0]!.message.content!);
    expect(chunks[0]!.choices[0]!.delta.role).toBe("assistant");
    expect(chunks.at(-2)!.choices[0]!.finish_reason).toBe(whole.choices[0]!.finish_reason);
    expect(chunks.at(-1)!.choices).toEqual([]);
    const { prompt_tokens, completion_tokens } = chunks.at(-1)!.usage!;
    expect({ prompt_tokens, completion_tokens }).toEqual({
      prompt_tokens: whole.usage.prompt_tokens,
      completion_tokens: whole.usage.completion_tokens,
    });
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
  });

  test("remembers a name over turns", async () => {
    const messages = [
      ...ask("My name is Anna."),
      { role: "assistant" as const, content: "Nice to meet you, Anna!" },
      ...ask("What is my name?"),
    ];
    const { choices } = await llama.createChatCompletion({ messages, temperature: 0 });
    expect(choices[0]!.message.content!).toBe("Your name is Anna.");
  });

  test("reports log-probabilities that the logits bear out", async () => {
    const { choices } = await llama.createChatCompletion({
      messages: ask("Opposite of hot?"),
      temperature: 0,
      logprobs: true,
      top_logprobs: 3,
    });
    const content = choices[0]!.logprobs!.content!;
    expect(content.map(({ token }) => token).join("")).toBe(choices[0]!.message.content!);
    for (const { token, logprob, top_logprobs, bytes } of content) {
      expect(top_logprobs).toHaveLength(3);
      // Greedy: the chosen token is the likeliest.
      expect(top_logprobs[0]).toEqual({ token, logprob, bytes });
      expect(logprob).toBeLessThanOrEqual(0);
      expect(
        top_logprobs.every(
          (entry, index) => index === 0 || entry.logprob <= top_logprobs[index - 1]!.logprob,
        ),
      ).toBe(true);
    }
  });

  test("n answers, told apart by index, with one prompt in the usage", async () => {
    const { choices, usage } = await llama.createChatCompletion({
      messages: ask("Tell me a story."),
      n: 3,
      seed: 5,
      temperature: 1,
      max_tokens: 12,
    });
    expect(choices.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(new Set(choices.map(({ message }) => message.content!)).size).toBeGreaterThan(1);
    expect(usage.completion_tokens).toBe(36);
    const one = await llama.createChatCompletion({ messages: ask("Tell me a story."), max_tokens: 1 });
    expect(usage.prompt_tokens).toBe(one.usage.prompt_tokens);
  });

  test("an unknown role is refused by its place", async () => {
    const messages = [{ role: "robot", content: "hi" }] as never;
    await expect(llama.createChatCompletion({ messages })).rejects.toThrow(/messages\[0\]\.role/);
  });

  test("user text that looks like Jinja is only text", async () => {
    const prompt = llama.applyChatTemplate({ messages: ask("{{ 7 * 7 }} {% raw %}") });
    expect(prompt).toContain("{{ 7 * 7 }} {% raw %}");
  });
});
