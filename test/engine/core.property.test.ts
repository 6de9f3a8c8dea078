import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { embeddedModelPath } from "../../src/embedded-model.ts";
import { Model } from "../../src/model.ts";
import { CoreHarness } from "../support/engine-core.ts";
import { hostTier, tierBelow } from "../support/host-tier.ts";
import { randomCases } from "../support/random-cases.ts";

setDefaultTimeout(300_000);

// Questions that the model is sure of, so that greedy answers agree whatever the batches they are computed in.
const questions = [
  "What is the capital of France?",
  "What is the capital of Norway?",
  "What is the capital of Japan?",
  "Opposite of hot?",
  "Opposite of big?",
  "Write JSON for Anna, age 30, from Oslo.",
];
const ask = (question: string) => `<|im_start|>user\n${question}<|im_end|>\n<|im_start|>assistant\n`;
const answers = new Map<string, string>();
let model: Model;

/** Prompts of one to three turns, which share beginnings with each other. */
function promptOf(turns: readonly number[]): string {
  let text = "";
  for (const [index, turn] of turns.entries()) {
    text += ask(questions[turn]!);
    if (index < turns.length - 1) text += `${answers.get(questions[turn]!)}<|im_end|>\n`;
  }
  return text;
}

function fresh(prompt: string): string {
  const known = answers.get(prompt);
  if (known !== undefined) return known;
  using harness = new CoreHarness(model, { parallel: 1, checkIntegrity: false });
  const id = harness.submit(prompt, { maxTokens: 24 });
  harness.run();
  answers.set(prompt, harness.text(id));
  return harness.text(id);
}

beforeAll(async () => {
  model = await Model.load(embeddedModelPath());
  for (const question of questions) answers.set(question, fresh(ask(question)));
});
afterAll(() => model.dispose());

const turns = fc.array(fc.nat(questions.length - 1), { minLength: 1, maxLength: 3 });
const operation = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("submit" as const),
      turns,
      priority: fc.nat(1),
      salt: fc.constantFrom(undefined, "a"),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("step" as const), count: fc.integer({ min: 1, max: 12 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("abort" as const), index: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("stall" as const), index: fc.nat() }) },
);

for (const kind of ["shared", "streams"] as const) {
  test(`${kind}: whatever is submitted, aborted, evicted and preempted, every text is that of a fresh context`, () => {
    let evicted = 0;
    let reused = 0;
    let restored = 0;
    let dropped = 0;
    fc.assert(
      fc.property(
        fc.array(operation, { minLength: 5, maxLength: 40 }),
        fc.constantFrom(256, 512, 2048),
        fc.integer({ min: 1, max: 5 }),
        tierBelow,
        (operations, cells, parallel, tier) => {
          const host = hostTier(tier);
          using harness = new CoreHarness(model, {
            kind,
            parallel,
            contextLength: 150,
            cells: kind === "streams" ? 150 * parallel : cells,
            window: 6,
            gapMs: 2,
            host,
          });
          const submitted: { id: number; prompt: string }[] = [];
          for (const step of operations) {
            if (step.kind === "submit") {
              const prompt = promptOf(step.turns);
              submitted.push({
                id: harness.submit(prompt, { maxTokens: 24, priority: step.priority, salt: step.salt }),
                prompt,
              });
            } else if (step.kind === "step") {
              for (let count = 0; count < step.count; count++) harness.core.step();
            } else if (step.kind === "clear") harness.core.clearCache();
            else {
              const chosen = submitted.at(step.index % Math.max(1, submitted.length));
              if (!chosen) continue;
              const heard = harness.of(chosen.id);
              if (step.kind === "abort") heard.aborted = true;
              // A consumer that takes nothing more for now.
              else heard.acknowledged = heard.tokens.length;
            }
          }
          for (const heard of harness.heard.values()) heard.acknowledged = Number.POSITIVE_INFINITY;
          harness.run();
          for (const { id, prompt } of submitted) {
            const heard = harness.of(id);
            expect(heard.terminals).toBe(1);
            expect(heard.error).toBeUndefined();
            const text = harness.text(id);
            if (heard.end!.reason === "abort") expect(fresh(prompt).startsWith(text)).toBe(true);
            else expect(text).toBe(fresh(prompt));
            reused += heard.end!.stats.cachedLength;
          }
          evicted += harness.core.snapshot.evictedTokens;
          restored += harness.core.snapshot.tiers?.restoredTokens ?? 0;
          dropped += host?.counters.dropped ?? 0;
          harness.core.clearCache();
          expect(harness.core.snapshot.usedCells).toBe(0);
          expect(host?.memory.used ?? 0).toBe(0);
          expect(harness.lentBytes).toBe(0);
        },
      ),
      { numRuns: randomCases(150) },
    );
    // The runs were about something.
    expect(reused).toBeGreaterThan(0);
    expect(evicted).toBeGreaterThan(0);
    expect(restored).toBeGreaterThan(0);
    expect(dropped).toBeGreaterThan(0);
  });
}
