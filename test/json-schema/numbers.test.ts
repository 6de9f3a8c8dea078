import { expect, test } from "bun:test";
import fc from "fast-check";
import { schemaToGrammar } from "../../src/json-schema/index.ts";
import { judge } from "./judge.ts";
import { GrammarSampler, randomNumbers, textMatcher } from "./matching.ts";

const matcherOf = (schema: unknown) => textMatcher(schemaToGrammar(schema).source);
const large = fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n });
const anySize = fc.oneof(large, fc.bigInt({ min: -2000n, max: 2000n }), fc.integer().map(BigInt));

/** Integers at and around those given, and some with other numbers of digits. */
const around = (...values: bigint[]) =>
  values.flatMap((value) => [
    value - 1n,
    value,
    value + 1n,
    value * 10n,
    value / 10n,
    -value,
    value + 10n ** 19n,
  ]);

test("bounds of integers are exact at any size", () => {
  fc.assert(
    fc.property(anySize, anySize, (one, other) => {
      const [minimum, maximum] = one < other ? [one, other] : [other, one];
      const both = matcherOf({ type: "integer", minimum, maximum });
      const low = matcherOf({ type: "integer", minimum });
      const high = matcherOf({ type: "integer", exclusiveMaximum: maximum });
      for (const value of around(minimum, maximum, (minimum + maximum) / 2n, 0n)) {
        const verdict = [both(`${value}`), low(`${value}`), high(`${value}`)];
        const inside = [value >= minimum && value <= maximum, value >= minimum, value < maximum];
        expect([value, ...verdict]).toEqual([value, ...inside]);
      }
    }),
    { numRuns: 100 },
  );
}, 60_000);

test("digits in front that say nothing, and -0, are refused", () => {
  const matches = matcherOf({ type: "integer" });
  for (const text of ["00", "01", "-0", "-01", "+1", "1.0", "1e3", "", "-"])
    expect([text, matches(text)]).toEqual([text, false]);
});

const double = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -3000, max: 3000 }).map((value) => value / 100),
  fc.constantFrom(0, 1, -1, 0.1, 1e-7, 1e21, 5e-324, 1.7976931348623157e308, 0.30000000000000004),
);
const bound = fc.constantFrom("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum");

test("bounds of numbers admit nothing that ajv refuses, and refuse nothing that is written without an exponent", () => {
  fc.assert(
    fc.property(double, double, bound, bound, fc.nat(), (one, other, first, second, seed) => {
      const schema = { type: "number", [first]: one, [second]: other };
      const isValid = judge(schema);
      const values = [
        one,
        other,
        (one + other) / 2,
        one * 1.0000001,
        other - 0.001,
        -one,
        0,
        Math.round(one),
      ].filter(Number.isFinite);
      let source: string;
      try {
        source = schemaToGrammar(schema).source;
      } catch {
        for (const value of values)
          if (!String(value).includes("e")) expect([value, isValid(value)]).toEqual([value, false]);
        return;
      }
      const [matches, sampler, random] = [
        textMatcher(source),
        new GrammarSampler(source),
        randomNumbers(seed),
      ];
      for (const value of values) {
        const text = JSON.stringify(value);
        if (matches(text)) expect([text, isValid(value)]).toEqual([text, true]);
        else if (!text.includes("e") && !Object.is(value, -0))
          expect([text, isValid(value)]).toEqual([text, false]);
      }
      for (let count = 0; count < 10; count++) {
        const text = sampler.sample(random);
        expect([text, isValid(JSON.parse(text))]).toEqual([text, true]);
      }
    }),
    { numRuns: 200 },
  );
}, 60_000);

test("multiples are those that ajv knows", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.integer({ min: 1, max: 64 }), fc.constantFrom(500, 1000, 12_000)),
      fc.integer({ min: -5000, max: 5000 }),
      (multipleOf, value) => {
        const matches = matcherOf({ type: "integer", multipleOf });
        for (const one of [value, value * multipleOf]) {
          expect([one, matches(String(one))]).toEqual([one, one % multipleOf === 0]);
        }
      },
    ),
    { numRuns: 20 },
  );
  const cents = { type: "number", minimum: 0, maximum: 3, multipleOf: 0.01 };
  const [matches, isValid] = [matcherOf(cents), judge(cents)];
  for (let count = -10; count < 320; count++) {
    const value = Number(`${count}e-2`);
    expect([value, matches(String(value))]).toEqual([value, isValid(value)]);
  }
}, 60_000);
