import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { allocateEntries, allocateLogits, countFrom, gatherFrom } from "../lib/logits-scan.ts";
import type { SamplerChain } from "../src/sampler.ts";
import { createSampler, type SamplingParams } from "../src/sampling-params.ts";
import { loadFixture, loadTinyModel } from "./support/tiny-model.ts";

setDefaultTimeout(300_000);

/** Picks of each kind of logits; 100,000 in all is what the prefilter is held to. */
const cases = Number(process.env.CRIA_PREFILTER_CASES ?? 20_000);

const model = await loadTinyModel();
const large = await loadFixture("llama-150k");
afterAll(() => {
  model.dispose();
  large.dispose();
});

/** Gives a chain a copy of logits to spoil. */
function outputOf(room: Float32Array, logits: Float32Array) {
  const copied = () => {
    room.set(logits);
    return room;
  };
  return { checkOutput: () => {}, logits: copied };
}

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
  /** Few values, so that many are equal. */
  ties: (random: () => number) => Math.floor(8 * random()) / 2,
  peaked: (random: () => number) => (random() < 0.01 ? 10 + 10 * random() : -5 * random()),
  /** Beyond the buckets that libllama sorts by. */
  high: (random: () => number) => 8 + 30 * random(),
  low: (random: () => number) => -40 + 35 * random(),
  banned: (random: () => number) => (random() < 0.9 ? Number.NEGATIVE_INFINITY : 5 * random()),
} as const;

const params = fc.record<SamplingParams>(
  {
    temperature: fc.constantFrom(0, 0.3, 0.8, 1.5),
    top_k: fc.constantFrom(0, 1, 5, 40, 200),
    top_p: fc.constantFrom(1, 0.95, 0.5),
    min_p: fc.constantFrom(0, 0.05, 0.3),
    typical_p: fc.constantFrom(1, 0.9),
    min_keep: fc.constantFrom(0, 0, 3),
    repeat_penalty: fc.constantFrom(1, 1.1, 0.8),
    repeat_last_n: fc.constantFrom(64, 5, -1),
    frequency_penalty: fc.constantFrom(0, 0.5, -0.5),
    presence_penalty: fc.constantFrom(0, 1),
    dry_multiplier: fc.constantFrom(0, 0.8),
    top_n_sigma: fc.constantFrom(-1, -1, 2),
    xtc_probability: fc.constantFrom(0, 0.5),
    logit_bias: fc.constantFrom({}, { 5: 3, 17: -100 }, { 300: false, 301: 50 }),
    ignore_eos: fc.boolean(),
  },
  { requiredKeys: [] },
);

describe.each(Object.keys(shapes) as (keyof typeof shapes)[])("%s logits", (shape) => {
  test("what is picked of the survivors is what is picked of all", () => {
    let picks = 0;
    let narrowed = 0;
    const size = model.vocab.size;
    const room = allocateLogits(size);
    const chosen = new Float32Array(size);
    const output = outputOf(room.view, chosen);
    for (let seed = 1; picks < cases; seed++) {
      const [given] = fc.sample(params, { seed, numRuns: 1 });
      using narrow = createSampler(model, { ...given, seed });
      using all = createSampler(model, { ...given, seed });
      all.narrowing = "none";
      const prompt = Int32Array.from({ length: 20 }, (_, index) => (seed * 31 + index * 7) % 60);
      for (const chain of [narrow, all]) chain.acceptPrompt(prompt);
      const random = randomNumbers(seed);
      for (let step = 0; step < 12; step++) {
        for (let token = 0; token < size; token++) chosen[token] = shapes[shape](random);
        const ours = outcome(narrow, output);
        const native = outcome(all, output);
        if (ours !== native)
          throw new Error(`${ours} instead of ${native}: ${JSON.stringify({ seed, step, given })}`);
        picks++;
      }
      if (narrow.narrowed > 0) narrowed++;
    }
    room.release();
    expect(narrowed).toBeGreaterThan(0);
  });
});

function outcome(chain: SamplerChain, output: Parameters<SamplerChain["sample"]>[0]): number | string {
  try {
    return chain.sample(output);
  } catch (error) {
    return (error as Error).message;
  }
}

test("a large vocabulary", () => {
  const size = large.vocab.size;
  const room = allocateLogits(size);
  const random = randomNumbers(3);
  for (const given of [
    {},
    { top_k: 0, top_p: 1 },
    { repeat_penalty: 1.2 },
    { temperature: 0, presence_penalty: 1 },
  ]) {
    using narrow = createSampler(large, { ...given, seed: 5 });
    using all = createSampler(large, { ...given, seed: 5 });
    all.narrowing = "none";
    for (let step = 0; step < 20; step++) {
      const chosen = Float32Array.from({ length: size }, () => shapes.bell(random));
      const output = outputOf(room.view, chosen);
      expect(narrow.sample(output)).toBe(all.sample(output));
    }
    expect(narrow.narrowed).toBe(20);
  }
  room.release();
});

test("NaN and infinite logits are refused as without", () => {
  const room = allocateLogits(model.vocab.size);
  using chain = createSampler(model, {});
  for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY]) {
    room.view.fill(0);
    room.view[77] = wrong;
    const output = { checkOutput: () => {}, logits: () => room.view };
    expect(() => chain.sample(output)).toThrow(/token 77/);
  }
  room.view.fill(Number.NEGATIVE_INFINITY);
  expect(() => chain.sample({ checkOutput: () => {}, logits: () => room.view })).toThrow(/no token is left/);
  room.release();
});

test("state is copied, cloned and reset with the chain", () => {
  const room = allocateLogits(model.vocab.size);
  const random = randomNumbers(9);
  const chosen = Float32Array.from({ length: model.vocab.size }, () => shapes.ties(random));
  const output = outputOf(room.view, chosen);
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
  room.release();
});

test("scans count and gather as loops do", () => {
  fc.assert(
    fc.property(
      fc.array(fc.float({ noDefaultInfinity: true, noNaN: true, min: -20, max: 20 }), {
        minLength: 1,
        maxLength: 200,
      }),
      fc.float({ noNaN: true, min: -20, max: 20 }),
      fc.integer({ min: 1, max: 50 }),
      (values, threshold, capacity) => {
        const room = allocateLogits(values.length);
        room.view.set(values);
        const plain = Float32Array.from(values);
        const [fast, naive] = [allocateEntries(capacity), allocateEntries(capacity)];
        expect(countFrom(room.view, threshold)).toBe(countFrom(plain, threshold));
        const count = gatherFrom(room.view, threshold, fast);
        expect(count).toBe(gatherFrom(plain, threshold, naive));
        const words = 3 * Math.min(count, capacity);
        expect(fast.words.subarray(0, words)).toEqual(naive.words.subarray(0, words));
        for (const { release } of [room, fast, naive]) release();
      },
    ),
  );
});
