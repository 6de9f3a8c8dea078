import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { allocateLogits, argmax, argmaxNaive } from "../../lib/logits-scan.ts";

const value = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 1, -1, Number.NEGATIVE_INFINITY),
);

test("finds what the loop finds, whatever the length", () => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 100 }), (values) => {
      const room = allocateLogits(values.length);
      room.view.set(values);
      expect(argmax(room.view)).toBe(argmaxNaive(Float32Array.from(values)));
      room.release();
    }),
    { numRuns: 300 },
  );
});

test("each place of a large vocabulary can be the largest, and of equals the first is", () => {
  const logits = allocateLogits(1037).view;
  for (let token = 0; token < logits.length; token++) {
    logits.fill(-5);
    logits[token] = 3;
    logits[logits.length - 1] = 3;
    expect(argmax(logits)).toBe(token);
  }
});

describe.each([Number.NaN, Number.POSITIVE_INFINITY])("%p", (bad) => {
  test.each([0, 7, 1036])("at %p is named", (token) => {
    const logits = allocateLogits(1037).view.fill(1);
    logits[token] = bad;
    expect(() => argmax(logits)).toThrow(`token ${token} is ${bad}`);
    expect(() => argmaxNaive(logits.slice())).toThrow(`token ${token} is ${bad}`);
  });
});

test("nothing to choose from", () => {
  expect(argmax(allocateLogits(5).view)).toBeUndefined();
  expect(argmax(new Float32Array(0))).toBeUndefined();
});
