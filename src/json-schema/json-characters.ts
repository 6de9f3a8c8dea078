import { allCodes, type CodeSet, codeSet, intersectCodes, invertCodes } from "./code-set.ts";
import { choice, type Expression, nothing, sequence, text } from "./expression.ts";
import type { RuleSet } from "./rule-set.ts";

/** Code points that JSON has only as escapes. */
const escapedCodes = codeSet([0, 0x1f, 0x22, 0x22, 0x5c, 0x5c]);
const plainCodes = invertCodes(escapedCodes);
const shortEscapes: Readonly<Record<number, string>> = {
  8: "b",
  9: "t",
  10: "n",
  12: "f",
  13: "r",
  34: '"',
  92: "\\",
};

/** Bounds from which on a set is a rule of its own: those of Unicode properties have over a thousand. */
const sharedBounds = 64;

/** One character of a number, as it is. */
export function plainCharacter(codes: CodeSet): Expression {
  return codes.length === 2 && codes[0] === codes[1]
    ? text(String.fromCodePoint(codes[0]!))
    : { kind: "set", codes };
}

/** One character of a JSON string, in the one spelling that `JSON.stringify` gives it. */
export function jsonCharacter(codes: CodeSet, rules: RuleSet): Expression {
  if (codes.join() === allCodes.join())
    return rules.cached("char", "char", () => spelledCharacter(codes, rules));
  return spelledCharacter(codes, rules);
}

function spelledCharacter(codes: CodeSet, rules: RuleSet): Expression {
  const plain = intersectCodes(codes, plainCodes);
  const escaped = intersectCodes(codes, escapedCodes);
  return choice(
    plain.length > 0 ? setOf(plain, rules) : nothing,
    escaped.length > 0
      ? rules.cached(`escape ${escaped}`, "escape", () => escapedCharacter(escaped))
      : nothing,
  );
}

function setOf(codes: CodeSet, rules: RuleSet): Expression {
  if (codes.length < sharedBounds) return plainCharacter(codes);
  return rules.cached(`set ${codes}`, "letter", () => plainCharacter(codes));
}

function escapedCharacter(escaped: CodeSet): Expression {
  const short: number[] = [];
  // Last digits of \u000x and \u001x.
  const low: number[] = [];
  const high: number[] = [];
  for (let at = 0; at < escaped.length; at += 2) {
    for (let point = escaped[at]!; point <= escaped[at + 1]!; point++) {
      const letter = shortEscapes[point];
      const list = letter !== undefined ? short : point < 16 ? low : high;
      const sign = letter ?? (point % 16).toString(16);
      list.push(sign.charCodeAt(0), sign.charCodeAt(0));
    }
  }
  const member = (points: readonly number[]): Expression =>
    points.length === 0 ? nothing : plainCharacter(codeSet(points));
  const numbered = sequence(
    text("u00"),
    choice(sequence(text("0"), member(low)), sequence(text("1"), member(high))),
  );
  return sequence(text("\\"), choice(member(short), numbered));
}
