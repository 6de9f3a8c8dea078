import { expect, test } from "bun:test";
import fc from "fast-check";
import { logitsToLogprobs, topLogprobs } from "../../lib/index.ts";

const logits = fc.float32Array({ minLength: 1, maxLength: 40, noNaN: true, min: -1000, max: 1000 });

test("probabilities add up to 1", () => {
  fc.assert(
    fc.property(logits, (values) => {
      const sum = logitsToLogprobs(values).reduce((total, logprob) => total + Math.exp(logprob), 0);
      expect(sum).toBeCloseTo(1, 3);
    }),
  );
});

test("the top tokens are those of a full sort", () => {
  fc.assert(
    fc.property(logits, fc.nat(10), (values, count) => {
      const all = Array.from(logitsToLogprobs(values), (logprob, token) => ({ token, logprob }));
      const order = Array.from(values.keys()).sort((a, b) => values[b]! - values[a]! || a - b);
      const top = topLogprobs(values, count);
      expect(top.map(({ token }) => token)).toEqual(order.slice(0, count));
      for (const { token, logprob } of top) expect(logprob).toBeCloseTo(all[token]!.logprob, 3);
    }),
  );
});

test("tokens ruled out have probability 0", () => {
  const top = topLogprobs(Float32Array.of(Number.NEGATIVE_INFINITY, 0), 2);
  expect(top).toEqual([
    { token: 1, logprob: 0 },
    { token: 0, logprob: Number.NEGATIVE_INFINITY },
  ]);
});
