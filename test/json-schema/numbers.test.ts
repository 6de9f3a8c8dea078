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

test("exclusive bounds beyond the safe integers exclude what JavaScript reads as them", () => {
  const above = matcherOf({ type: "integer", exclusiveMinimum: 63401802490096000000 });
  const texts = ["63401802490096000000", "63401802490096000001", "63401802490096010000"];
  expect(texts.map(above)).toEqual([false, false, true]);
  expect(matcherOf({ type: "integer", exclusiveMaximum: 1.8e30 })(`18${"0".repeat(29)}`)).toBe(false);
  expect(() => matcherOf({ type: "integer", exclusiveMaximum: -Number.MAX_VALUE })).toThrow(/no number/);
  const low = matcherOf({ type: "number", exclusiveMinimum: -653267643689047856143465459n });
  const around = [458n, 459n, 460n].map((end) => low(`-${653267643689047856143465000n + end}`));
  expect(around).toEqual([true, false, false]);
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

test("exclusive bounds may be bigints, for numbers too", () => {
  const between = matcherOf({ type: "number", exclusiveMinimum: 5n, exclusiveMaximum: 2n ** 53n + 1n });
  const verdicts = ["5", "5.0", "4.9", "5.1", "6", "9007199254740992", "9007199254740993"].map(between);
  expect(verdicts).toEqual([false, false, false, true, true, true, false]);
  const huge = 10n ** 400n;
  expect(matcherOf({ type: "number", exclusiveMinimum: -huge, exclusiveMaximum: huge })("-1e+21")).toBe(
    false,
  );
  expect(() => matcherOf({ type: "number", exclusiveMinimum: huge })).toThrow(/no number/);
});

test("excluded numbers come in no spelling, and neither does what JavaScript reads as them", () => {
  fc.assert(
    fc.property(
      fc.array(double, { minLength: 1, maxLength: 4 }),
      fc.constantFrom("number", "integer"),
      fc.nat(),
      (values, type, seed) => {
        const schema = { type, not: { enum: values } };
        const [isValid, source] = [judge(schema), schemaToGrammar(schema).source];
        const [matches, sampler] = [textMatcher(source), new GrammarSampler(source)];
        const spellings = [...values, 0, 7, 0.5].flatMap((value) => {
          const text = JSON.stringify(value);
          const behind = text.includes(".") ? "" : ".";
          const plain = [`${text}${behind}0`, `${text}${behind}0000000001`, `-${text}`];
          return text.includes("e") ? [text, text.replace(/(\.\d+)?e/, "$1.0e")] : [text, ...plain];
        });
        for (const text of spellings.filter(matches))
          expect([text, isValid(JSON.parse(text))]).toEqual([text, true]);
        for (const value of [...values, 0, 7, 0.5, -1].filter((one) => !String(one).includes("e"))) {
          const text = JSON.stringify(value);
          expect([text, matches(text)]).toEqual([text, isValid(value)]);
        }
        const random = randomNumbers(seed);
        for (let count = 0; count < 6; count++) {
          const text = sampler.sample(random);
          expect([text, isValid(JSON.parse(text))]).toEqual([text, true]);
        }
      },
    ),
    { numRuns: 100 },
  );
  const tenth = matcherOf({ type: "number", not: { const: 0.1 } });
  expect(["0.1000000000000000001", "0.10", "0.11", "0.10000000000000002"].map(tenth)).toEqual([
    false,
    false,
    true,
    true,
  ]);
  expect(matcherOf({ type: "number", not: { const: 1e21 } })("1.0e+21")).toBe(false);
  expect(matcherOf({ type: "integer", not: { const: 2 ** 53 } })("9007199254740993")).toBe(false);
  const cents = matcherOf({ type: "number", minimum: 0, maximum: 1, multipleOf: 0.5, not: { const: 1n } });
  expect(["0", "0.5", "1"].map(cents)).toEqual([true, true, false]);
}, 60_000);

test("numbers that are no integers are none to JavaScript", () => {
  const { source } = schemaToGrammar({ type: "number", not: { type: "integer" } });
  const [matches, sampler, random] = [textMatcher(source), new GrammarSampler(source), randomNumbers(3)];
  for (let count = 0; count < 300; count++) {
    const text = sampler.sample(random, 1 + (count % 40));
    expect([text, Number.isInteger(JSON.parse(text))]).toEqual([text, false]);
  }
  for (const text of [
    "1.5",
    "-0.25",
    "0.30000000000000004",
    "123456.789",
    "0.000000123",
    "999999999999999.5",
  ])
    expect([text, matches(text)]).toEqual([text, true]);
  for (const text of [
    "1.0",
    "9007199254740993.5",
    "0.99999999999999999999",
    "1.0000000000000000001",
    "0.0",
    "5",
  ])
    expect([text, matches(text)]).toEqual([text, false]);
});

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
