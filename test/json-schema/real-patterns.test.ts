import { expect, test } from "bun:test";
import { schemaToGrammar } from "../../src/json-schema/index.ts";
import { GrammarSampler, randomNumbers, textMatcher } from "./matching.ts";
import { realPatterns } from "./real-patterns.ts";

test.each(realPatterns.map((row) => [row[0], row] as const))("%s", (pattern, [, ...texts]) => {
  const expression = new RegExp(pattern, "u");
  expect(texts.some((text) => expression.test(text))).toBe(true);
  const { source } = schemaToGrammar({ type: "string", pattern });
  const matches = textMatcher(source);
  // Each text with a character less, more or changed is likely to be on the other side.
  const near = texts.flatMap((text) => {
    const characters = Array.from(text).slice(0, 20);
    return characters.flatMap((_, at) =>
      [[], ["é"], ["-"], [".", "0"]].map((other) => characters.toSpliced(at, 1, ...other).join("")),
    );
  });
  for (const text of [...texts, ...near, ""])
    expect([text, matches(JSON.stringify(text))]).toEqual([text, expression.test(text)]);
  const [sampler, random] = [new GrammarSampler(source), randomNumbers(7)];
  for (let count = 0; count < 10; count++) {
    const text = JSON.parse(sampler.sample(random, 25));
    // RegExp takes exponential time for some of them.
    if (text.length <= 40) expect([text, expression.test(text)]).toEqual([text, true]);
  }
});
