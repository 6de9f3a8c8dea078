// Throws random batches at contexts of one model. Each must be decoded or refused: an assert would end this process.
import fc from "fast-check";
import { CriaError } from "../../lib/errors.ts";
import { Batch } from "../../src/batch.ts";
import { Context } from "../../src/context.ts";
import type { ContextOptions } from "../../src/context-options.ts";
import { Model } from "../../src/model.ts";

const [path, seed, runs] = process.argv.slice(2);
const verbose = process.env.CRIA_FUZZ_VERBOSE === "1";
const model = await Model.load(path!);
const vocabularySize = model.vocab.size;

const tokenArb = fc.oneof(
  { weight: 20, arbitrary: fc.nat({ max: vocabularySize - 1 }) },
  { weight: 1, arbitrary: fc.constantFrom(-1, vocabularySize, 2 ** 31 - 1) },
);
const wildArb = fc.integer({ min: 0, max: 9 }).map((value) => value === 0);
const entryArb = fc.record({
  token: tokenArb,
  jump: fc.oneof(
    { weight: 15, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: -3, max: 5 }) },
  ),
  sequences: fc.oneof(
    { weight: 10, arbitrary: fc.tuple(fc.nat({ max: 3 })) },
    { weight: 1, arbitrary: fc.array(fc.integer({ min: -1, max: 5 }), { minLength: 1, maxLength: 4 }) },
  ),
  output: fc.boolean(),
});
const optionsArb: fc.Arbitrary<ContextOptions> = fc.record(
  {
    contextLength: fc.constantFrom(32, 64, 256),
    batchSize: fc.constantFrom(1, 8, 64),
    maxSequences: fc.constantFrom(1, 2, 4),
    unifiedCache: fc.boolean(),
    embeddings: fc.boolean(),
    flashAttention: fc.constantFrom("on", "off", "auto"),
    pooling: fc.constantFrom("unspecified", "none", "mean", "last", "cls"),
    attention: fc.constantFrom("unspecified", "causal", "non-causal"),
    maxOutputs: fc.constantFrom(0, 1, 4),
    fullSlidingWindow: fc.boolean(),
    recurrentSnapshots: fc.constantFrom(0, 2),
    threads: fc.constant(1),
  },
  { noNullPrototype: true },
);
const actionArb = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("decode" as const),
      wild: wildArb,
      entries: fc.array(entryArb, { minLength: 1, maxLength: 20 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("encode" as const),
      wild: wildArb,
      entries: fc.array(entryArb, { minLength: 1, maxLength: 20 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("remove" as const),
      a: fc.nat({ max: 4 }),
      from: fc.nat({ max: 20 }),
      to: fc.nat({ max: 20 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("copy" as const),
      a: fc.nat({ max: 4 }),
      b: fc.nat({ max: 4 }),
      from: fc.nat({ max: 20 }),
      to: fc.nat({ max: 20 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("keep" as const), a: fc.nat({ max: 4 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("shift" as const),
      a: fc.nat({ max: 4 }),
      by: fc.integer({ min: -10, max: 10 }),
      from: fc.nat({ max: 20 }),
      to: fc.nat({ max: 20 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("divide" as const),
      a: fc.nat({ max: 4 }),
      by: fc.integer({ min: 0, max: 4 }),
      from: fc.nat({ max: 20 }),
      to: fc.nat({ max: 20 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("outputs" as const),
      index: fc.integer({ min: -5, max: 20 }),
      sequence: fc.integer({ min: -1, max: 5 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("switch" as const),
      embeddings: fc.boolean(),
      causal: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("state" as const),
      a: fc.nat({ max: 4 }),
      b: fc.nat({ max: 4 }),
      partial: fc.boolean(),
    }),
  },
);
type Action = typeof actionArb extends fc.Arbitrary<infer T> ? T : never;

const counts = new Map<string, number>();
function attempt(kind: string, body: () => unknown): void {
  let outcome = "ok";
  try {
    outcome = String(body() ?? "ok");
  } catch (error) {
    // Only errors that were meant: anything else is a bug of ours.
    if (!(error instanceof CriaError || error instanceof RangeError || error instanceof TypeError))
      throw error;
    outcome = error.name;
  }
  const key = `${kind}: ${outcome}`;
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function perform(context: Context, action: Action): void {
  switch (action.kind) {
    case "decode":
    case "encode":
      attempt(action.kind, () => {
        const batch = new Batch(model.native, { capacity: 32, sequencesPerToken: 4 });
        const next = new Map<number, number>();
        // A tame batch stays within the context's limits, so that most of them get as far as the computation.
        const { maxSequences, batchSize, unifiedCache } = context;
        const entries = action.wild ? action.entries : action.entries.slice(0, batchSize);
        for (const { token, jump, output, ...entry } of entries) {
          const tame = unifiedCache ? entry.sequences : entry.sequences.slice(0, 1);
          const sequences = action.wild
            ? entry.sequences
            : tame.map((sequence) => (sequence + maxSequences) % maxSequences);
          const first = sequences[0]!;
          const usable = context.hasMemory && first >= 0 && first < context.maxSequences;
          const position = (next.get(first) ?? (usable ? context.memory.positionMax(first) + 1 : 0)) + jump;
          batch.add(token, position, sequences, { output: output || context.pooling !== "none" });
          for (const sequence of sequences) next.set(sequence, position + 1);
        }
        return context[action.kind](batch);
      });
      break;
    case "remove":
      attempt("remove", () => context.memory.remove(action.a, { from: action.from, to: action.to }));
      break;
    case "copy":
      attempt("copy", () =>
        context.memory.copy(action.a, action.b, action.from < 10 ? {} : { from: action.from, to: action.to }),
      );
      break;
    case "keep":
      attempt("keep", () => context.memory.keep(action.a));
      break;
    case "shift":
      attempt("shift", () => context.memory.shift(action.a, action.by, { from: action.from, to: action.to }));
      break;
    case "divide":
      attempt("divide", () =>
        context.memory.divide(action.a, action.by, { from: action.from, to: action.to }),
      );
      break;
    case "outputs":
      attempt("logits", () => void context.logits(action.index));
      attempt("token embedding", () => void context.outputs.tokenEmbedding(action.index));
      attempt("sequence embedding", () => void context.outputs.sequenceEmbedding(action.sequence));
      break;
    case "switch":
      attempt("switch", () => {
        context.setEmbeddings(action.embeddings);
        context.setCausalAttention(action.causal);
      });
      break;
    case "state":
      attempt("state", () => {
        const options = { partialOnly: action.partial };
        context.state.restoreSequence(action.b, context.state.saveSequence(action.a, options), options);
        context.state.restore(context.state.save());
      });
      break;
  }
}

fc.assert(
  fc.property(optionsArb, fc.array(actionArb, { minLength: 1, maxLength: 12 }), (options, actions) => {
    if (verbose) console.error(JSON.stringify(options));
    let context: Context;
    try {
      context = new Context(model, options);
    } catch (error) {
      if (error instanceof CriaError || error instanceof RangeError || error instanceof TypeError) return;
      throw error;
    }
    try {
      for (const action of actions) {
        if (verbose) console.error(JSON.stringify(action));
        perform(context, action);
      }
    } finally {
      context.dispose();
    }
  }),
  { seed: Number(seed), numRuns: Number(runs), endOnFailure: true },
);
console.log(JSON.stringify(Object.fromEntries(counts)));
