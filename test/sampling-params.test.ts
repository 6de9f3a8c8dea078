import { afterAll, expect, test } from "bun:test";
import fc from "fast-check";
import { GrammarError, RequestError } from "../lib/errors.ts";
import { Grammar } from "../src/grammar.ts";
import { Model } from "../src/model.ts";
import type { ContextLike } from "../src/sampler.ts";
import { createSampler, defaultSamplers, type SamplingParams } from "../src/sampling-params.ts";

const model = await Model.load("models/tiny-chat-f16.gguf", { vocabOnly: true });
const { vocab } = model;
afterAll(() => model.dispose());

/** One output whose logits fall from token 10 downwards and upwards. */
const context: ContextLike = {
  checkOutput: () => {},
  logits: () => Float32Array.from({ length: vocab.size }, (_, token) => 5 - Math.abs(token - 10) / 4),
};

function namesOf(params: SamplingParams): readonly string[] {
  using chain = createSampler(model, params);
  return chain.names;
}

function settingsOf(params: SamplingParams, name: string, options = {}): unknown {
  using chain = createSampler(model, params, options);
  return chain.at(chain.names.indexOf(name)).settings;
}

function picksOf(params: SamplingParams, count = 5): number[] {
  using chain = createSampler(model, params);
  return Array.from({ length: count }, () => chain.sample(context));
}

const compositions: readonly (readonly [params: SamplingParams, names: readonly string[]])[] = [
  [{}, ["top-k", "top-p", "min-p", "temp-ext", "dist"]],
  [
    { temperature: null, top_p: null, seed: null, logit_bias: null, grammar: null },
    ["top-k", "top-p", "min-p", "temp-ext", "dist"],
  ],
  [{ temperature: 0 }, ["greedy"]],
  [
    { temperature: 0, repeat_penalty: 1.1, dry_multiplier: 0.8, xtc_probability: 0.5 },
    ["penalties", "dry", "greedy"],
  ],
  [{ top_k: 0, top_p: 1, min_p: 0 }, ["temp-ext", "dist"]],
  [
    {
      frequency_penalty: 0.5,
      dry_multiplier: 0.8,
      top_n_sigma: 1,
      typical_p: 0.9,
      xtc_probability: 0.5,
      logit_bias: { 5: 1 },
    },
    [
      "logit-bias",
      "penalties",
      "dry",
      "top-n-sigma",
      "top-k",
      "typical",
      "top-p",
      "min-p",
      "xtc",
      "temp-ext",
      "dist",
    ],
  ],
  [{ presence_penalty: 1, repeat_last_n: 0 }, ["top-k", "top-p", "min-p", "temp-ext", "dist"]],
  [{ samplers: ["temp", "top-k", "nucleus"] }, ["temp-ext", "top-k", "top-p", "dist"]],
  [{ samplers: [] }, ["dist"]],
  [{ samplers: ["top_k", "infill"] }, ["top-k", "infill", "dist"]],
  [{ samplers: ["adaptive_p", "min_p"], adaptive_target: 0.5 }, ["min-p", "adaptive-p"]],
  [{ mirostat: 1 }, ["temp", "mirostat"]],
  [{ mirostat: 2, presence_penalty: 1 }, ["penalties", "temp", "mirostat-v2"]],
  [
    { temperature: 0, logits_processors: [() => {}, () => {}] },
    ["logits_processors[0]", "logits_processors[1]", "greedy"],
  ],
];

test.each(compositions)("%j makes the chain %j", (params, names) => {
  expect(namesOf(params)).toEqual([...names]);
  expect(picksOf(params, 1)[0]).toBeGreaterThanOrEqual(0);
});

test("the order given is the order made", () => {
  const all: Required<Pick<SamplingParams, "presence_penalty">> & SamplingParams = {
    presence_penalty: 1,
    dry_multiplier: 1,
    top_n_sigma: 2,
    typical_p: 0.9,
    xtc_probability: 0.2,
  };
  const made: Readonly<Record<string, string>> = {
    penalties: "penalties",
    dry: "dry",
    top_n_sigma: "top-n-sigma",
    top_k: "top-k",
    typ_p: "typical",
    top_p: "top-p",
    min_p: "min-p",
    xtc: "xtc",
    temperature: "temp-ext",
  };
  fc.assert(
    fc.property(fc.shuffledSubarray([...defaultSamplers]), (samplers) => {
      expect(namesOf({ ...all, samplers })).toEqual([...samplers.map((name) => made[name]!), "dist"]);
    }),
    { numRuns: 30 },
  );
});

test("values reach the samplers they are meant for", () => {
  expect(settingsOf({ top_k: 7 }, "top-k")).toEqual({ k: 7 });
  expect(settingsOf({ top_p: 0.5, min_keep: 3 }, "top-p")).toEqual({ p: 0.5, keep: 3 });
  expect(settingsOf({ temperature: 1.5, dynatemp_range: 0.2 }, "temp-ext")).toEqual({
    temperature: 1.5,
    range: 0.2,
    exponent: 1,
  });
  const penalties = { repeat_penalty: 1.2, frequency_penalty: 0.3, presence_penalty: 0.4 };
  const expected = { repeat: 1.2, frequency: 0.3, presence: 0.4 };
  expect(settingsOf(penalties, "penalties")).toEqual({ lastN: 64, ...expected });
  // -1 looks back at the whole context; never further.
  for (const [lastN, length] of [
    [-1, 99],
    [200, 99],
    [20, 20],
  ] as const) {
    const options = { contextLength: 99 };
    expect(settingsOf({ ...penalties, repeat_last_n: lastN }, "penalties", options)).toEqual({
      lastN: length,
      ...expected,
    });
  }
  expect(settingsOf({ mirostat: 2, mirostat_tau: 3, mirostat_eta: 0.2, seed: 4 }, "mirostat-v2")).toEqual({
    tau: 3,
    eta: 0.2,
    seed: 4,
  });
});

test("a seed decides the picks", () => {
  const params = { top_k: 0, top_p: 1, min_p: 0 };
  expect(picksOf({ ...params, seed: 9 }, 20)).toEqual(picksOf({ ...params, seed: 9 }, 20));
  expect(picksOf({ ...params, seed: 9 }, 20)).not.toEqual(picksOf({ ...params, seed: 10 }, 20));
  expect(picksOf({ ...params }, 20)).not.toEqual(picksOf({ ...params, seed: -1 }, 20));
});

test("biases come as a record, a map or pairs, and ban with false", () => {
  const greedy = { temperature: 0 };
  expect(picksOf({ ...greedy, logit_bias: { 10: false, 30: 100 } }, 1)).toEqual([30]);
  expect(picksOf({ ...greedy, logit_bias: new Map([[10, false as const]]) }, 1)).toEqual([9]);
  expect(
    picksOf(
      {
        ...greedy,
        logit_bias: [
          [10, Number.NEGATIVE_INFINITY],
          [9, -100],
        ],
      },
      1,
    ),
  ).toEqual([11]);
  const banned = picksOf({ seed: 1, temperature: 2, logit_bias: { 10: false, 11: false } }, 50);
  expect(banned.filter((token) => token === 10 || token === 11)).toEqual([]);
});

test("ignore_eos bans what ends a text", () => {
  const end = vocab.eos!;
  const wish: ContextLike = {
    checkOutput: () => {},
    logits: () => new Float32Array(vocab.size).fill(0, 0, end).fill(9, end, end + 1),
  };
  using plain = createSampler(model, { temperature: 0 });
  using endless = createSampler(model, { temperature: 0, ignore_eos: true });
  expect(plain.sample(wish)).toBe(end);
  expect(vocab.isEndOfGeneration(endless.sample(wish))).toBe(false);
});

test("logits processors see the tokens so far and change the logits", () => {
  const seen: number[][] = [];
  using chain = createSampler(model, {
    temperature: 0,
    logits_processors: (logits, { tokens }) => {
      seen.push([...tokens]);
      for (const token of tokens) logits[token] = Number.NEGATIVE_INFINITY;
    },
  });
  chain.acceptPrompt(Int32Array.of(10, 9));
  expect([chain.sample(context), chain.sample(context)]).toEqual([11, 8]);
  expect(seen).toEqual([
    [10, 9],
    [10, 9, 11],
  ]);
});

test("a grammar is text or parsed", () => {
  for (const grammar of ["root ::= <[42]>", Grammar.parse("root ::= <[42]>")]) {
    expect(picksOf({ seed: 1, grammar }, 2)).toEqual([42, vocab.eos!]);
  }
  expect(() => createSampler(model, { grammar: "root ::= (" })).toThrow(GrammarError);
  expect(picksOf({ temperature: 0, grammar: "" }, 1)).toEqual([10]);
});

const wrong: readonly (readonly [params: Record<string, unknown>, error: typeof TypeError, field: RegExp])[] =
  [
    ...Object.entries({
      temperature: [-0.1, 1e-9, 1e9],
      top_k: [2 ** 31],
      top_p: [-0.1, 1.1],
      min_p: [-1, 2],
      typical_p: [-1, 2],
      xtc_probability: [-1, 2],
      xtc_threshold: [-1, 2],
      dynatemp_range: [-1],
      dynatemp_exponent: [-1],
      repeat_penalty: [0, -1, 1e-30],
      repeat_last_n: [-2, 2 ** 25],
      frequency_penalty: [1e30],
      presence_penalty: [-1e30],
      dry_multiplier: [-1],
      dry_base: [0.5],
      dry_allowed_length: [-1],
      dry_penalty_last_n: [-2, 2 ** 31],
      mirostat: [3, -1],
      mirostat_tau: [-1],
      mirostat_eta: [-1],
      adaptive_target: [1.5],
      adaptive_decay: [1],
      min_keep: [-1],
      seed: [-2, 2 ** 32],
    }).flatMap(([field, values]) =>
      values.map((value) => [{ [field]: value }, RangeError, new RegExp(field)] as const),
    ),
    ...["temperature", "top_k", "top_p", "repeat_penalty", "mirostat", "min_keep"].flatMap((field) =>
      [Number.NaN, "0.5", Number.POSITIVE_INFINITY, true].map(
        (value) => [{ [field]: value }, TypeError, new RegExp(field)] as const,
      ),
    ),
    [{ top_k: 1.5 }, TypeError, /top_k/],
    [{ seed: 0.5 }, TypeError, /seed/],
    [{ samplers: "top_k" }, TypeError, /samplers/],
    [{ logit_bias: { 99999: 1 } }, RangeError, /logit_bias/],
    [{ logit_bias: { "-1": 1 } }, TypeError, /logit_bias/],
    [{ logit_bias: { "": 1 } }, TypeError, /logit_bias/],
    [{ logit_bias: { 5: "1" } }, TypeError, /logit_bias of token 5/],
    [{ logit_bias: { 5: Number.NaN } }, TypeError, /logit_bias of token 5/],
    [{ logit_bias: { 5: Number.POSITIVE_INFINITY } }, TypeError, /logit_bias of token 5/],
    [{ logit_bias: { 5: 1e30 } }, RangeError, /logit_bias of token 5/],
    [{ dry_multiplier: 1, dry_sequence_breakers: [""] }, RangeError, /dry_sequence_breakers\[0\]/],
    [{ dry_multiplier: 1, dry_sequence_breakers: ["a", "b\0"] }, TypeError, /dry_sequence_breakers\[1\]/],
    [
      { dry_multiplier: 1, dry_sequence_breakers: ["é".repeat(21)] },
      RangeError,
      /dry_sequence_breakers\[0\]/,
    ],
    [{ dry_multiplier: 1, dry_sequence_breakers: [5] }, TypeError, /dry_sequence_breakers\[0\]/],
    [{ logits_processors: ["x"] }, TypeError, /logits_processors\[0\]/],
    [{ grammar: 5 }, TypeError, /grammar/],
  ];

test.each(wrong)("%j is refused, and the field named", (params, error, field) => {
  const make = () => createSampler(model, params as SamplingParams).dispose();
  expect(make).toThrow(error);
  expect(make).toThrow(field);
});

test("an unknown sampler is refused with the known ones", () => {
  expect(() => createSampler(model, { samplers: ["top_k", "best"] })).toThrow(RequestError);
  expect(() => createSampler(model, { samplers: ["constructor"] })).toThrow(
    /samplers\[0\] "constructor".*top_k/,
  );
});

test("any allowed values sample without harm", () => {
  const value = (...values: number[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
  const params = fc.record({
    seed: fc.nat(0xfffffffe),
    temperature: value(0, 1e-5, 0.7, 1000),
    top_k: value(-1, 0, 1, 200, 0x7fffffff),
    top_p: value(0, 1e-9, 0.5, 1),
    min_p: value(0, 0.1, 1),
    typical_p: value(0, 0.2, 1),
    top_n_sigma: value(-1, 0, 0.5, 1e6),
    xtc_probability: value(0, 0.5, 1),
    xtc_threshold: value(0, 0.1, 1),
    dynatemp_range: value(0, 1, 1e6),
    dynatemp_exponent: value(0, 1, 1000),
    repeat_penalty: value(1e-3, 1, 1e3),
    frequency_penalty: value(-1e6, 0, 1e6),
    repeat_last_n: value(-1, 0, 1, 64),
    dry_multiplier: value(0, 1, 1e6),
    dry_base: value(1, 2, 1e6),
    dry_allowed_length: value(0, 2, 0x7fffffff),
    mirostat: value(0, 1, 2),
    mirostat_tau: value(0, 5, 1e6),
    mirostat_eta: value(0, 0.1, 1e6),
    adaptive_target: value(-1, 0, 0.5, 1),
    min_keep: value(0, 1, 5, 0x7fffffff),
    samplers: fc.shuffledSubarray([...defaultSamplers]),
    grammar: fc.constantFrom(undefined, "root ::= [a-z]+ | <[10]>+"),
    logit_bias: fc.constantFrom(undefined, { 10: false as const }, { 3: 1e6, 4: -1e6 }),
  });
  fc.assert(
    fc.property(params, (chosen) => {
      for (const token of picksOf(chosen, 4)) {
        expect(token).toBeGreaterThanOrEqual(0);
        expect(token).toBeLessThan(vocab.size);
        if (chosen.logit_bias && 10 in chosen.logit_bias) expect(token).not.toBe(10);
      }
    }),
    { numRuns: 200 },
  );
});
