import { expect, test } from "bun:test";
import fc from "fast-check";
import { CellLedger } from "../../src/engine/cell-ledger.ts";

const holder = fc.integer({ min: 0, max: 4 });
const length = fc.integer({ min: 0, max: 30 });
const operation = fc.oneof(
  fc.record({ kind: fc.constant("grow" as const), holder, length }),
  fc.record({ kind: fc.constant("share" as const), holder, source: holder, length }),
  fc.record({ kind: fc.constant("truncate" as const), holder, length }),
  fc.record({ kind: fc.constant("drop" as const), holder }),
);

test("counts what a list of the cells themselves counts", () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
      const ledger = new CellLedger<number>();
      // Each cell an object of its own, each holder a list of them.
      const naive: object[][] = [[], [], [], [], []];
      for (const step of operations) {
        const mine = naive[step.holder]!;
        if (step.kind === "grow" && step.length >= mine.length) {
          while (mine.length < step.length) mine.push({});
          ledger.grow(step.holder, step.length);
        } else if (step.kind === "share" && mine.length === 0 && step.source !== step.holder) {
          const theirs = naive[step.source]!;
          const shared = Math.min(step.length, theirs.length);
          naive[step.holder] = theirs.slice(0, shared);
          ledger.share(step.source, step.holder, shared);
        } else if (step.kind === "truncate") {
          mine.length = Math.min(mine.length, step.length);
          ledger.truncate(step.holder, step.length);
        } else if (step.kind === "drop") {
          mine.length = 0;
          ledger.drop(step.holder);
        }
        const uses = new Map<object, number>();
        for (const cell of naive.flat()) uses.set(cell, (uses.get(cell) ?? 0) + 1);
        expect(ledger.used).toBe(uses.size);
        expect(ledger.shared).toBe([...uses.values()].filter((count) => count > 1).length);
        for (const [index, cells] of naive.entries()) {
          expect(ledger.lengthOf(index)).toBe(cells.length);
          expect(ledger.exclusive(index)).toBe(cells.filter((cell) => uses.get(cell) === 1).length);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test("misuse", () => {
  const ledger = new CellLedger<string>();
  ledger.grow("a", 3);
  expect(() => ledger.grow("a", 2)).toThrow(RangeError);
  expect(() => ledger.share("a", "b", 4)).toThrow(RangeError);
  expect(() => ledger.share("b", "a", 0)).toThrow(RangeError);
});
