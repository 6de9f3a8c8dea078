/** Text as a literal of GBNF. */
export function literal(text: string): string {
  const body = text.replace(/[^ !#-[\]-~]/gu, (character) => spelled(character.codePointAt(0)!, '"\\'));
  return `"${body}"`;
}

/** A class of characters in GBNF. @param ranges First and last code points, `[low, high]` by turns. */
export function characterClass(ranges: readonly number[], prefix: "" | "^" = ""): string {
  let body = "";
  for (let at = 0; at < ranges.length; at += 2) {
    const [low, high] = [ranges[at]!, ranges[at + 1]!];
    body += spelled(low, "]\\^-[");
    if (high > low) body += `${high > low + 1 ? "-" : ""}${spelled(high, "]\\^-[")}`;
  }
  return `[${prefix}${body}]`;
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
