import { type CodeSet, codeSet, invertCodes } from "./code-set.ts";

const digits = codeSet([0x30, 0x39]);
const wordCharacters = codeSet([0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a]);
/** WhiteSpace and LineTerminator of ECMA-262. */
const spaces = codeSet([
  9, 13, 0x20, 0x20, 0xa0, 0xa0, 0x1680, 0x1680, 0x2000, 0x200a, 0x2028, 0x2029, 0x202f, 0x202f, 0x205f,
  0x205f, 0x3000, 0x3000, 0xfeff, 0xfeff,
]);

/** What the letter behind a backslash stands for in ECMA-262. */
export const classEscapes: Readonly<Record<string, CodeSet>> = {
  d: digits,
  D: invertCodes(digits),
  w: wordCharacters,
  W: invertCodes(wordCharacters),
  s: spaces,
  S: invertCodes(spaces),
};

/** Everything but line terminators. */
export const dotCodes = invertCodes(codeSet([10, 10, 13, 13, 0x2028, 0x2029]));

/** Code points looked at together; surrogates begin and end with such a step. */
const planeStep = 0x800;
const properties = new Map<string, CodeSet>();

/**
 * Code points with a Unicode property, by asking the JavaScript engine.
 * @returns undefined where there is no such property.
 */
export function propertyCodes(property: string): CodeSet | undefined {
  const known = properties.get(property);
  if (known) return known;
  let runs: RegExp;
  try {
    runs = new RegExp(`\\p{${property}}+`, "gu");
  } catch {
    return undefined;
  }
  const ranges: number[] = [];
  for (let start = 0; start < 0x110000; start += planeStep) {
    if (start >= 0xd800 && start < 0xe000) continue;
    const points = String.fromCodePoint(...Array.from({ length: planeStep }, (_, offset) => start + offset));
    for (const { 0: run, index } of points.matchAll(runs)) {
      const first = points.codePointAt(index)!;
      ranges.push(first, first + Array.from(run).length - 1);
    }
  }
  const codes = codeSet(ranges);
  // A handful of names are in use; whoever asks for all there are must not fill the memory.
  if (properties.size >= 32) properties.clear();
  properties.set(property, codes);
  return codes;
}
