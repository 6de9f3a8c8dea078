import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { TokenArena } from "../lib/token-arena.ts";
import { Batch } from "../src/batch.ts";
import type { Context } from "../src/context.ts";
import type { Model } from "../src/model.ts";
import { argmax, chatTokens, feed, loadTinyModel, smallContext } from "./support/tiny-model.ts";

let model: Model;
let context: Context;
let prompt: Int32Array;
beforeAll(async () => {
  model = await loadTinyModel();
  context = smallContext(model, { maxSequences: 4, unifiedCache: true });
  prompt = chatTokens(model, "What is the capital of France?");
});
afterAll(() => {
  context.dispose();
  model.dispose();
});
const batchOf = (capacity = 64, sequencesPerToken = 1) =>
  new Batch(model.native, { capacity, sequencesPerToken });

/** Logits of the last token of a prompt in a sequence that held nothing. */
function lastLogits(tokens: Int32Array): Float32Array {
  context.memory.clear();
  feed(context, tokens);
  return context.logits().slice();
}

describe("a run", () => {
  test("is read where its tokens lie, without a copy", () => {
    const arena = new TokenArena();
    const buffer = arena.allocate(64);
    for (const token of prompt) buffer.append(token);
    const batch = batchOf();
    batch.fill(buffer.view(), { position: 0 });
    const address = Number(batch.struct.get("token"));
    expect(address).toBe(Number(model.native.memory.addressOf(buffer.view())));
    // What is written there afterwards is what C reads.
    const expected = lastLogits(prompt);
    context.memory.clear();
    buffer.storage[prompt.length - 1] = 5;
    batch.fill(buffer.view(), { position: 0 });
    buffer.storage[prompt.length - 1] = prompt.at(-1)!;
    expect(context.decode(batch)).toBe("done");
    expect(context.logits()).toEqual(expected);
    batch.clear();
    expect(Number(batch.struct.get("token"))).toBe(Number(model.native.memory.addressOf(batch.tokens)));
    buffer.release();
  });

  test("gives outputs for none, the last or all of its tokens", () => {
    const batch = batchOf();
    for (const [outputs, count] of [
      ["none", 0],
      ["last", 1],
      ["all", prompt.length],
    ] as const) {
      context.memory.clear();
      batch.fill(prompt, { position: 0, outputs });
      expect(batch.outputCount).toBe(count);
      context.decode(batch);
      expect(context.outputs.count).toBe(count);
      if (count === 0) expect(() => context.logits()).toThrow(RangeError);
      else expect(argmax(context.logits(-1))).toBe(argmax(context.logits(prompt.length - 1)));
      if (outputs === "last") expect(() => context.logits(0)).toThrow(/no output/);
    }
  });

  test("one token at a time gives what the run gives", () => {
    const expected = lastLogits(prompt);
    context.memory.clear();
    const batch = batchOf(4);
    for (const [position, token] of prompt.entries()) context.decode(batch.single(token, position));
    expect(argmax(context.logits())).toBe(argmax(expected));
  });
});

describe("single tokens", () => {
  test("of several sequences in one batch give what each gives alone", () => {
    const prompts = ["What is the capital of France?", "Opposite of hot?"].map((text) =>
      chatTokens(model, text),
    );
    const alone = prompts.map((tokens) => argmax(lastLogits(tokens)));
    context.memory.clear();
    const batch = batchOf(128);
    const outputs = prompts.map((tokens, sequence) => {
      let index = -1;
      for (const [position, token] of tokens.entries())
        index = batch.add(token, position, sequence, { output: position === tokens.length - 1 });
      return index;
    });
    expect(batch.outputCount).toBe(2);
    expect(context.decode(batch)).toBe("done");
    expect(outputs.map((index) => argmax(context.logits(index)))).toEqual(alone);
  });

  test("may belong to several sequences at once, with a unified cache", () => {
    const expected = argmax(lastLogits(prompt));
    context.memory.clear();
    const shared = batchOf(64, 2);
    for (const [position, token] of prompt.slice(0, -1).entries()) shared.add(token, position, [0, 1]);
    context.decode(shared);
    const ends = batchOf();
    const indices = [0, 1].map((sequence) =>
      ends.add(prompt.at(-1)!, prompt.length - 1, sequence, { output: true }),
    );
    context.decode(ends);
    for (const index of indices) expect(argmax(context.logits(index))).toBe(expected);
    using split = smallContext(model, { maxSequences: 2 });
    expect(() => split.decode(shared)).toThrow(/unifiedCache/);
  });
});

describe("misuse", () => {
  const cases: [name: string, use: (batch: Batch) => unknown, message: RegExp][] = [
    ["too many tokens", (batch) => batch.fill(new Int32Array(65), { position: 0 }), /capacity 64/],
    ["no tokens", (batch) => batch.fill(new Int32Array(0), { position: 0 }), /0 tokens/],
    ["a list for tokens", (batch) => batch.fill([1, 2] as never, { position: 0 }), /Int32Array/],
    ["a negative position", (batch) => batch.fill(prompt, { position: -1 }), /position/],
    ["a position beyond 32 bits", (batch) => batch.fill(prompt, { position: 2 ** 31 - 2 }), /position/],
    ["a position that is none", (batch) => batch.add(1, Number.NaN, 0), /position/],
    [
      "an unknown choice of outputs",
      (batch) => batch.fill(prompt, { position: 0, outputs: "some" as never }),
      /none, last, all/,
    ],
    ["no sequence", (batch) => batch.add(1, 0, []), /sequences/],
    ["too many sequences", (batch) => batch.add(1, 0, [0, 1]), /sequencesPerToken/],
    ["a token behind a run", (batch) => batch.fill(prompt, { position: 0 }).add(1, 0, 0), /clear\(\)/],
    ["a token that is none", (batch) => batch.add(1.5, 0, 0), /token/],
    [
      "one token too many",
      (batch) => {
        for (let index = 0; index < 65; index++) batch.add(1, index, 0);
      },
      /full/,
    ],
  ];
  test.each(cases)("%s", (_, use, message) => {
    expect(() => use(batchOf())).toThrow(message);
  });

  test.each([0, -1, 1.5, Number.NaN, 2 ** 31])("a capacity of %p", (capacity) => {
    expect(() => batchOf(capacity)).toThrow(/capacity/);
  });

  test("what the context would choke on is refused, and it goes on", () => {
    const expected = argmax(lastLogits(prompt));
    const bad: [make: (batch: Batch) => Batch, message: RegExp][] = [
      [(batch) => batch.clear(), /empty/],
      [(batch) => batch.fill(prompt, { position: 0, sequence: 4 }), /sequence 4/],
      [(batch) => batch.fill(prompt, { position: 0, sequence: -1 }), /sequence -1/],
      [(batch) => batch.fill(Int32Array.of(model.vocab.size), { position: 0 }), /./],
    ];
    for (const [make, message] of bad) expect(() => context.decode(make(batchOf()))).toThrow(message);
    const large = batchOf(context.batchSize + 1);
    expect(() => context.decode(large.fill(new Int32Array(context.batchSize + 1), { position: 0 }))).toThrow(
      /batchSize/,
    );
    expect(argmax(lastLogits(prompt))).toBe(expected);
  });
});
