import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { StepRates } from "../../src/engine/step-rates.ts";

/** Milliseconds of a step on some machine: at all, for each sequence that decodes, for each prompt token. */
interface Machine {
  readonly step: number;
  readonly decode: number;
  readonly prompt: number;
}

const slow: Machine = { step: 8, decode: 2.5, prompt: 2.8 };
const fast: Machine = { step: 9, decode: 0.05, prompt: 0.1 };

/** Steps as an engine would take them: some sequences decode, prompts fill the budget. */
function work(rates: StepRates, machine: Machine, counts: readonly number[], noise = () => 1): number {
  let longest = 0;
  for (const decoding of counts) {
    const { prefill, idlePrefill } = rates.budget(2048, decoding);
    const prefilled = decoding > 0 ? prefill : idlePrefill;
    const milliseconds = noise() * (machine.step + machine.decode * decoding + machine.prompt * prefilled);
    rates.measured({ decoded: decoding, prefilled, milliseconds });
    longest = Math.max(
      longest,
      milliseconds / Math.max(rates.bound, 2 * (machine.step + machine.decode * decoding)),
    );
  }
  return longest;
}

/** Prompt tokens beside four sequences; steps without any, and shorter ones, are taken now and then. */
function prefillOf(rates: StepRates): number {
  const budgets = Array.from({ length: 4 }, () => {
    const { prefill } = rates.budget(2048, 4);
    const step = { decoded: 4, prefilled: prefill };
    rates.measured({ ...step, milliseconds: rates.expected(step) });
    return prefill;
  });
  return Math.max(...budgets);
}

describe("StepRates", () => {
  test.each([
    ["slow", slow],
    ["fast", fast],
  ])("learns what steps of a %s machine cost, from steps that do several things", (_, machine) => {
    const rates = new StepRates(100);
    const load = [0, 1, 2, 3, 4, 6, 8, 8, 9, 10, 12, 16, 20, 24, 32, 32, 5, 3];
    work(rates, machine, Array.from({ length: 20 }, () => load).flat());
    for (const [decoded, prefilled] of [
      [1, 0],
      [16, 0],
      [8, 20],
    ] as const) {
      const truth = machine.step + machine.decode * decoded + machine.prompt * prefilled;
      expect(rates.expected({ decoded, prefilled }) / truth).toBeWithin(0.8, 1.25);
    }
    const prefill = prefillOf(rates);
    expect((prefill * machine.prompt) / (100 - machine.step - 4 * machine.decode)).toBeWithin(0.7, 1.3);
  });

  test("before anything is known a step is short, and a batch is never exceeded", () => {
    const rates = new StepRates(100);
    expect(rates.budget(512, 0)).toEqual({ batch: 512, prefill: 32, idlePrefill: 32 });
    expect(rates.budget(16, 3).prefill).toBe(16);
    work(rates, { step: 0.01, decode: 0.001, prompt: 0.001 }, [0, 0, 1, 1]);
    expect(rates.budget(512, 1)).toEqual({ batch: 512, prefill: 512, idlePrefill: 512 });
  });

  test("however noisy and whatever the machine, no step is planned to last for more than thrice the bound", () => {
    const machines = fc.record({
      step: fc.double({ min: 0.1, max: 60, noNaN: true }),
      decode: fc.double({ min: 0.001, max: 3, noNaN: true }),
      prompt: fc.double({ min: 0.01, max: 3, noNaN: true }),
    });
    // Requests come and go a few at a time.
    const changes = fc.array(fc.integer({ min: -2, max: 3 }), { minLength: 20, maxLength: 200 });
    fc.assert(
      fc.property(machines, changes, fc.integer(), (machine, list, seed) => {
        let state = seed;
        const noise = () => {
          state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
          return 0.8 + (0.4 * (state % 1000)) / 1000;
        };
        const rates = new StepRates(100);
        // Nobody waits in the first steps, in which a machine is got to know.
        work(rates, machine, [0, 0, 0], noise);
        let decoding = 1;
        const counts = list.map((change) => {
          decoding = Math.min(32, Math.max(1, decoding + change));
          return decoding;
        });
        expect(work(rates, machine, counts, noise)).toBeLessThan(3);
      }),
      { numRuns: 500 },
    );
  });

  test("a disturbance is soon forgotten, and a machine that stays slower is believed", () => {
    const rates = new StepRates(100);
    work(
      rates,
      slow,
      Array.from({ length: 50 }, (_, index) => 1 + (index % 8)),
    );
    const before = prefillOf(rates);
    rates.measured({ decoded: 4, prefilled: before, milliseconds: 5000 });
    work(
      rates,
      slow,
      Array.from({ length: 40 }, (_, index) => 1 + (index % 8)),
    );
    expect(prefillOf(rates) / before).toBeWithin(0.5, 1.5);
    const slower = { step: 16, decode: 5, prompt: 5.6 };
    work(
      rates,
      slower,
      Array.from({ length: 100 }, (_, index) => 1 + (index % 8)),
    );
    expect(prefillOf(rates) / before).toBeWithin(0.2, 0.6);
  });
});
