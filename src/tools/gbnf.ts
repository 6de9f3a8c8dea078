import { characterClass, literal } from "../grammar/spelling.ts";

/**
 * Rules for any text up to a marker, and the marker; the first of them has the given name. One rule for each beginning of a marker
 * that the text may end with, as in the search of Knuth, Morris and Pratt.
 *
 * @param forbidden Markers that must not come up before.
 */
export function untilRules(name: string, marker: string, forbidden: readonly string[] = []): string {
  const markers = [marker, ...forbidden].map((text) => [...text]);
  const beginnings = new Set(
    markers.flatMap((text) => text.map((_, length) => text.slice(0, length).join(""))),
  );
  const states = [...beginnings].sort((one, other) => one.length - other.length);
  const rule = (state: string) => (state === "" ? name : `${name}-${states.indexOf(state)}`);
  const distinct = [...new Set(markers.flat())];
  const points = distinct.flatMap((character) => [character.codePointAt(0)!, character.codePointAt(0)!]);
  return states
    .map((state) => {
      const choices = distinct.flatMap((character) => {
        const text = state + character;
        if (text.endsWith(marker)) return literal(character);
        if (forbidden.some((other) => text.endsWith(other))) return [];
        return `${literal(character)} ${rule(longestBeginning(text, beginnings))}`;
      });
      return `${rule(state)} ::= ${choices.join(" | ")} | ${characterClass(points, "^")} ${name}`;
    })
    .join("\n");
}

/** The longest of these that the text ends with. */
function longestBeginning(text: string, beginnings: ReadonlySet<string>): string {
  for (let start = 0; start < text.length; start++) {
    const tail = text.slice(start);
    if (beginnings.has(tail)) return tail;
  }
  return "";
}

/** One part of a list whose parts may be optional. */
export interface ListItem {
  readonly source: string;
  readonly isRequired: boolean;
}

/** Rules for items in their order with a separator between those that are there; the first rule has the given name. */
export function listRules(name: string, items: readonly ListItem[], separator: string): string {
  const rules: string[] = [];
  // `-more` is the rest of the list where something stands before it.
  const first = (index: number) => (index === 0 ? name : `${name}-${index}`);
  const more = (index: number) => `${name}-${index}-more`;
  for (const [index, { source, isRequired }] of items.entries()) {
    const next = index + 1;
    const skip = (rule: string) => (isRequired ? "" : ` | ${rule}`);
    rules.push(`${first(index)} ::= ${source} ${more(next)}${skip(first(next))}`);
    if (index > 0)
      rules.push(`${more(index)} ::= ${literal(separator)} ${source} ${more(next)}${skip(more(next))}`);
  }
  if (items.length > 0) rules.push(`${more(items.length)} ::= ""`);
  rules.push(`${first(items.length)} ::= ""`);
  return rules.join("\n");
}
