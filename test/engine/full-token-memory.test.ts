import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { TokenArena } from "../../lib/token-arena.ts";
import { embeddedModelPath } from "../../src/embedded-model.ts";
import { WorkerEngine } from "../../src/engine/worker-engine.ts";
import { Model } from "../../src/model.ts";
import { CoreHarness } from "../support/engine-core.ts";
import { ask, generate } from "../support/engine-events.ts";

setDefaultTimeout(60_000);

const [france, paris] = [ask("What is the capital of France?"), "The capital of France is Paris."];
const [norway, oslo] = [ask("What is the capital of Norway?"), "The capital of Norway is Oslo."];
const [hot, cold] = [ask("Opposite of hot?"), "The opposite of hot is cold."];
let model: Model;
beforeAll(async () => {
  model = await Model.load(embeddedModelPath());
});
afterAll(() => model.dispose());

describe("token memory that is full", () => {
  test("is found out by who asks for more, while running requests go on, and all of it comes back", () => {
    using engine = new CoreHarness(model, { parallel: 2 });
    const ids = [engine.submit(france), engine.submit(norway), engine.submit(hot)];
    engine.core.step();
    const taken = takeAll(engine.arena);
    expect(() => engine.submit(france)).toThrow(/token arena is full/);
    expect(engine.core.requestCount).toBe(3);
    engine.run();
    expect(ids.map((id) => engine.text(id))).toEqual([paris, oslo, cold]);
    engine.core.clearCache();
    expect(engine.lentBytes).toBe(0);
    // What the requests had is free now beside what was taken; together it is one piece again.
    const rest = takeAll(engine.arena);
    expect(total(rest)).toBeGreaterThan(0);
    giveBack(engine.arena, [...taken, ...rest]);
    const again = engine.submit(france);
    engine.run();
    expect(engine.text(again)).toBe(paris);
    engine.core.clearCache();
    const whole = takeAll(engine.arena);
    expect(total(whole)).toBe(total(taken) + total(rest));
    giveBack(engine.arena, whole);
  });

  test("by prompts of millions of tokens: each is refused with its reason, and small ones are answered", async () => {
    await using engine = await WorkerEngine.load(embeddedModelPath(), { threads: 1, contextLength: 512 });
    const huge = async (count: number, length = 17 * 2 ** 20) => {
      const prompt = new Int32Array(length);
      const failures = Array.from({ length: count }, () => generate(engine, prompt).catch(String));
      return (await Promise.all(failures)).map(
        (text) => /arena is full|context holds/.exec(String(text))?.[0],
      );
    };
    const beside = generate(engine, france);
    // There is room for 64 million tokens.
    expect(await huge(1, 65 * 2 ** 20)).toEqual(["arena is full"]);
    // Four such prompts would not fit side by side: each gives its place back at once.
    expect(await huge(4)).toEqual(Array(4).fill("context holds"));
    expect((await beside).text).toBe(paris);
    // What had not come back would be missing now.
    expect(await huge(3)).toEqual(Array(3).fill("context holds"));
    expect((await generate(engine, norway)).text).toBe(oslo);
  });
});

interface Range {
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** Reserves whatever an arena has left, without touching it. */
function takeAll(arena: TokenArena): Range[] {
  const ranges: Range[] = [];
  for (let byteLength = 2 ** 28; byteLength >= 64; ) {
    try {
      ranges.push({ byteOffset: arena.take(byteLength), byteLength });
    } catch {
      byteLength /= 2;
    }
  }
  return ranges;
}

function giveBack(arena: TokenArena, ranges: readonly Range[]): void {
  for (const { byteOffset, byteLength } of ranges) arena.give(byteOffset, byteLength);
}

function total(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { byteLength }) => sum + byteLength, 0);
}
