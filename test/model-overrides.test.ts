import { describe, expect, test } from "bun:test";
import { ModelLoadError } from "../lib/errors.ts";
import { embeddedModelPath } from "../src/embedded-model.ts";
import { Model } from "../src/model.ts";
import type { KvOverrides } from "../src/model-overrides.ts";
import { chatTokens, feed, loadFixture, loadTinyModel, smallContext } from "./support/tiny-model.ts";

const key = {
  context: "llama.context_length",
  base: "llama.rope.freq_base",
  bos: "tokenizer.ggml.add_bos_token",
  pre: "tokenizer.ggml.pre",
  tokenizer: "tokenizer.ggml.model",
} as const;

describe("overrides take effect", () => {
  test("an int, as a number, a bigint and by its type", async () => {
    for (const value of [777, 777n, { type: "int", value: 777 }, { type: "int", value: 777n }] as const) {
      using model = await loadTinyModel({ kvOverrides: { [key.context]: value } });
      expect(model.trainContextLength).toBe(777);
    }
  });

  test("a float, plain and by its type", async () => {
    const logits = async (kvOverrides: KvOverrides) => {
      using model = await loadTinyModel({ kvOverrides });
      using context = smallContext(model);
      feed(context, chatTokens(model, "Opposite of hot?"));
      return context.logits().slice();
    };
    const plain = await logits({});
    const changed = await logits({ [key.base]: 500.5 });
    expect(changed).not.toEqual(plain);
    expect(await logits({ [key.base]: { type: "float", value: 500.5 } })).toEqual(changed);
    expect(await logits({ [key.base]: { type: "float", value: 500 } })).not.toEqual(plain);
  });

  test("a bool, plain and by its type", async () => {
    for (const value of [true, false]) {
      for (const override of [value, { type: "bool", value }] as const) {
        using model = await loadTinyModel({ vocabOnly: true, kvOverrides: { [key.bos]: override } });
        expect(model.vocab.addBos).toBe(value);
        expect(model.vocab.tokenize("hello")[0] === model.vocab.bos).toBe(value);
      }
    }
  });

  test("a string, plain and by its type", async () => {
    for (const value of ["no_vocab", { type: "str", value: "no_vocab" }] as const) {
      using model = await loadTinyModel({ vocabOnly: true, kvOverrides: { [key.tokenizer]: value } });
      expect(model.vocab.type).toBe("none");
    }
  });

  test("several at once, and leave the file's metadata to be read", async () => {
    using model = await loadTinyModel({ kvOverrides: { [key.context]: 100, [key.bos]: true } });
    expect([model.trainContextLength, model.vocab.addBos]).toEqual([100, true]);
    expect(model.metadata.get(key.context)).toBe("8192");
  });
});

describe("overrides are refused", () => {
  const wrong: [name: string, overrides: unknown, message: RegExp][] = [
    ["NaN", { [key.base]: Number.NaN }, /freq_base"\] must be a finite number/],
    ["an infinite number", { [key.base]: Number.POSITIVE_INFINITY }, /freq_base"\] must be a finite number/],
    ["a float as an int", { [key.context]: { type: "int", value: 1.5 } }, /context_length"\].*integer/],
    ["text as a bool", { [key.bos]: { type: "bool", value: "yes" } }, /add_bos_token"\].*true or false/],
    ["a number as text", { [key.pre]: { type: "str", value: 1 } }, /pre"\] must be a string/],
    [
      "text as a float",
      { [key.base]: { type: "float", value: "1" } },
      /freq_base"\] must be a finite number/,
    ],
    ["an unknown type", { x: { type: "list", value: 1 } }, /x"\].*int, float, bool or str/],
    ["null", { x: null }, /x"\] must be a number/],
    ["a long text", { x: "x".repeat(128) }, /x"\] must have 0 to 127 bytes/],
    ["a long text by its bytes", { x: "é".repeat(64) }, /x"\].*it has 128/],
    ["a long key", { ["k".repeat(128)]: 1 }, /the key of.*1 to 127 bytes/],
    ["an empty key", { "": 1 }, /the key of.*it has 0/],
    ["a NUL", { x: "a\0b" }, /no NUL/],
    ["a lone surrogate", { x: "\ud800" }, /x"\] contains a lone surrogate/],
    ["33 bits", { [key.context]: 2 ** 32 }, /context_length"\] must fit 32 bits/],
    ["many bits", { [key.context]: 10n ** 30n }, /context_length"\] must fit 32 bits/],
    ["no object", "x=int:1", /kvOverrides must be an object/],
    ["an array", [1], /kvOverrides must be an object/],
    ["no overrides", null, /kvOverrides must be an object/],
  ];
  test.each(wrong)("%s", async (_, kvOverrides, message) => {
    const error = await loadTinyModel({ kvOverrides: kvOverrides as KvOverrides }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error instanceof TypeError || error instanceof RangeError).toBe(true);
    expect((error as Error).message).toMatch(message);
  });

  test("where libllama would ignore them: another type than the file's", async () => {
    for (const [override, wanted] of [
      [{ [key.context]: 0.5 }, 'write { type: "int"'],
      [{ [key.context]: true }, 'write { type: "int"'],
      [{ [key.base]: 5000 }, 'write { type: "float"'],
      [{ [key.bos]: 1 }, 'write { type: "bool"'],
      [{ [key.pre]: 7 }, 'write { type: "str"'],
      [{ "tokenizer.ggml.tokens": "a" }, "is a list in the file"],
    ] as const) {
      const attempt = loadTinyModel({ kvOverrides: override as KvOverrides });
      await expect(attempt).rejects.toThrow(TypeError);
      await expect(attempt).rejects.toThrow(wanted);
    }
  });

  test("where the process would end, before libllama sees them", async () => {
    const path = embeddedModelPath();
    for (const kvOverrides of [
      { "llama.attention.head_count": 0 },
      { "llama.block_count": 0 },
      // As libllama reads them, in 32 bits without a sign, these are huge.
      { "llama.block_count": -1 },
      { "llama.vocab_size": -1 },
      { "llama.pooling_type": -2 },
      { "llama.rope.scaling.type": "zz" },
      { "llama.attention.layer_norm_rms_epsilon": -0.5 },
    ]) {
      const attempt = Model.load(path, { kvOverrides });
      await expect(attempt).rejects.toThrow(ModelLoadError);
    }
  });

  test("where libllama fails, with its words", async () => {
    const attempt = loadTinyModel({ kvOverrides: { [key.pre]: "none such" } });
    await expect(attempt).rejects.toThrow(ModelLoadError);
    await expect(attempt).rejects.toThrow("unknown pre-tokenizer type: 'none such'");
    using other = await loadFixture("llama", { kvOverrides: { "general.name": "unread" } });
    expect(other.metadata.get("general.name")).toBe("random llama");
  });
});
