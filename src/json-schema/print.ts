import { characterClass, literal } from "../grammar/spelling.ts";
import type { Expression } from "./expression.ts";

/** GBNF of an expression, on one line. */
export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case "text":
      return literal(expression.text);
    case "set":
      return characterClass(expression.codes);
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
