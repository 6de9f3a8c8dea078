import type { CodeSet } from "./code-set.ts";

/** The right side of a rule. A choice without options matches nothing, a sequence without parts the empty text. */
export type Expression =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "set"; readonly codes: CodeSet }
  | { readonly kind: "sequence"; readonly parts: readonly Expression[] }
  | { readonly kind: "choice"; readonly options: readonly Expression[] }
  | { readonly kind: "repeat"; readonly item: Expression; readonly min: number; readonly max: number }
  | { readonly kind: "rule"; readonly name: string };

export const nothing: Expression = { kind: "choice", options: [] };
export const emptyText: Expression = { kind: "sequence", parts: [] };

export function text(value: string): Expression {
  return value === "" ? emptyText : { kind: "text", text: value };
}

export function rule(name: string): Expression {
  return { kind: "rule", name };
}

export function isNothing(expression: Expression): boolean {
  return expression.kind === "choice" && expression.options.length === 0;
}

export function isEmptyText(expression: Expression): boolean {
  return expression.kind === "sequence" && expression.parts.length === 0;
}

export function sequence(...parts: readonly Expression[]): Expression {
  const flat: Expression[] = [];
  for (const part of parts.flatMap((one) => (one.kind === "sequence" ? one.parts : [one]))) {
    if (isNothing(part)) return nothing;
    const last = flat.at(-1);
    if (part.kind === "text" && last?.kind === "text") flat[flat.length - 1] = text(last.text + part.text);
    else flat.push(part);
  }
  return flat.length === 1 ? flat[0]! : { kind: "sequence", parts: flat };
}

export function choice(...options: readonly Expression[]): Expression {
  const kept: Expression[] = [];
  let hasEmpty = false;
  for (const one of options.flatMap((option) => (option.kind === "choice" ? option.options : [option]))) {
    if (!isEmptyText(one) || !hasEmpty) kept.push(one);
    hasEmpty ||= isEmptyText(one);
  }
  return kept.length === 1 ? kept[0]! : { kind: "choice", options: kept };
}

export function optional(item: Expression): Expression {
  return repeat(item, 0, 1);
}

/** `item`, `min` to `max` times; no upper bound where that is infinite. */
export function repeat(item: Expression, min: number, max: number): Expression {
  if (max === 0 || isEmptyText(item)) return emptyText;
  if (isNothing(item)) return min === 0 ? emptyText : nothing;
  return min === 1 && max === 1 ? item : { kind: "repeat", item, min, max };
}

/** What an expression costs to be written, with some for each part and character. */
export function sizeOf(expression: Expression): number {
  switch (expression.kind) {
    case "text":
      return 1 + expression.text.length / 8;
    case "set":
      return 1 + expression.codes.length / 4;
    case "sequence":
      return expression.parts.reduce((sum, part) => sum + sizeOf(part), 1);
    case "choice":
      return expression.options.reduce((sum, option) => sum + sizeOf(option), 1);
    case "repeat":
      return 1 + sizeOf(expression.item);
    case "rule":
      return 1;
  }
}

/** Names of the rules that an expression refers to. */
export function usesOf(expression: Expression, into: string[] = []): readonly string[] {
  if (expression.kind === "rule") into.push(expression.name);
  else if (expression.kind === "repeat") usesOf(expression.item, into);
  else if (expression.kind === "sequence") for (const part of expression.parts) usesOf(part, into);
  else if (expression.kind === "choice") for (const option of expression.options) usesOf(option, into);
  return into;
}

/** The same expression with each reference to a rule replaced. */
export function rewritten(expression: Expression, replace: (name: string) => Expression): Expression {
  switch (expression.kind) {
    case "sequence":
      return sequence(...expression.parts.map((part) => rewritten(part, replace)));
    case "choice":
      return choice(...expression.options.map((option) => rewritten(option, replace)));
    case "repeat":
      return repeat(rewritten(expression.item, replace), expression.min, expression.max);
    case "rule":
      return replace(expression.name);
    default:
      return expression;
  }
}
