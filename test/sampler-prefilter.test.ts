import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { Grammar } from "../src/grammar.ts";
import { Model } from "../src/model.ts";
import { Sampler, SamplerChain } from "../src/sampler.ts";
import { createSampler, type SamplingParams } from "../src/sampling-params.ts";
import { buildFixture } from "./fixtures/build-fixture.ts";
import { loadFixture, loadTinyModel } from "./support/tiny-model.ts";

setDefaultTimeout(300_000);

/** Picks of each kind of logits and vocabulary. */
const cases = Number(process.env.CRIA_PREFILTER_CASES ?? 1000);

const model = await loadTinyModel();
const medium = await Model.load(
  await buildFixture({
    architecture: "llama",
    vocabularySize: 3000,
    width: 64,
    heads: 2,
    kvHeads: 2,
    feedForward: 128,
  }),
);
const large = await loadFixture("llama-150k");
afterAll(() => {
  model.dispose();
  medium.dispose();
  large.dispose();
});

const outputOf = (logits: Float32Array) => ({ checkOutput: () => {}, logits: () => logits });

/** Numbers from 0 to 1, the same for a seed. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const shapes = {
  bell: (random: () => number) => 4 * (random() + random() + random() - 1.5),
  /** As likely as words of a language: the likeliest by far, and many that hardly ever come. */
  words: (random: () => number) => 16 - 1.5 * Math.log(1 + 3000 * random()),
  /** Few values, so that many are equal. */
  ties: (random: () => number) => Math.floor(8 * random()) / 2,
  peaked: (random: () => number) => (random() < 0.01 ? 10 + 10 * random() : -5 * random()),
  /** Beyond the buckets that libllama sorts by. */
  high: (random: () => number) => 8 + 30 * random(),
  low: (random: () => number) => -40 + 35 * random(),
  /** On the edges of those buckets and close by, many equal. */
  edges: (random: () => number) =>
    Math.floor(60 * random()) * (20 / 128) + 5e-4 * (Math.floor(5 * random()) - 2),
  /** Most in the highest bucket, many equal. */
  highTies: (random: () => number) => (random() < 0.2 ? 5 * random() : 12 + Math.floor(30 * random()) / 2),
  /** So large that neighbours are no floats. */
  huge: (random: () => number) => 3e4 + 16 - 1.5 * Math.log(1 + 3000 * random()),
  banned: (random: () => number) => (random() < 0.9 ? Number.NEGATIVE_INFINITY : 5 * random()),
} as const;

const params = fc.record<SamplingParams>(
  {
    temperature: fc.constantFrom(0, 0.3, 0.8, 1.5),
    top_k: fc.constantFrom(0, 0, 0, 1, 5, 40, 200),
    top_p: fc.constantFrom(1, 0.95, 0.8, 0.5, 0.05),
    min_p: fc.constantFrom(0, 0, 0.05, 0.3),
    typical_p: fc.constantFrom(1, 0.9),
    min_keep: fc.constantFrom(0, 0, 3),
    repeat_penalty: fc.constantFrom(1, 1.1, 0.8),
    repeat_last_n: fc.constantFrom(64, 5, -1),
    frequency_penalty: fc.constantFrom(0, 0.5, -0.5),
    presence_penalty: fc.constantFrom(0, 1),
    dry_multiplier: fc.constantFrom(0, 0.8),
    top_n_sigma: fc.constantFrom(-1, -1, 2),
    xtc_probability: fc.constantFrom(0, 0.5),
    dynatemp_range: fc.constantFrom(0, 0, 0, 0.5),
    adaptive_target: fc.constantFrom(-1, -1, -1, 0.3),
    logit_bias: fc.constantFrom<SamplingParams["logit_bias"][]>(
      {},
      { 5: 3, 17: -100 },
      { 300: false, 301: 50 },
      [
        [7, 0.1],
        [8, 30],
        [8, -29],
        [8, Number.NEGATIVE_INFINITY],
      ],
    ),
    ignore_eos: fc.boolean(),
  },
  { requiredKeys: [] },
);

/** Orders of samplers besides the default one. */
const orders = [
  ["top_p", "min_p", "temperature"],
  ["penalties", "top_p", "temperature"],
  ["penalties", "dry", "top_p", "top_k", "min_p", "temperature"],
  ["top_p", "xtc", "temperature"],
  ["temperature", "top_p"],
  ["min_p", "top_p", "temperature"],
];

// A vocabulary of up to 1024 libllama sorts otherwise than larger ones.
const vocabularies = { 1024: model, 3000: medium };

describe.each(Object.keys(vocabularies))("of a vocabulary of %s", (size) => {
  const small = vocabularies[size as "1024" | "3000"];
  test.each(Object.keys(shapes) as (keyof typeof shapes)[])(
    "what is picked of the survivors is what is picked of all: %s logits",
    (shape) => {
      let picks = 0;
      let narrowed = 0;
      for (let seed = 1; picks < cases; seed++) {
        const [given] = fc.sample(params, { seed, numRuns: 1 });
        const order = seed % 3 === 0 ? { samplers: orders[(seed / 3) % orders.length]! } : {};
        const prompt = Int32Array.from({ length: 20 }, (_, index) => (seed * 31 + index * 7) % 60);
        const compared = comparePicks(small, shape, { ...given, ...order, seed }, prompt);
        picks += compared.picks;
        if (compared.narrowed > 0) narrowed++;
      }
      expect(narrowed).toBeGreaterThan(0);
    },
  );
});

const grammars = [
  'root ::= "yes" | "no" | "yellow"',
  "root ::= [^a-m]{2,5} [a-m ]*",
  'root ::= "{" pair ("," pair)* "}"\npair ::= "\\"" [a-zé ]+ "\\":" [0-9]{1,3}',
  'root ::= "(" root ")" | [0-9]+ |',
  "root ::= .*",
];

/** Allows about half of a vocabulary to begin with, so that those allowed are more than 1024 of 3000. */
const half = "root ::= [a-m] .*";

describe.each([...grammars, half])("under the grammar %j", (source) => {
  const grammar = Grammar.parse(source);
  const of = source === half ? medium : model;
  test.each(Object.keys(shapes) as (keyof typeof shapes)[])(
    "the picks are those of all: %s logits",
    (shape) => {
      for (let seed = 1, picks = 0; picks < cases / 8; seed++) {
        const [given] = fc.sample(params, { seed, numRuns: 1 });
        picks += comparePicks(of, shape, { ...given, grammar, seed }).picks;
      }
    },
  );
});

/**
 * Compares what a chain picks of the survivors with what one like it picks of all, for up to 12 outputs: fewer where a text under a
 * grammar has ended.
 */
function comparePicks(
  of: Model,
  shape: keyof typeof shapes,
  given: SamplingParams & { seed: number },
  prompt = new Int32Array(0),
): { picks: number; narrowed: number } {
  using narrow = createSampler(of, given);
  using all = createSampler(of, given);
  all.narrowing = "none";
  for (const chain of [narrow, all]) chain.acceptPrompt(prompt);
  const random = randomNumbers(given.seed);
  const chosen = new Float32Array(of.vocab.size);
  const output = outputOf(chosen);
  let picks = 0;
  while (picks < 12) {
    for (let token = 0; token < chosen.length; token++) chosen[token] = shapes[shape](random);
    const ours = outcome(narrow, output);
    const native = outcome(all, output);
    if (ours !== native)
      throw new Error(`${ours} instead of ${native}: ${JSON.stringify({ step: picks, given })}`);
    picks++;
    if (given.grammar && (typeof ours === "string" || of.vocab.isEndOfGeneration(ours))) break;
  }
  return { picks, narrowed: narrow.narrowed };
}

function outcome(chain: SamplerChain, output: Parameters<SamplerChain["sample"]>[0]): number | string {
  try {
    return chain.sample(output);
  } catch (error) {
    return (error as Error).message;
  }
}

test("a large vocabulary", () => {
  const size = large.vocab.size;
  const random = randomNumbers(3);
  const narrowed: number[] = [];
  for (const given of [
    {},
    { top_k: 0, top_p: 1 },
    { top_k: 0, min_p: 0 },
    { top_k: 0, frequency_penalty: 1 },
    { repeat_penalty: 1.2 },
    { temperature: 0, presence_penalty: 1 },
  ]) {
    using narrow = createSampler(large, { ...given, seed: 5 });
    using all = createSampler(large, { ...given, seed: 5 });
    all.narrowing = "none";
    for (let step = 0; step < 10; step++) {
      const chosen = Float32Array.from({ length: size }, () => 16 - 1.5 * Math.log(1 + size * random()));
      const output = outputOf(chosen);
      expect(narrow.sample(output)).toBe(all.sample(output));
    }
    narrowed.push(narrow.narrowed);
  }
  for (const count of narrowed) expect(count).toBeGreaterThan(7);
});

test("where libllama's sum and the next sampler cut the list at about the same place", () => {
  const size = large.vocab.size;
  // 200 tokens have 94.5% together, and the least of them a twentieth of the likeliest's: min-p leaves those alone.
  const random = randomNumbers(5);
  const chosen = Float32Array.from({ length: size }, () => 8 - 12 * random());
  for (let rank = 0; rank < 200; rank++) chosen[300 + 7 * rank] = 16 - 0.0147 * rank;
  const sumOf = (logits: Float32Array) => logits.reduce((sum, logit) => sum + Math.exp(logit - 16), 0);
  const likely = sumOf(chosen.filter((logit) => logit > 10));
  const shift = Math.log((likely * 0.055) / 0.945 / (sumOf(chosen) - likely));
  for (let token = 0; token < size; token++) if (chosen[token]! < 10) chosen[token]! += shift;
  const output = outputOf(chosen);
  for (const seed of [1, 2, 3, 4, 5]) {
    const given = { top_k: 0, top_p: 0.95, min_p: 0.05, temperature: 1, seed };
    using narrow = createSampler(large, given);
    using all = createSampler(large, given);
    all.narrowing = "none";
    for (let step = 0; step < 3; step++) expect(narrow.sample(output)).toBe(all.sample(output));
    expect(narrow.narrowed).toBe(3);
  }
});

test("equal logits at the edges of the buckets that libllama sorts by", () => {
  const edge = -10 + (100 * 20) / 128;
  // 150 above an edge and 100 just below it, of which a top-k of 200 needs half, with many more in their bucket.
  const below = Float32Array.from({ length: 3000 }, (_, token) =>
    token % 20 === 0 ? edge + 0.1 : token % 30 === 1 ? edge - 5e-4 : edge - 0.1 * (1 + (token % 2)),
  );
  // Most of them in the highest bucket, which has no upper edge.
  const highest = Float32Array.from({ length: 3000 }, (_, token) =>
    token % 5 ? 20 + (token % 7) / 10 : token / 999,
  );
  for (const [logits, given] of [
    [below, { top_k: 200, top_p: 1 }],
    [highest, { top_k: 0, top_p: 0.9 }],
  ] as const) {
    using narrow = createSampler(medium, { ...given, min_p: 0, temperature: 1, seed: 3 });
    using all = createSampler(medium, { ...given, min_p: 0, temperature: 1, seed: 3 });
    all.narrowing = "none";
    for (let step = 0; step < 40; step++)
      expect(narrow.sample(outputOf(logits))).toBe(all.sample(outputOf(logits)));
  }
});

test("a sampler that was told of tokens before it came into the chain", () => {
  // The likeliest are far apart, so that hardly more than as many as are asked for are looked at.
  const output = outputOf(
    Float32Array.from({ length: model.vocab.size }, (_, token) => (token % 100 ? -9 : 10 - token / 1000)),
  );
  const penalties = { lastN: 8, presence: 5 };
  using told = Sampler.penalties(model, penalties);
  for (const token of [0, 100]) told.accept(token);
  using copy = told.clone();
  using chain = new SamplerChain(model).add(told).add(Sampler.topK(model, 1)).add(Sampler.dist(model));
  expect([chain.sample(output), chain.sample(output)]).toEqual([200, 300]);
  expect(chain.narrowed).toBe(2);
  using next = new SamplerChain(model).add(chain.remove(0)).add(Sampler.greedy(model));
  expect(next.sample(output)).toBe(400);
  copy.copyFrom(copy);
  using fresh = Sampler.penalties(model, penalties);
  fresh.copyFrom(copy);
  using last = new SamplerChain(model).add(fresh).add(Sampler.greedy(model));
  expect(last.sample(output)).toBe(200);
  last.reset();
  expect(last.sample(output)).toBe(0);
});

test("a bias is added in single precision, as libllama does", () => {
  // With the bias in double precision the first of two equal tokens would be less.
  const random = randomNumbers(1);
  let [logit, bias, sum] = [0, 0, 0];
  while (Math.fround(logit + bias) >= sum) {
    [logit, bias] = [Math.fround(random()), random()];
    sum = Math.fround(logit + Math.fround(bias));
  }
  const chosen = new Float32Array(model.vocab.size).fill(-5);
  chosen.set([logit, sum], 10);
  const picks = (["survivors", "none"] as const).map((narrowing) => {
    using chain = createSampler(model, { temperature: 0, logit_bias: [[10, bias]] });
    chain.narrowing = narrowing;
    return chain.sample(outputOf(chosen));
  });
  expect(picks).toEqual([10, 10]);
});

test("NaN and infinite logits are refused as without", () => {
  const wrongLogits = new Float32Array(model.vocab.size);
  using chain = createSampler(model, {});
  for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY]) {
    wrongLogits.fill(0);
    wrongLogits[77] = wrong;
    expect(() => chain.sample(outputOf(wrongLogits))).toThrow(/token 77/);
  }
  wrongLogits.fill(Number.NEGATIVE_INFINITY);
  expect(() => chain.sample(outputOf(wrongLogits))).toThrow(/no token is left/);
});

test("state is copied, cloned and reset with the chain", () => {
  const random = randomNumbers(9);
  const chosen = Float32Array.from({ length: model.vocab.size }, () => shapes.ties(random));
  const output = outputOf(chosen);
  using chain = createSampler(model, { repeat_penalty: 2, seed: 1 });
  for (let step = 0; step < 10; step++) chain.sample(output);
  using copy = chain.clone();
  using other = createSampler(model, { repeat_penalty: 2, seed: 1 });
  other.copyFrom(chain);
  const next = Array.from({ length: 10 }, () => chain.sample(output));
  expect(Array.from({ length: 10 }, () => copy.sample(output))).toEqual(next);
  expect(Array.from({ length: 10 }, () => other.sample(output))).toEqual(next);
  chain.reset();
  using fresh = createSampler(model, { repeat_penalty: 2, seed: 1 });
  expect(chain.sample(output)).toBe(fresh.sample(output));
});
