import { expect, test } from "bun:test";
import { ModelLoadError } from "../../lib/errors.ts";
import { readGgufHeader } from "../../lib/gguf-header.ts";
import { checkLoadable } from "../../lib/gguf-safety.ts";
import { headerBytes, type WritableEntry, type WritableTensor } from "../fixtures/gguf-writer.ts";
import { vocabularyEntries } from "../fixtures/vocabularies.ts";

/** Checks a header of one architecture; its tensors have room for 64 F32 each. */
function check(
  architecture: string,
  entries: readonly WritableEntry[],
  tensors: readonly WritableTensor[] = [],
) {
  const all: WritableEntry[] = [
    { key: "general.architecture", type: "string", value: architecture },
    ...entries,
  ];
  const header = headerBytes({ entries: all, tensors });
  const bytes = new Uint8Array(header.length + 256 * tensors.length);
  bytes.set(header);
  checkLoadable(readGgufHeader(bytes));
}

const u32 = (key: string, value: number): WritableEntry => ({ key, type: "u32", value });
const i32s = (key: string, value: readonly number[]): WritableEntry => ({
  key,
  type: "array",
  of: "i32",
  value,
});
const weight = (name: string, typeId: number): WritableTensor => ({ name, shape: [64], typeId, offset: 0 });

const heads = (architecture: string) => [
  u32(`${architecture}.embedding_length`, 64),
  u32(`${architecture}.attention.head_count`, 4),
];

/** Each line: what is refused, and beside it the nearest thing that is not. */
const pairs: readonly [name: string, bad: () => void, good: () => void, message: RegExp][] = [
  [
    "513 layers",
    () => check("llama", [u32("llama.block_count", 513)]),
    () => check("llama", [u32("llama.block_count", 512)]),
    /513, not 1 to 512/,
  ],
  [
    "more predicted layers than layers",
    () => check("glm4", [u32("glm4.block_count", 2), u32("glm4.nextn_predict_layers", 3)]),
    () => check("glm4", [u32("glm4.block_count", 2), u32("glm4.nextn_predict_layers", 2)]),
    /nextn_predict_layers is 3/,
  ],
  [
    "more experts used than there are, in one layer",
    () => check("x", [u32("x.expert_count", 4), i32s("x.expert_used_count", [2, 5])]),
    () => check("x", [u32("x.expert_count", 4), i32s("x.expert_used_count", [2, 4])]),
    /expert_used_count is 5 with 4 experts/,
  ],
  [
    "groups that do not divide the experts",
    () =>
      check("x", [
        u32("x.expert_count", 8),
        u32("x.expert_used_count", 2),
        u32("x.expert_group_count", 3),
        u32("x.expert_group_used_count", 1),
      ]),
    () =>
      check("x", [
        u32("x.expert_count", 8),
        u32("x.expert_used_count", 2),
        u32("x.expert_group_count", 4),
        u32("x.expert_group_used_count", 1),
      ]),
    /expert_group/,
  ],
  [
    "no experts where some are needed",
    () => check("llada-moe", []),
    () => check("llama", []),
    /expert_count must be more than 0/,
  ],
  [
    "no axis of positions",
    () => check("paddleocr", [i32s("paddleocr.rope.dimension_sections", [0, 0, 0, 8])]),
    () => check("paddleocr", [i32s("paddleocr.rope.dimension_sections", [0, 8, 0, 0])]),
    /must name the length of an axis/,
  ],
  [
    "an odd rotation",
    () => check("gemma2", [...heads("gemma2"), u32("gemma2.rope.dimension_count", 15)]),
    () => check("gemma2", [...heads("gemma2"), u32("gemma2.rope.dimension_count", 8)]),
    /rope.dimension_count is 15/,
  ],
  [
    "part of a head rotated, where heads are rotated whole",
    () => check("qwen2", [...heads("qwen2"), u32("qwen2.rope.dimension_count", 8)]),
    () => check("qwen2", [...heads("qwen2"), u32("qwen2.rope.dimension_count", 16)]),
    /does not fit the size of a head, 16/,
  ],
  [
    "a rotation of nothing",
    () => check("lfm2", [...heads("lfm2"), u32("lfm2.rope.dimension_count", 0)]),
    () => check("t5", [...heads("t5"), u32("t5.rope.dimension_count", 0)]),
    /rope.dimension_count is 0/,
  ],
  [
    "keys unlike values",
    () => check("bert", [...heads("bert"), u32("bert.attention.key_length", 8)]),
    () => check("bert", [...heads("bert"), u32("bert.attention.key_length", 16)]),
    /must equal value_length, 16/,
  ],
  [
    "a window no layer has",
    () =>
      check("gemma3", [
        u32("gemma3.block_count", 2),
        u32("gemma3.attention.sliding_window", 8),
        i32s("gemma3.attention.sliding_window_pattern", [0, 0]),
      ]),
    () =>
      check("gemma3", [
        u32("gemma3.block_count", 2),
        u32("gemma3.attention.sliding_window", 8),
        i32s("gemma3.attention.sliding_window_pattern", [0, 1]),
      ]),
    /leaves no layer/,
  ],
  [
    "an output wider than any tensor makes it",
    () =>
      check("t5", [...heads("t5"), u32("t5.embedding_length_out", 128)], [weight("token_embd.weight", 0)]),
    () =>
      check(
        "t5",
        [...heads("t5"), u32("t5.embedding_length_out", 128)],
        [{ ...weight("dense.weight", 1), shape: [1, 128] }],
      ),
    /embedding_length_out is 128/,
  ],
  [
    "an integer weight",
    () => check("x", [], [weight("output.weight", 25)]),
    () => check("x", [], [weight("d2t", 26)]),
    /has the type I16/,
  ],
  [
    "a half-precision bias",
    () => check("x", [], [weight("cls.bias", 1)]),
    () => check("x", [], [weight("cls.weight", 1)]),
    /must be F32/,
  ],
  [
    "a part number of another type",
    () => check("x", [u32("split.no", 0)]),
    () => check("x", [{ key: "split.no", type: "u16", value: 0 }]),
    /split.no must be of type u16/,
  ],
];

test.each(pairs)("refuses %s, and not its neighbour", (_name, bad, good, message) => {
  expect(bad).toThrow(ModelLoadError);
  expect(bad).toThrow(message);
  expect(good).not.toThrow();
});

const without = (entries: readonly WritableEntry[], key: string) =>
  entries.filter((entry) => entry.key !== key);
const replaced = (entries: readonly WritableEntry[], entry: WritableEntry) => [
  ...without(entries, entry.key),
  entry,
];

function changedToken(entries: readonly WritableEntry[], from: string, to: string): WritableEntry[] {
  return entries.map((entry) =>
    entry.type === "array" && entry.key === "tokenizer.ggml.tokens"
      ? { ...entry, value: entry.value.map((token) => (token === from ? to : token)) }
      : entry,
  );
}

test("synthetic vocabularies of every kind pass", () => {
  for (const kind of ["bpe", "spm", "ugm", "wpm"] as const) {
    for (const size of [512, 1024, 40_000]) check("llama", vocabularyEntries(kind, size));
  }
});

test("refuses a SentencePiece vocabulary that cannot spell a byte", () => {
  const spm = vocabularyEntries("spm", 512);
  expect(() => check("llama", changedToken(spm, "<0xFE>", "other"))).toThrow(/no token for <0xFE>/);
  // The plain character serves as well.
  expect(() => check("llama", changedToken(spm, "<0x61>", "other"))).not.toThrow();
});

test("refuses byte tokens in WordPiece", () => {
  const types = Array.from({ length: 512 }, (_, index) => (index === 400 ? 6 : 1));
  const entries = replaced(vocabularyEntries("wpm", 512), i32s("tokenizer.ggml.token_type", types));
  expect(() => check("bert", entries)).toThrow(/holds byte tokens/);
});

test("refuses tokenizers that add a token nobody named", () => {
  const addBos: WritableEntry = { key: "tokenizer.ggml.add_bos_token", type: "bool", value: true };
  const ugm = replaced(vocabularyEntries("ugm", 512), addBos);
  expect(() => check("t5", ugm)).toThrow(/tokenizer.ggml.bos_token_id/);
  expect(() => check("t5", [...ugm, u32("tokenizer.ggml.bos_token_id", 1)])).not.toThrow();
  const [separator] = ["tokenizer.ggml.seperator_token_id"];
  const wpm = vocabularyEntries("wpm", 512);
  // 102 is assumed where nothing is said, so only a vocabulary without it lacks a separator.
  expect(() => check("bert", without(wpm, separator!))).not.toThrow();
  const tiny = [...without(wpm, "tokenizer.ggml.tokens").filter((entry) => entry.type === "string")];
  const tokens: WritableEntry = {
    key: "tokenizer.ggml.tokens",
    type: "array",
    of: "string",
    value: ["a", "b"],
  };
  expect(() => check("bert", [...tiny, tokens])).toThrow(/_token_id/);
});
