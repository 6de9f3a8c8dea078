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

const properties = new Map<string, CodeSet>();

/**
 * Code points with a Unicode property, by asking the JavaScript engine about each.
 * @returns undefined where there is no such property.
 */
export function propertyCodes(property: string): CodeSet | undefined {
  const known = properties.get(property);
  if (known) return known;
  let test: RegExp;
  try {
    test = new RegExp(`^\\p{${property}}$`, "u");
  } catch {
    return undefined;
  }
  const ranges: number[] = [];
  let start = -1;
  for (let point = 0; point <= 0x110000; point++) {
    const inside = point <= 0x10ffff && test.test(String.fromCodePoint(point));
    if (inside && start < 0) start = point;
    if (!inside && start >= 0) {
      ranges.push(start, point - 1);
      start = -1;
    }
  }
  const codes = codeSet(ranges);
  // A handful of names are in use; whoever asks for all there are must not fill the memory.
  if (properties.size >= 32) properties.clear();
  properties.set(property, codes);
  return codes;
}
