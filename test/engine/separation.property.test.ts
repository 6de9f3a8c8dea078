import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import type { LoraAdapter } from "../../src/adapter.ts";
import { embeddedModelPath } from "../../src/embedded-model.ts";
import { Model } from "../../src/model.ts";
import { CoreHarness } from "../support/engine-core.ts";
import { ask } from "../support/engine-events.ts";
import { FreshAnswers } from "../support/fresh-answers.ts";
import { randomCases } from "../support/random-cases.ts";

setDefaultTimeout(60_000);

const questions = ["What is the capital of France?", "What is the capital of Norway?", "Opposite of hot?"];
/** Sets of adapters: none, and one in two strengths. */
const sets = [[], [{ id: 0, scale: 1 }], [{ id: 0, scale: 0.5 }]];
const salts = [undefined, "a", "b"];
const answerLength = 6;
let model: Model;
let adapter: LoraAdapter;
let fresh: FreshAnswers;
beforeAll(async () => {
  model = await Model.load(embeddedModelPath());
  adapter = model.loadAdapter(embeddedModelPath().replace("tiny-chat-f16", "tiny-chat-pirate-lora"));
  fresh = new FreshAnswers(model, { adapters: [adapter] }, answerLength);
});
afterAll(() => {
  adapter.dispose();
  model.dispose();
});

interface Submitted {
  readonly id: number;
  readonly key: string;
  readonly prompt: number[];
  readonly set: number;
}

const submission = fc.record({
  kind: fc.constant("submit" as const),
  turns: fc.array(fc.nat(questions.length - 1), { minLength: 1, maxLength: 3 }),
  salt: fc.nat(salts.length - 1),
  set: fc.nat(sets.length - 1),
});
const operation = fc.oneof(
  { weight: 4, arbitrary: submission },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("step" as const), count: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("give up" as const), index: fc.nat() }) },
);

function commonLength(a: readonly number[], b: readonly number[]): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

for (const kind of ["shared", "streams"] as const) {
  test(`${kind}: requests share what those of their own salt and adapters have, and nothing else`, () => {
    let reused = 0;
    let evicted = 0;
    fc.assert(
      fc.property(
        fc.array(operation, { minLength: 8, maxLength: 24 }),
        fc.integer({ min: 1, max: 4 }),
        (operations, parallel) => {
          using engine = new CoreHarness(model, {
            kind,
            parallel,
            contextLength: 128,
            cells: kind === "streams" ? 128 * parallel : 256,
            adapters: [adapter],
          });
          const submitted: Submitted[] = [];
          for (const step of operations) {
            if (step.kind === "step") for (let count = 0; count < step.count; count++) engine.core.step();
            else if (step.kind === "submit") {
              const text = step.turns.map((turn) => ask(questions[turn]!)).join("Yes.<|im_end|>\n");
              const prompt = [...model.vocab.tokenize(text, { parseSpecial: true })];
              const [salt, adapters] = [salts[step.salt], sets[step.set]!];
              const id = engine.submit(prompt, { maxTokens: answerLength, ignoreEos: true, salt, adapters });
              submitted.push({ id, key: `${step.salt} ${step.set}`, prompt, set: step.set });
            } else if (submitted.length > 0)
              engine.of(submitted[step.index % submitted.length]!.id).aborted = true;
          }
          engine.run();
          for (const { id, key, prompt, set } of submitted) {
            const { end, terminals, tokens } = engine.of(id);
            expect(terminals).toBe(1);
            const answer = fresh.to(prompt, sets[set]!);
            const certain = Math.min(answer.certain, end?.reason === "abort" ? tokens.length : answerLength);
            expect(tokens.slice(0, certain).map(({ token }) => token)).toEqual(
              answer.tokens.slice(0, certain),
            );
            // At most what another request of the same kind had.
            const most = submitted
              .filter((other) => other.id !== id && other.key === key)
              .map((other) => [...other.prompt, ...engine.of(other.id).tokens.map(({ token }) => token)])
              .reduce((best, other) => Math.max(best, commonLength(prompt, other)), 0);
            const { cachedLength } = engine.stats(id);
            expect(cachedLength).toBeLessThanOrEqual(most);
            reused += cachedLength;
          }
          evicted += engine.core.snapshot.evictedTokens;
          engine.core.clearCache();
          expect(engine.core.snapshot.usedCells).toBe(0);
          expect(engine.lentBytes).toBe(0);
        },
      ),
      { numRuns: randomCases(25) },
    );
    expect(reused).toBeGreaterThan(0);
    expect(evicted).toBeGreaterThan(0);
  });
}
