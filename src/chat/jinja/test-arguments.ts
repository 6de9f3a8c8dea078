import type { Token } from "./jinja-library.ts";

const CLOSERS: Readonly<Record<string, string>> = {
  OpenParen: "CloseParen",
  OpenSquareBracket: "CloseSquareBracket",
  OpenCurlyBracket: "CloseCurlyBracket",
};
const OPERAND_STARTS: ReadonlySet<string> = new Set([
  "Identifier",
  "StringLiteral",
  "NumericLiteral",
  ...Object.keys(CLOSERS),
]);
/** Words that go on behind a test without arguments. */
const KEYWORDS: ReadonlySet<string> = new Set(["and", "or", "else", "if", "in", "is", "not"]);

/** Prefix of the filters that tests with arguments become; no filter's own name has a space. */
export const TEST_PREFIX = "is ";
export const NEGATED_TEST_PREFIX = "is not ";

/**
 * Makes filters of tests with arguments, which the parser does not know: `a is not in b` becomes `a | «is not in»(b)`. Jinja reads
 * both in the same place of its grammar.
 */
export function rewriteTests(tokens: readonly Token[]): Token[] {
  const written: Token[] = [];
  /** Where the arguments end that have got a parenthesis of ours. */
  const ends: number[] = [];
  let at = 0;
  const close = () => {
    for (; ends.at(-1) === at; ends.pop()) written.push({ type: "CloseParen", value: ")" });
  };
  while (at < tokens.length) {
    close();
    const token = tokens[at]!;
    const isTest = isWord(token, "is") && tokens[at - 1]?.type !== "Dot";
    const isNegated = isTest && isWord(tokens[at + 1], "not");
    const nameAt = at + (isNegated ? 2 : 1);
    const name = tokens[nameAt];
    const first = tokens[nameAt + 1];
    if (!isTest || name?.type !== "Identifier" || !first || !mayBeArgument(first)) {
      written.push(token);
      at += 1;
      continue;
    }
    written.push({ type: "Pipe", value: "|" });
    const prefix = isNegated ? NEGATED_TEST_PREFIX : TEST_PREFIX;
    written.push({ type: "Identifier", value: prefix + name.value });
    at = nameAt + 1;
    if (first.type !== "OpenParen") {
      written.push({ type: "OpenParen", value: "(" });
      ends.push(endOfOperand(tokens, at));
    }
  }
  close();
  return written;
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.type === "Identifier" && token.value === word;
}

function mayBeArgument({ type, value }: Token): boolean {
  return OPERAND_STARTS.has(type) && !(type === "Identifier" && KEYWORDS.has(value));
}

/** Behind a name, a literal or what stands in brackets, with the members, items and calls that follow. */
function endOfOperand(tokens: readonly Token[], start: number): number {
  let at = start;
  if (tokens[at]!.type === "StringLiteral") while (tokens[at]?.type === "StringLiteral") at += 1;
  else at = behindBrackets(tokens, at);
  for (;;) {
    const { type } = tokens[at] ?? {};
    if (type === "Dot") at += 2;
    else if (type === "OpenSquareBracket" || type === "OpenParen") at = behindBrackets(tokens, at);
    else return at;
  }
}

/** Behind the token, or behind the bracket that closes it. */
function behindBrackets(tokens: readonly Token[], start: number): number {
  const open = tokens[start]!.type;
  const close = CLOSERS[open];
  if (close === undefined) return start + 1;
  let depth = 0;
  for (let at = start; at < tokens.length; at++) {
    const { type } = tokens[at]!;
    if (type === open) depth += 1;
    else if (type === close && --depth === 0) return at + 1;
  }
  return tokens.length;
}
