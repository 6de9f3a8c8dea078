import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { RequestError } from "../lib/errors.ts";
import { TokenArena } from "../lib/token-arena.ts";
import type { Model } from "../src/model.ts";
import { loadFixture, loadTinyModel } from "./support/tiny-model.ts";

let bpe: Model;
let spm: Model;
beforeAll(async () => {
  bpe = await loadTinyModel({ vocabOnly: true });
  spm = await loadFixture("llama-spm");
});
afterAll(() => {
  bpe.dispose();
  spm.dispose();
});

const text = fc.string({ unit: "grapheme", maxLength: 60 }).filter((value) => !value.includes("\0"));

describe("tokens and text", () => {
  test("text survives the way there and back", () => {
    fc.assert(
      fc.property(text, (value) => {
        const tokens = bpe.vocab.tokenize(value, { addSpecial: false });
        expect(bpe.vocab.detokenize(tokens)).toBe(value);
        const pieces = [...tokens].flatMap((token) => [...bpe.vocab.pieceBytes(token)]);
        expect(new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(pieces))).toBe(value);
      }),
    );
  });

  test("with sentencepiece too, but for the space it puts in front", () => {
    fc.assert(
      fc.property(text, (value) => {
        const tokens = spm.vocab.tokenize(value, { addSpecial: false });
        // A space is written as U+2581 inside, and that as itself is a space too.
        const expected = value.replaceAll("\u2581", " ");
        expect(spm.vocab.detokenize(tokens, { removeSpecial: true })).toBe(expected);
      }),
      { numRuns: 50 },
    );
  });

  test("text and its bytes give the same tokens, and so does a buffer of the arena", () => {
    const arena = new TokenArena();
    fc.assert(
      fc.property(text, fc.boolean(), (value, parseSpecial) => {
        const tokens = bpe.vocab.tokenize(value, { parseSpecial });
        expect(bpe.vocab.tokenize(new TextEncoder().encode(value), { parseSpecial })).toEqual(tokens);
        const buffer = arena.allocate(1);
        buffer.append(7);
        expect(bpe.vocab.tokenizeInto(buffer, value, { parseSpecial })).toBe(tokens.length);
        expect([...buffer.view()]).toEqual([7, ...tokens]);
        buffer.release();
      }),
      { numRuns: 50 },
    );
  });

  test("a long text has as many tokens as it needs", () => {
    const long = "a b c d ".repeat(50_000);
    const tokens = bpe.vocab.tokenize(long);
    expect(tokens.length).toBeGreaterThan(150_000);
    expect(bpe.vocab.detokenize(tokens)).toBe(long);
  });

  test("control tokens are text unless they are asked for", () => {
    const { vocab } = bpe;
    expect([...vocab.tokenize("<|im_end|>", { parseSpecial: true })]).toEqual([vocab.eos!]);
    expect(vocab.tokenize("<|im_end|>").length).toBeGreaterThan(3);
    expect(vocab.detokenize([vocab.eos!])).toBe("");
    expect(vocab.detokenize([vocab.eos!], { special: true })).toBe("<|im_end|>");
    expect([...vocab.pieceBytes(vocab.eos!)]).toEqual([]);
    expect(vocab.text(vocab.eos!)).toBe("<|im_end|>");
  });

  test("what a text begins with is added when asked for", () => {
    const { vocab } = spm;
    expect(vocab.addBos).toBe(true);
    const [bos, ...rest] = vocab.tokenize("hello");
    expect(bos).toBe(vocab.bos!);
    expect([...vocab.tokenize("hello", { addSpecial: false })]).toEqual(rest);
    expect(bpe.vocab.addBos).toBe(false);
  });

  test("the piece of a token may be longer than any guess", async () => {
    using model = await loadFixture("vocabulary", { vocabOnly: true });
    for (let token = 0; token < model.vocab.size; token += 97) {
      const piece = model.vocab.pieceBytes(token, { special: true });
      expect(model.vocab.pieceBytes(token, { special: true })).toBe(piece);
    }
    let longest = 0;
    for (let token = 0; token < bpe.vocab.size; token++)
      longest = Math.max(longest, bpe.vocab.pieceBytes(token, { special: true }).length);
    expect(longest).toBeGreaterThan(8);
  });
});

describe("what is no text or no token", () => {
  test("lone surrogates and invalid UTF-8 are refused, with a remedy", () => {
    expect(() => bpe.vocab.tokenize("a\ud800b")).toThrow(/toWellFormed/);
    expect(() => bpe.vocab.tokenize(new Uint8Array([0x61, 0xff]))).toThrow(/not valid UTF-8/);
    expect(() => bpe.vocab.tokenize(5 as never)).toThrow(TypeError);
    expect(bpe.vocab.tokenize("").length).toBe(0);
  });

  test("a NUL within a text is a character like another", () => {
    expect(bpe.vocab.detokenize(bpe.vocab.tokenize("a\0b"))).toBe("a\0b");
  });

  test("ids out of range are refused by every method", () => {
    const { vocab } = bpe;
    const uses: ((token: number) => unknown)[] = [
      (token) => vocab.detokenize([1, token]),
      (token) => vocab.pieceBytes(token),
      (token) => vocab.text(token),
      (token) => vocab.score(token),
      (token) => vocab.attributes(token),
      (token) => vocab.isControl(token),
      (token) => vocab.isEndOfGeneration(token),
      (token) => vocab.checkToken(token, "token"),
    ];
    for (const use of uses) {
      for (const token of [-1, vocab.size, 2 ** 31]) expect(() => use(token)).toThrow(RangeError);
      for (const token of [1.5, Number.NaN, "1" as never]) expect(() => use(token)).toThrow();
    }
  });

  test("a model without a tokenizer says so", async () => {
    using model = await loadTinyModel({
      vocabOnly: true,
      kvOverrides: { "tokenizer.ggml.model": "no_vocab" },
    });
    expect(() => model.vocab.tokenize("a")).toThrow(RequestError);
  });
});

test("attributes, scores and the tokens that end a text", () => {
  const { vocab } = bpe;
  expect(vocab.type).toBe("bpe");
  expect(vocab.attributes(vocab.eos!)).toContain("control");
  expect(vocab.isControl(vocab.eos!)).toBe(true);
  expect(vocab.attributes(5)).toContain("normal");
  expect(vocab.endOfGenerationTokens).toContain(vocab.eos!);
  expect(vocab.isEndOfGeneration(5)).toBe(false);
  expect(vocab.eot).toBe(vocab.eos!);
  expect(vocab.pad).toBe(vocab.bos!);
  expect([vocab.fimPrefix, vocab.sep, vocab.mask]).toEqual([undefined, undefined, undefined]);
  expect(vocab.suppressTokens).toEqual(new Int32Array(0));
  expect(spm.vocab.type).toBe("spm");
  expect(Number.isFinite(spm.vocab.score(5))).toBe(true);
});
