/** A header without comments and preprocessor lines, as tokens, and the plain `#define`s it held. */
export interface HeaderTokens {
  readonly tokens: readonly string[];
  readonly defines: ReadonlyMap<string, string>;
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, " ").replace(/\/\/[^\n]*/g, "");
}

/**
 * Drops preprocessor lines and what they exclude. Nothing is defined here: `#ifdef` and `#if` are false, `#ifndef` and
 * `#else` are true, which suits headers whose conditions are about C++, compilers and include guards.
 */
function preprocess(text: string): { text: string; defines: Map<string, string> } {
  const defines = new Map<string, string>();
  const kept: string[] = [];
  const active: boolean[] = [];
  const lines = text.replace(/\\\n/g, " ").split("\n");
  for (const line of lines) {
    const directive = /^\s*#\s*(\w+)\s*(.*)$/.exec(line);
    if (!directive) {
      if (active.every(Boolean)) kept.push(line);
      continue;
    }
    const [, name, rest] = directive as unknown as [string, string, string];
    if (name === "ifdef" || name === "if") active.push(false);
    else if (name === "ifndef") active.push(true);
    else if (name === "else") active.push(!active.pop());
    else if (name === "endif") active.pop();
    else if (name === "define" && active.every(Boolean)) {
      const define = /^(\w+)\s+(\S.*)$/.exec(rest.trim());
      if (define) defines.set(define[1] as string, (define[2] as string).trim());
    }
  }
  return { text: kept.join("\n"), defines };
}

export function tokenizeHeader(source: string): HeaderTokens {
  const { text, defines } = preprocess(withoutComments(source));
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|\w+|<<|>>|\.\.\.|[^\s\w]/g) ?? [];
  return { tokens, defines };
}

/** Splits top-level statements at semicolons outside of all brackets. */
export function statements(tokens: readonly string[]): string[][] {
  const result: string[][] = [];
  let current: string[] = [];
  let depth = 0;
  for (const token of tokens) {
    if ("({[".includes(token)) depth++;
    if (")}]".includes(token)) depth--;
    if (token === ";" && depth === 0) {
      if (current.length > 0) result.push(current);
      current = [];
    } else {
      current.push(token);
    }
  }
  return result;
}

/** Splits a list at commas outside of all brackets. */
export function splitAtCommas(tokens: readonly string[]): string[][] {
  const result: string[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if ("({[".includes(token)) depth++;
    if (")}]".includes(token)) depth--;
    if (token === "," && depth === 0) result.push([]);
    else result.at(-1)!.push(token);
  }
  return result.filter((part) => part.length > 0);
}

/** Tokens as C is usually written: `const char * name ( int a , int b )` becomes `const char * name(int a, int b)`. */
export function spell(tokens: readonly string[]): string {
  return tokens
    .join(" ")
    .replace(/ ([,)\]])/g, "$1")
    .replace(/([([]) /g, "$1")
    .replace(/(\w) \[/g, "$1[")
    .replace(/(\w) \((?!\*)/g, "$1(");
}
