import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { RequestError } from "../../lib/errors.ts";
import { Batch } from "../../src/batch.ts";
import { Context } from "../../src/context.ts";
import type { CoreOptions } from "../../src/engine/core.ts";
import { restorePrefix, savePrefix } from "../../src/engine/saved-prefix.ts";
import { Model } from "../../src/model.ts";
import { buildFixture } from "../fixtures/build-fixture.ts";
import { fixture } from "../fixtures/fixture-set.ts";
import { CoreHarness } from "../support/engine-core.ts";
import { FreshAnswers } from "../support/fresh-answers.ts";
import { hostTier, tierBelow } from "../support/host-tier.ts";
import { continueGreedily, feed } from "../support/tiny-model.ts";

setDefaultTimeout(60_000);

const plain = { flashAttention: false, cacheTypeK: "f32", cacheTypeV: "f32" } as const;
const small = { ...plain, batchSize: 32, microBatchSize: 32 } as const;
const kinds = [
  { name: "attention", recipe: { architecture: "llama" }, context: small },
  {
    name: "sliding window",
    recipe: { architecture: "gemma2" },
    context: { ...small, fullSlidingWindow: false },
  },
  { name: "sliding window, kept whole", recipe: { architecture: "gemma2" }, context: small },
  { name: "recurrent", recipe: { architecture: "mamba" }, context: small },
  { name: "hybrid", recipe: { architecture: "lfm2" }, context: small },
] as const;
const answerLength = 8;
const contextLength = 256;

const run = (start: number, length: number) =>
  Array.from({ length }, (_, at) => 300 + ((start + 7 * at) % 500));
/** Beginnings that prompts share, of lengths about the window's (32) and the batch's. */
const starts = [run(0, 20), [...run(0, 20), ...run(90, 30)], run(200, 100)];

interface Turn {
  readonly start: number;
  /** Tokens of the answer to the start that the prompt repeats; none for a new question. */
  readonly repeated: number;
  readonly end: number;
}

/** A beginning alone, or with a part of its answer and more: what a conversation goes on with. */
function promptOf(fresh: FreshAnswers, { start, repeated, end }: Turn): number[] {
  const begun = starts[start]!;
  const answer = repeated > 0 ? fresh.to(begun).tokens.slice(0, repeated) : [];
  return [...begun, ...answer, ...run(400 + 50 * end, 3 * end)];
}

const turn = fc.record({
  start: fc.nat(starts.length - 1),
  repeated: fc.constantFrom(0, 0, 3, answerLength - 1, answerLength),
  end: fc.nat(3),
});
const operation = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("submit" as const), turn, salt: fc.constantFrom("", "a") }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("step" as const), count: fc.integer({ min: 1, max: 9 }) }),
  },
  // The next turn of a conversation.
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("go on" as const), index: fc.nat(), end: fc.nat(3) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("give up" as const), index: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("abort decode" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear" as const) }) },
);

/** Aborted while states are moved to other cells, from which a later prompt must not start. */
function abortedWhileStatesMove() {
  const submit = (start: number, end = 0) =>
    ({ kind: "submit", turn: { start, repeated: 0, end }, salt: "" }) as const;
  const step = (count: number) => ({ kind: "step", count }) as const;
  const abort = { kind: "abort decode" } as const;
  const giveUp = (index: number) => ({ kind: "give up", index }) as const;
  const goOn = (index: number) => ({ kind: "go on", index, end: 0 }) as const;
  const first = [submit(0), submit(0, 1), step(1), abort, giveUp(1), goOn(0), submit(0), step(8)];
  return [...first, submit(1), goOn(1), abort, submit(0), giveUp(0), giveUp(0), step(1), goOn(0)];
}

/** Puts tokens where an engine can read them. */
function placed(engine: CoreHarness, tokens: readonly number[]) {
  const { byteOffset, release } = engine.arena.allocateBytes(4 * tokens.length);
  engine.arena.tokens.view(byteOffset, tokens.length).set(tokens);
  return { byteOffset, length: tokens.length, release };
}

for (const { name, recipe, context } of kinds) {
  describe(name, () => {
    let model: Model;
    let fresh: FreshAnswers;
    beforeAll(async () => {
      // Single precision throughout, so that what differs is not rounding.
      model = await Model.load(await buildFixture({ ...recipe, weights: "F32" }));
      fresh = new FreshAnswers(model, { contextLength, context }, answerLength);
    });
    afterAll(() => model.dispose());
    const request = { maxTokens: answerLength, ignoreEos: true };
    const tokensOf = (engine: CoreHarness, id: number) => engine.of(id).tokens.map(({ token }) => token);
    const expectFresh = (engine: CoreHarness, id: number, prompt: readonly number[]) => {
      const { tokens, certain } = fresh.to(prompt);
      expect(engine.of(id).error).toBeUndefined();
      expect(tokensOf(engine, id).slice(0, certain)).toEqual(tokens.slice(0, certain));
    };

    for (const kind of ["shared", "streams"] as const) {
      const harness = (options: Partial<CoreOptions> = {}) =>
        new CoreHarness(model, { kind, contextLength, context, ...options });

      test(`${kind}: whatever is submitted, given up, aborted and preempted, every answer is a fresh one`, () => {
        let reused = 0;
        let restored = 0;
        fc.assert(
          fc.property(
            fc.array(operation, { minLength: 5, maxLength: 25 }),
            fc.integer({ min: 1, max: 4 }),
            fc.constantFrom(256, 400, 2048),
            tierBelow,
            (operations, parallel, cells, tier) => {
              const host = hostTier(tier);
              using engine = harness({
                parallel,
                cells: kind === "streams" ? contextLength * parallel : cells,
                gapMs: 2,
                host,
              });
              const submitted: { id: number; prompt: number[]; salt: string }[] = [];
              const submit = (prompt: number[], salt: string) => {
                submitted.push({ id: engine.submit(prompt, { ...request, salt }), prompt, salt });
              };
              for (const step of operations) {
                if (step.kind === "submit") submit(promptOf(fresh, step.turn), step.salt);
                else if (step.kind === "step") {
                  for (let count = 0; count < step.count; count++) engine.core.step();
                } else if (step.kind === "abort decode") {
                  engine.core.context.abort();
                  engine.core.step();
                } else if (step.kind === "clear") engine.core.clearCache();
                else {
                  const chosen = submitted.at(step.index % Math.max(1, submitted.length));
                  if (!chosen) continue;
                  const { id, prompt, salt } = chosen;
                  if (step.kind === "give up") engine.of(id).aborted = true;
                  else if (prompt.length < 200)
                    submit([...prompt, ...fresh.to(prompt).tokens, ...run(step.end, 1 + step.end)], salt);
                }
              }
              engine.run();
              for (const { id, prompt } of submitted) {
                const { end, terminals } = engine.of(id);
                expect(terminals).toBe(1);
                if (end?.reason === "abort") {
                  const { tokens, certain } = fresh.to(prompt);
                  const part = tokensOf(engine, id).slice(0, certain);
                  expect(part).toEqual(tokens.slice(0, part.length));
                } else expectFresh(engine, id, prompt);
                reused += end?.stats.cachedLength ?? 0;
              }
              restored += engine.core.snapshot.tiers?.restores ?? 0;
              engine.core.clearCache();
              expect(engine.core.snapshot.usedCells).toBe(0);
              expect(host?.memory.used ?? 0).toBe(0);
              expect(engine.lentBytes).toBe(0);
            },
          ),
          { numRuns: 40, examples: [[abortedWhileStatesMove(), 3, 256, undefined]] },
        );
        expect(reused).toBeGreaterThan(0);
        // Of what is not in the context in part any more.
        if (name === "recurrent" || name === "hybrid") expect(restored).toBeGreaterThan(0);
      });

      test(`${kind}: a conversation goes on where it was, and a prompt is shared with one that continues it`, () => {
        using engine = harness();
        const [, , prompt] = starts as [number[], number[], number[]];
        const first = engine.submit(prompt, request);
        while (engine.of(first).tokens.length < 1) engine.core.step();
        const longer = [...prompt, 7, 8, 9];
        const beside = [engine.submit(longer, request), engine.submit([...prompt, 9, 8], request)];
        engine.run();
        expectFresh(engine, first, prompt);
        expectFresh(engine, beside[0]!, longer);
        for (const id of beside) expect(engine.stats(id).cachedLength).toBe(prompt.length);
        const next = [...prompt, ...tokensOf(engine, first), 5, 6];
        const followUp = engine.submit(next, request);
        engine.run();
        expectFresh(engine, followUp, next);
        // All but the last token of an answer is computed when it ends.
        expect(engine.stats(followUp).cachedLength).toBe(prompt.length + answerLength - 1);
      });

      test(`${kind}: a prefix that was saved goes on in another engine`, () => {
        const prompt = run(50, 90);
        const next = (answer: readonly number[]) => [...prompt, ...answer, 5, 6];
        let bytes: Uint8Array = new Uint8Array(0);
        {
          using engine = harness();
          const id = engine.submit(prompt, request);
          engine.run();
          const asked = placed(engine, next(tokensOf(engine, id)));
          const saved = savePrefix(engine.core, engine.arena.tokens, asked);
          expect(saved.length).toBe(prompt.length + answerLength - 1);
          bytes = saved.bytes;
          asked.release();
        }
        using engine = harness();
        const tokens = next(fresh.to(prompt).tokens);
        const place = placed(engine, tokens.slice(0, prompt.length + answerLength - 1));
        const { memory } = model.native;
        const source = { address: Number(memory.addressOf(bytes)), byteLength: bytes.length };
        restorePrefix(engine.core, engine.arena.tokens, { place, source, release: () => {} });
        engine.core.prefixes.check();
        const ids = [engine.submit(tokens, request), engine.submit([...tokens, 7], request)];
        engine.run();
        expectFresh(engine, ids[0]!, tokens);
        expectFresh(engine, ids[1]!, [...tokens, 7]);
        expect(engine.stats(ids[0]!).cachedLength).toBe(prompt.length + answerLength - 1);
        engine.core.clearCache();
        place.release();
      });

      test(`${kind}: an aborted decode harms nobody, in the batch or beside it`, () => {
        using engine = harness({ window: 4 });
        const prompts = [run(0, 40), run(150, 40), run(300, 40)] as const;
        const ids = prompts.map((prompt) => engine.submit(prompt, request));
        // One that nobody reads is not in the batches of the others.
        const beside = engine.of(ids[1]!);
        beside.acknowledged = 0;
        while (beside.tokens.length < 4) engine.core.step();
        engine.core.context.abort();
        engine.core.step();
        beside.acknowledged = Number.POSITIVE_INFINITY;
        engine.run();
        for (const [index, id] of ids.entries()) expectFresh(engine, id, prompts[index]!);
      });
    }
  });
}

test.each([
  ["llama", true],
  ["recurrent", false],
  ["hybrid", false],
] as const)(
  "%s: whether a request may abort its decode while others have something to lose: %p",
  async (name, may) => {
    using model = await Model.load(await fixture(name));
    using engine = new CoreHarness(model);
    const named: (number | undefined)[] = [];
    engine.computing = (id?: number) => {
      named.push(id);
    };
    const alone = engine.submit(run(0, 20), { maxTokens: 2, ignoreEos: true });
    engine.run();
    expect(new Set(named)).toEqual(new Set([alone, undefined]));
    named.length = 0;
    const beside = engine.submit(run(100, 20), { maxTokens: 2, ignoreEos: true });
    engine.run();
    expect(new Set(named)).toEqual(new Set(may ? [beside, undefined] : [undefined]));
  },
);

test("sliding window: where more is shared than its cache holds, what is parked gives way", async () => {
  using model = await Model.load(await buildFixture({ architecture: "gemma2", weights: "F32" }));
  const options = { contextLength: 1024, context: kinds[1].context };
  const fresh = new FreshAnswers(model, options, answerLength);
  using engine = new CoreHarness(model, { ...options, cells: 6000 });
  const { context } = engine.core;
  const decode = context.decode.bind(context);
  let refused = 0;
  context.decode = (batch) => {
    const outcome = decode(batch);
    if (outcome === "no-room") refused++;
    return outcome;
  };
  // Cells that several have are not taken for other tokens, however far behind the window they are.
  const prompts = [0, 100, 200].flatMap((start) =>
    [1, 2, 3].map((end) => [...run(start, 620), ...run(400 + 13 * end, 20)]),
  );
  const ids = prompts.map((prompt) => engine.submit(prompt, { maxTokens: answerLength, ignoreEos: true }));
  engine.run();
  expect(refused).toBeGreaterThan(0);
  expect(engine.core.snapshot.evictedTokens).toBeGreaterThan(0);
  for (const [index, id] of ids.entries()) {
    const { tokens, certain } = fresh.to(prompts[index]!);
    expect(
      engine
        .of(id)
        .tokens.map(({ token }) => token)
        .slice(0, certain),
    ).toEqual(tokens.slice(0, certain));
  }
});

describe("a model with an encoder", () => {
  test.each(["embedding", "reranker"] as const)("%s: generates nothing", async (name) => {
    using model = await Model.load(await fixture(name));
    using engine = new CoreHarness(model, { contextLength: 128, cells: 128 });
    const ids = [engine.submit([1, 2, 3]), engine.submit([4, 5])];
    engine.run();
    for (const id of ids) {
      expect(engine.of(id).error).toBeInstanceOf(RequestError);
      expect((engine.of(id).error as Error).message).toMatch(/encoder/);
      expect(engine.of(id).terminals).toBe(1);
    }
    engine.core.clearCache();
    expect(engine.core.snapshot).toMatchObject({ requests: 2, failed: 2, usedCells: 0 });
    expect(engine.lentBytes).toBe(0);
  });

  test("encoder-decoder: the decoder's text is that of a context of its own, one request after the other", async () => {
    using model = await Model.load(await fixture("encoder-decoder"));
    const alone = (prompt: number[]) => {
      using context = new Context(model, { contextLength: 128, threads: 1, flashAttention: false });
      const batch = new Batch(model.native, { capacity: 64 });
      context.encode(batch.fill(Int32Array.from(prompt), { position: 0, outputs: "all" }));
      const first = model.decoderStartToken ?? model.vocab.bos!;
      feed(context, Int32Array.of(first));
      return continueGreedily(context, 6, { position: 1 });
    };
    using engine = new CoreHarness(model, { parallel: 1, contextLength: 128, cells: 128 });
    const prompts = [
      [300, 301, 302, 303],
      [310, 311],
      [300, 301, 302, 303],
      [320, 300, 301, 340, 350, 360],
    ];
    const ids = prompts.map((prompt) => engine.submit(prompt, { maxTokens: 6, ignoreEos: true }));
    engine.run();
    for (const [index, id] of ids.entries()) {
      expect(engine.of(id).error).toBeUndefined();
      expect(engine.of(id).tokens.map(({ token }) => token)).toEqual(alone(prompts[index]!));
      expect(engine.stats(id)).toMatchObject({ promptLength: prompts[index]!.length, cachedLength: 0 });
    }
    engine.core.clearCache();
    expect(engine.core.snapshot.usedCells).toBe(0);
    expect(engine.lentBytes).toBe(0);
    const long = engine.submit(
      Array.from({ length: 100 }, () => 300),
      { maxTokens: 1 },
    );
    engine.run();
    expect(engine.of(long).terminals).toBe(1);
  });
});
