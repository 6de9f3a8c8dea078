import { expect, test } from "bun:test";
import fc from "fast-check";
import { ThoughtBudget } from "../../src/engine/thought-budget.ts";

/** Tokens are characters, by their numbers. */
const pieceOf = (token: number) => new TextEncoder().encode(String.fromCodePoint(token));
const tokensOf = (text: string) => Array.from(text, (character) => character.codePointAt(0)!);
const end = tokensOf("\n</t>\n");

/** What is written where a model would write `text`, and the budget has its say. */
function written(text: string, tokens: number, open: string): string {
  const budget = new ThoughtBudget({ tokens, open, close: "</t>", end }, pieceOf);
  let all = "";
  for (let at = 0; at < text.length || budget.next !== undefined; ) {
    const token = budget.next ?? text.codePointAt(at++)!;
    budget.push(token);
    all += String.fromCodePoint(token);
  }
  return all;
}

test("a thought that goes on for too long is ended, one that does not is left alone", () => {
  expect(written("hmm, well, so</t>yes", 5, "")).toBe("hmm, \n</t>\nwell, so</t>yes");
  expect(written("hmm</t>yes, and so on", 7, "")).toBe("hmm</t>yes, and so on");
  expect(written("yes", 0, "")).toBe("\n</t>\nyes");
});

test("a thought that the model begins counts from there on; other text does not", () => {
  expect(written(" <t>hmm, well", 4, "<t>")).toBe(" <t>hmm,\n</t>\n well");
  expect(written("<table> and so on and on", 4, "<t>")).toBe("<table> and so on and on");
  expect(written("<t>hm</t>and so on and on", 9, "<t>")).toBe("<t>hm</t>and so on and on");
});

test("whatever is written, a begun thought has an end within the budget, once", () => {
  const text = fc.string({ unit: fc.constantFrom("<", "/", "t", ">", "a", "é"), maxLength: 40 });
  fc.assert(
    fc.property(text, fc.nat(12), (rest, tokens) => {
      const all = written(rest, tokens, "");
      const close = all.indexOf("</t>");
      const own = rest.indexOf("</t>");
      if (own >= 0 && own + 4 <= tokens) expect(all).toBe(rest);
      else if (rest.length >= tokens)
        expect(all).toBe(`${rest.slice(0, tokens)}\n</t>\n${rest.slice(tokens)}`);
      if (rest.length >= tokens) expect(close).toBeLessThanOrEqual(tokens + 1);
    }),
  );
});
