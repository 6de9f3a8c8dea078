import type { CodeSet } from "./code-set.ts";
import type { Expression } from "./expression.ts";

/** GBNF of an expression, on one line. */
export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case "text":
      return `"${Array.from(expression.text, (character) => spelled(character.codePointAt(0)!, '"\\')).join("")}"`;
    case "set":
      return printSet(expression.codes);
    case "rule":
      return expression.name;
    case "sequence":
      return expression.parts.length === 0
        ? '""'
        : expression.parts
            .map((part) => (part.kind === "choice" ? grouped(part) : printExpression(part)))
            .join(" ");
    case "choice":
      return expression.options.map(printExpression).join(" | ");
    case "repeat":
      return `${repeatable(expression.item) ? printExpression(expression.item) : grouped(expression.item)}${times(expression)}`;
  }
}

function grouped(expression: Expression): string {
  return `(${printExpression(expression)})`;
}

function repeatable(item: Expression): boolean {
  return item.kind === "set" || item.kind === "rule" || (item.kind === "text" && [...item.text].length === 1);
}

function times({ min, max }: { min: number; max: number }): string {
  if (min === 0 && max === 1) return "?";
  if (min === max) return `{${min}}`;
  if (max !== Number.POSITIVE_INFINITY) return `{${min},${max}}`;
  return min === 0 ? "*" : min === 1 ? "+" : `{${min},}`;
}

function printSet(codes: CodeSet): string {
  const inside = "]\\^-[";
  let body = "";
  for (let at = 0; at < codes.length; at += 2) {
    const [low, high] = [codes[at]!, codes[at + 1]!];
    body += spelled(low, inside);
    if (high > low) body += `${high > low + 1 ? "-" : ""}${spelled(high, inside)}`;
  }
  return `[${body}]`;
}

/** A code point as it can stand between quotes or brackets; `special` are the characters to be escaped. */
function spelled(point: number, special: string): string {
  if (point === 10) return "\\n";
  if (point === 13) return "\\r";
  if (point === 9) return "\\t";
  const character = String.fromCodePoint(point);
  const hex = (length: number) => point.toString(16).padStart(length, "0");
  if (special.includes(character))
    return character === "^" || character === "-" ? `\\x${hex(2)}` : `\\${character}`;
  if (point >= 0x20 && point < 0x7f) return character;
  // What does not show, or may not stand in text, is spelled by number; letters stay readable.
  if (point < 0x80) return `\\x${hex(2)}`;
  if (/^[\p{L}\p{N}\p{P}\p{S}]$/u.test(character)) return character;
  return point > 0xffff ? `\\U${hex(8)}` : `\\u${hex(4)}`;
}
