import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { allocateEntries, LogitsScan } from "../../lib/logits-scan.ts";

const value = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }),
  fc.float({ noNaN: true, min: -20, max: 20 }),
  fc.constantFrom(0, -0, 1, -1, Number.NEGATIVE_INFINITY),
);
const values = fc.array(value, { minLength: 1, maxLength: 300 });

function scanOf(logits: ArrayLike<number>, kernel: "vectorised" | "naive" = "vectorised"): LogitsScan {
  const scan = new LogitsScan(logits.length, { kernel });
  scan.logits.set(logits);
  scan.rescan();
  return scan;
}

/** The first of the largest, by a loop. */
function firstLargest(logits: readonly number[]): number | undefined {
  const largest = Math.max(...logits);
  // -0 and 0 are equal.
  return largest === Number.NEGATIVE_INFINITY ? undefined : logits.indexOf(largest);
}

describe.each(["vectorised", "naive"] as const)("the %s kernel", (kernel) => {
  test("finds what a loop finds, whatever the length", () => {
    fc.assert(
      fc.property(values, (logits) => {
        const scan = scanOf(logits, kernel);
        expect(scan.argmax()).toBe(firstLargest([...scan.logits]));
        scan.release();
      }),
      { numRuns: 300 },
    );
  });

  test("counts and gathers what a loop does, and adds up what a loop does", () => {
    fc.assert(
      fc.property(
        values,
        fc.float({ noNaN: true, min: -20, max: 20 }),
        fc.integer({ min: 1, max: 99 }),
        (logits, threshold, capacity) => {
          const scan = scanOf(logits, kernel);
          const wanted = [...scan.logits.entries()].filter(([, logit]) => logit >= threshold);
          expect(scan.countFrom(threshold)).toBe(wanted.length);
          const room = allocateEntries(capacity);
          expect(scan.gatherFrom(threshold, room)).toBe(wanted.length);
          const floats = new Float32Array(room.words.buffer, room.words.byteOffset, room.words.length);
          const written = wanted.slice(0, capacity);
          expect(written.map((_, index) => [room.words[3 * index], floats[3 * index + 1]!])).toEqual(written);
          if (scan.largest > Number.NEGATIVE_INFINITY) {
            const sum = [...scan.logits].reduce((total, logit) => total + Math.exp(logit - scan.largest), 0);
            expect(Math.abs(scan.sumExp(scan.largest) / sum - 1)).toBeLessThan(1e-6);
          }
          for (const { release } of [room]) release();
          scan.release();
        },
      ),
      { numRuns: 300 },
    );
  });

  test("stays right when logits are changed one by one", () => {
    fc.assert(
      fc.property(values, fc.array(fc.tuple(fc.nat(), value), { maxLength: 20 }), (logits, changes) => {
        const scan = scanOf(logits, kernel);
        for (const [at, logit] of changes) scan.set(at % logits.length, logit);
        expect(scan.argmax()).toBe(firstLargest([...scan.logits]));
        scan.release();
      }),
    );
  });

  test.each([0, 7, 1036])("what is no number at %p is named", (token) => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const scan = scanOf(new Float32Array(1037).fill(1), kernel);
      scan.set(token, bad);
      expect(() => scan.argmax()).toThrow(`token ${token} is ${bad}`);
      scan.rescan();
      expect(() => scan.assertFinite()).toThrow(`token ${token} is ${bad}`);
      scan.release();
    }
  });
});

test("NaN and infinities are found wherever they are, as by the naive kernel", () => {
  const odd = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38, -3e38);
  fc.assert(
    fc.property(values, fc.array(fc.tuple(fc.nat(), odd), { maxLength: 4 }), (logits, places) => {
      for (const [at, logit] of places) logits[at % logits.length] = logit;
      const scans = (["vectorised", "naive"] as const).map((kernel) => scanOf(logits, kernel));
      // -0 and 0 are equal, NaN is itself.
      const [largest, wanted] = scans.map((scan) => scan.largest + 0);
      expect(largest).toBe(wanted!);
      for (const scan of scans) scan.release();
    }),
    { numRuns: 1000 },
  );
});

test("sums that overflow are not taken for NaN", () => {
  const scan = scanOf([3e38, 3e38, -3e38, Number.NEGATIVE_INFINITY, ...new Array(60).fill(3e38), -3e38]);
  expect(scan.largest).toBe(Math.fround(3e38));
  expect(scan.argmax()).toBe(0);
  const low = scanOf([1, ...new Array(63).fill(-3e38), 2, ...new Array(63).fill(Number.NEGATIVE_INFINITY)]);
  expect(low.argmax()).toBe(64);
  scan.release();
  low.release();
});

test("each place of a large vocabulary can be the largest, and of equals the first is", () => {
  const scan = new LogitsScan(1037);
  for (let token = 0; token < scan.logits.length; token++) {
    scan.logits.fill(-5);
    scan.logits[token] = 3;
    scan.logits[scan.logits.length - 1] = 3;
    scan.rescan();
    expect(scan.argmax()).toBe(token);
  }
  scan.release();
});

test("a likely threshold leaves as many as asked for, and not many more", () => {
  const scan = new LogitsScan(50_000);
  for (let seed = 1; seed < 40; seed++) {
    for (let token = 0; token < 50_000; token++) scan.logits[token] = 9 * Math.sin(seed * token * token);
    scan.rescan();
    for (const count of [1, 5, 40, 300]) {
      const found = scan.countFrom(scan.likelyThreshold(count)!);
      expect(found).toBeGreaterThanOrEqual(count);
      expect(found).toBeLessThan(4 * count + 40);
    }
  }
  expect(scan.likelyThreshold(1000)).toBeUndefined();
  expect(scan.hasMoreThan(49_999)).toBe(true);
  expect(scan.hasMoreThan(50_000)).toBe(false);
  scan.release();
});

test("nothing to choose from", () => {
  expect(new LogitsScan(5).argmax()).toBeUndefined();
  expect(new LogitsScan(5).likelyThreshold(1)).toBeUndefined();
});
