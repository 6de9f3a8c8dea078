import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ThoughtBudget, type ThoughtLimit } from "../../src/engine/thought-budget.ts";

/** Tokens are characters, by their numbers. */
const pieceOf = (token: number) => new TextEncoder().encode(String.fromCodePoint(token));
const tokensOf = (text: string) => Array.from(text, (character) => character.codePointAt(0)!);
const end = tokensOf("\n</t>\n");

/** What is written where a model would write `text`, and the budget has its say; a prompt that has begun a thought: `open` "". */
function written(text: string, tokens: number, open: string, more: Partial<ThoughtLimit> = {}): string {
  const limit = {
    tokens,
    open: open || "<t>",
    begun: open === "",
    repeats: false,
    close: "</t>",
    end,
    ...more,
  };
  const budget = new ThoughtBudget(limit, pieceOf);
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

test("where thoughts may repeat, all of them share the tokens, and one that begins behind them is ended at once", () => {
  const messages = "<t>one</t>said<t>two and more</t>then<t>three</t>end";
  const spent = written(messages, 12, "<t>", { repeats: true });
  expect(spent).toBe("<t>one</t>said<t>two a\n</t>\nnd more</t>then<t>\n</t>\nthree</t>end");
  expect(written(messages, 100, "<t>", { repeats: true })).toBe(messages);
  expect(written("said <t>hm, well", 2, "<t>", { repeats: true })).toBe("said <t>hm\n</t>\n, well");
  expect(written("said <t>hm, well", 2, "<t>")).toBe("said <t>hm, well");
});

describe("byte by byte", () => {
  const bytes = [...new TextEncoder().encode("né🌧!")];
  const byteOf = (token: number) => Uint8Array.of(token);
  const limit = { open: "<t>", begun: true, repeats: false, close: "</t>", end: [0x21] };
  const dueAfter = (tokens: number) => {
    const budget = new ThoughtBudget({ ...limit, tokens }, byteOf);
    return bytes.findIndex((byte) => {
      if (budget.next !== undefined) return true;
      budget.push(byte);
      return false;
    });
  };

  test("an end waits until the character is whole", () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7].map(dueAfter)).toEqual([0, 1, 3, 3, 7, 7, 7, 7]);
  });

  test("but not for one that never becomes whole", () => {
    const budget = new ThoughtBudget({ ...limit, tokens: 1 }, byteOf);
    for (let count = 0; count < 4; count++) {
      expect(budget.next).toBeUndefined();
      budget.push(0xf0);
    }
    expect(budget.next).toBe(0x21);
  });
});

test("an end that something forbids is begun anew; the thought's own end counts meanwhile", () => {
  const budget = new ThoughtBudget(
    { tokens: 1, open: "<t>", begun: true, repeats: false, close: "</t>", end },
    pieceOf,
  );
  for (const token of tokensOf("ab")) budget.push(token);
  budget.push(budget.next!);
  expect(budget.next).toBe(end[1]);
  budget.push(tokensOf("x")[0]!);
  expect(budget.next).toBe(end[0]);
  for (const token of tokensOf("</t>")) budget.push(token);
  expect(budget.next).toBeUndefined();
});
