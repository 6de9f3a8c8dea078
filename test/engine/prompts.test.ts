import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { ContextOverflowError } from "../../lib/errors.ts";
import { embeddedModelPath } from "../../src/embedded-model.ts";
import { ReplyMemory } from "../../src/engine/reply-memory.ts";
import { WorkerEngine } from "../../src/engine/worker-engine.ts";
import { ask, collect, generate } from "../support/engine-events.ts";

setDefaultTimeout(60_000);

const load = (options = {}) =>
  WorkerEngine.load(embeddedModelPath(), {
    threads: 1,
    contextLength: 2048,
    checkIntegrity: true,
    ...options,
  });
let engine: WorkerEngine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.close());

/** Answers with given tokens, whatever the model thinks. */
const saying = (tokens: readonly number[]) => {
  let index = 0;
  return () => tokens[index++];
};
const spelledOut = (text: string) =>
  [...text].flatMap((letter) => [...engine.model.vocab.tokenize(letter, { addSpecial: false })]);

describe("replies", () => {
  const question = ask("What is the capital of France?");
  const reply = "Paris it is";
  const next = `${question}${reply}<|im_end|>\n${ask("And of Italy?")}`;

  test("a reply comes back as the tokens it was generated with, and is found in the cache", async () => {
    const odd = spelledOut(reply);
    const usual = [...engine.model.vocab.tokenize(reply, { addSpecial: false })];
    expect(odd).not.toEqual(usual);
    const { stats } = await generate(engine, question, { sample: saying(odd) });
    const stream = engine.submit({ prompt: next, maxTokens: 1 });
    const second = await collect(stream);
    const known = stats.promptLength + odd.length;
    expect([...stream.tokens.slice(stats.promptLength, known)]).toEqual(odd);
    // The last token said was never computed.
    expect(second.stats.cachedLength).toBeGreaterThanOrEqual(known - 1);
    const text = engine.model.vocab.detokenize(stream.tokens.subarray(0, second.stats.promptLength), {
      special: true,
    });
    expect(text).toBe(next);
  });

  test.each<[what: string, prompt: string, salt: string | undefined]>([
    ["goes on within a word", `${question}${reply}alian`, undefined],
    ["is another tenant's", next, "another"],
    ["differs in one letter", next.replace(reply, "Paris it was"), undefined],
  ])("it is not taken where the prompt %s", async (_, prompt, cacheSalt) => {
    await generate(engine, question, { sample: saying(spelledOut(reply)) });
    const stream = engine.submit({ prompt, maxTokens: 1, cacheSalt });
    const { stats } = await collect(stream);
    const expected = engine.model.vocab.tokenize(prompt, { parseSpecial: true });
    expect([...stream.tokens.subarray(0, stats.promptLength)]).toEqual([...expected]);
  });

  test("what does not show in the text is not remembered", async () => {
    const { vocab } = engine.model;
    const start = vocab.tokenize("<|im_start|>", { addSpecial: false, parseSpecial: true })[0]!;
    const hidden = ask("What is the capital of Spain?");
    await generate(engine, hidden, { sample: saying([start, ...spelledOut("Madrid")]) });
    const prompt = `${hidden}Madrid<|im_end|>\n${ask("Why?")}`;
    const stream = engine.submit({ prompt, maxTokens: 1 });
    const { stats } = await collect(stream);
    expect([...stream.tokens.subarray(0, stats.promptLength)]).toEqual([
      ...vocab.tokenize(prompt, { parseSpecial: true }),
    ]);
  });

  test("the memory keeps what was used last, and no more than it may", () => {
    const memory = new ReplyMemory();
    const tokens = Int32Array.of(1);
    for (let index = 0; index < 600; index++) memory.remember(`text ${index} `, tokens, "");
    expect(memory.size).toBe(512);
    expect(memory.find("text 0 and on", "")).toBeUndefined();
    expect(memory.find("text 100 and on", "")?.text).toBe("text 100 ");
    for (let index = 0; index < 511; index++) memory.remember(`more ${index}`, tokens, "");
    expect(memory.find("text 100 and on", "")?.text).toBe("text 100 ");
    memory.remember("a".repeat(8_000_000), tokens, "");
    memory.remember("b".repeat(1_000_000), tokens, "");
    expect(memory.size).toBe(1);
    memory.remember("bb", tokens, "");
    expect(memory.find("b".repeat(2_000_000), "")?.text).toHaveLength(1_000_000);
    expect(memory.find("bbc", "")?.text).toBe("bb");
    expect(memory.find("bbc", "salt")).toBeUndefined();
  });
});

describe("long texts", () => {
  const megabyte = "Tom had a big red ball. ".repeat(43_700);
  /** Of such a length that only its tokens tell that a megabyte does not fit. */
  const contextLength = 70_000;
  let vast: WorkerEngine;
  beforeAll(async () => {
    vast = await load({ contextLength });
  });
  afterAll(() => vast.close());

  test("a megabyte is tokenised beside what this thread does, and then refused by its length", async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const long = generate(vast, megabyte).catch((error) => error);
    const before = ticks;
    const short = await generate(vast, ask("What is the capital of France?"));
    expect(short.text).toBe("The capital of France is Paris.");
    const error = await long;
    clearInterval(timer);
    expect(String(error)).toMatch(/the prompt has \d{6} tokens, the context holds 70000/);
    expect(ticks - before).toBeGreaterThan(10);
  });

  test("the tokens are those of a text tokenised here, a known beginning included", async () => {
    await using roomy = await load({ contextLength: 8192 });
    const first = ask("Tom had a big red ball. ".repeat(500));
    const { vocab } = roomy.model;
    const stream = roomy.submit({
      prompt: first,
      maxTokens: 4,
      sampling: { temperature: 0 },
      ignoreEos: true,
    });
    const { text, stats } = await collect(stream);
    expect([...stream.tokens.subarray(0, stats.promptLength)]).toEqual([
      ...vocab.tokenize(first, { parseSpecial: true }),
    ]);
    const next = `${first}${text}<|im_end|>\n${ask("Anna has a blue cup. ".repeat(450))}`;
    const again = roomy.submit({ prompt: next, maxTokens: 1 });
    const { stats: second } = await collect(again);
    expect(second.cachedLength).toBeGreaterThanOrEqual(stats.promptLength + 3);
    const spelled = vocab.detokenize(again.tokens.subarray(0, second.promptLength), { special: true });
    expect(spelled).toBe(next);
  });

  test("given up while it is tokenised, it ends at once and leaves nothing behind", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const stream = vast.submit({ prompt: megabyte, signal: controller.signal });
    setTimeout(() => controller.abort(reason), 5);
    // Bun's `rejects` waits in an event loop of its own, in which no worker is heard.
    expect(await collect(stream).catch((error) => error)).toBe(reason);
    const cancelled = vast.submit({ prompt: megabyte });
    cancelled.cancel();
    expect(await collect(cancelled)).toMatchObject({ reason: "abort", text: "" });
    // Its turn comes after those given up.
    expect(String(await generate(vast, megabyte).catch((error) => error))).toMatch(/tokens/);
    expect(vast.requestCount).toBe(0);
  });

  test("the engine can be closed meanwhile", async () => {
    const other = await load({ contextLength });
    const failed = generate(other, megabyte).catch((error) => error);
    await other.close();
    expect(String(await failed)).toMatch(/closed|disposed/i);
  });

  test("one that cannot fit is refused without being tokenised, and never said to have more tokens than it has", async () => {
    const { vocab } = engine.model;
    for (const text of [
      "<|im_end|>".repeat(8_000),
      "hello world ".repeat(8_000),
      "\u{1f999}".repeat(20_000),
    ]) {
      const error = await generate(engine, text).catch((error) => error);
      expect(error).toBeInstanceOf(ContextOverflowError);
      expect(error.promptLength).toBeGreaterThan(engine.contextLength);
      expect(error.promptLength).toBeLessThanOrEqual(vocab.tokenize(text).length);
    }
    // Who asks for the tokens gets them, however many.
    expect(await engine.tokenize("hello world ".repeat(8_000))).toHaveLength(
      vocab.tokenize("hello world ".repeat(8_000)).length,
    );
  });
});
