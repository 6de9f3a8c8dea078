import { type Expression, emptyText, text } from "./expression.ts";
import type { RuleSet } from "./rule-set.ts";

/** Where white space may stand, and how much. */
export interface Whitespace {
  /** Behind a comma. */
  readonly comma: Expression;
  /** Behind a colon. */
  readonly colon: Expression;
  /** Behind an opening bracket and before a closing one. */
  readonly bracket: Expression;
}

/** `none`; `space`: at most one blank behind commas and colons; `lines`: also line ends with up to 32 blanks. */
export function whitespaceOf(kind: "none" | "space" | "lines", rules: RuleSet): Whitespace {
  if (kind === "none") return { comma: emptyText, colon: emptyText, bracket: emptyText };
  const blank: Expression = { kind: "repeat", item: text(" "), min: 0, max: 1 };
  const space = () => rules.cached("space", "space", () => blank);
  if (kind === "space") return { comma: space(), colon: space(), bracket: emptyText };
  const line = rules.cached("line", "line", () => ({
    kind: "choice",
    options: [
      emptyText,
      text(" "),
      { kind: "sequence", parts: [text("\n"), { kind: "repeat", item: text(" "), min: 0, max: 32 }] },
    ],
  }));
  return { comma: line, colon: space(), bracket: line };
}
