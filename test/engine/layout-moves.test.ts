import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { embeddedModelPath } from "../../src/embedded-model.ts";
import { preferredLayout } from "../../src/engine/preferred-layout.ts";
import { Model } from "../../src/model.ts";
import { CoreHarness } from "../support/engine-core.ts";
import { FreshAnswers } from "../support/fresh-answers.ts";

setDefaultTimeout(60_000);

describe("preferredLayout", () => {
  const costs = { sharedCell: 1e-4, ownCell: 3e-4, parked: 0, running: false };
  const strangers = (count: number, length: number) => ({
    count,
    unique: count * length,
    total: count * length,
  });
  const sharing = (count: number, prefix: number, own: number) => ({
    count,
    unique: prefix + count * own,
    total: count * (prefix + own),
  });

  test.each([
    ["many strangers", strangers(32, 100), "streams"],
    ["few long strangers", strangers(8, 1000), "streams"],
    ["many with one long prefix", sharing(32, 1000, 36), "shared"],
    ["a single text", strangers(1, 4000), undefined],
    ["few short strangers", strangers(4, 50), undefined],
  ] as const)("%s", (_, spans, expected) => {
    for (const current of ["shared", "streams"] as const)
      expect(preferredLayout(current, spans, costs)).toBe(expected ?? current);
  });

  test("what is running moves for more than what is about to start", () => {
    const spans = strangers(9, 100);
    expect(preferredLayout("shared", spans, costs)).toBe("streams");
    expect(preferredLayout("shared", spans, { ...costs, running: true })).toBe("shared");
  });

  test("much that is parked is not given up for a little", () => {
    const spans = strangers(8, 200);
    expect(preferredLayout("shared", spans, { ...costs, parked: 100 })).toBe("streams");
    expect(preferredLayout("shared", spans, { ...costs, parked: 4000 })).toBe("shared");
  });
});

describe("a running engine", () => {
  let model: Model;
  let fresh: FreshAnswers;
  const length = 90;
  const options = { contextLength: 1024, cells: 4096, parallel: 8, kind: "shared", mayMove: true } as const;
  beforeAll(async () => {
    model = await Model.load(embeddedModelPath());
    fresh = new FreshAnswers(model, { contextLength: 1024 }, length);
  });
  afterAll(() => model.dispose());

  const stories = [
    "Tom had a big red ball.",
    "Anna has a blue cup.",
    "The dog ran to the park.",
    "Once upon a time",
  ];
  const text = (index: number, words: number) =>
    Array.from({ length: words }, (_, at) => stories[(index + at) % 4]!).join(" ");
  const tokensOf = (prompt: string) => [...model.vocab.tokenize(prompt)];
  const limits = { maxTokens: length, ignoreEos: true } as const;

  function expectFresh(engine: CoreHarness, id: number, prompt: readonly number[]): void {
    const { tokens, certain } = fresh.to(prompt);
    const ours = engine.of(id).tokens.map(({ token }) => token);
    expect(ours).toHaveLength(length);
    expect(ours.slice(0, certain)).toEqual(tokens.slice(0, certain));
  }

  test("moves for strangers, back for those that share, and nobody reads anything else", () => {
    using engine = new CoreHarness(model, options);
    const strangers = Array.from({ length: 8 }, (_, index) => tokensOf(`${index} ${text(index, 40)}`));
    const first = strangers.map((prompt) => engine.submit(prompt, limits));
    engine.run();
    expect(engine.core.snapshot).toMatchObject({ layout: "streams", layoutMoves: 1 });
    for (const [index, id] of first.entries()) expectFresh(engine, id, strangers[index]!);
    engine.core.clearCache();
    const prefix = text(0, 60);
    const sharers = Array.from({ length: 8 }, (_, index) => tokensOf(`${prefix} ${stories[index % 4]}`));
    const second = sharers.map((prompt) => engine.submit(prompt, limits));
    engine.run();
    expect(engine.core.snapshot).toMatchObject({ layout: "shared", layoutMoves: 2 });
    for (const [index, id] of second.entries()) expectFresh(engine, id, sharers[index]!);
    engine.core.clearCache();
    expect(engine.lentBytes).toBe(0);
  });

  test("moves in the middle of texts, given up ones and waiting ones among them", () => {
    using engine = new CoreHarness(model, { ...options, parallel: 14, cells: 8192 });
    const alone = tokensOf(text(1, 30));
    const one = engine.submit(alone, limits);
    for (let step = 0; step < 20; step++) engine.core.step();
    const prompts = Array.from({ length: 16 }, (_, index) => tokensOf(`${index} ${text(index, 25)}`));
    const ids = prompts.map((prompt) => engine.submit(prompt, limits));
    while (engine.core.snapshot.layoutMoves === 0) expect(engine.core.step()).toBe("worked");
    expect(engine.core.snapshot.running).toBeGreaterThan(1);
    engine.of(ids[0]!).aborted = true;
    engine.run();
    expect(engine.core.snapshot.layout).toBe("streams");
    expectFresh(engine, one, alone);
    for (const [index, id] of ids.entries()) if (index > 0) expectFresh(engine, id, prompts[index]!);
  });
});
