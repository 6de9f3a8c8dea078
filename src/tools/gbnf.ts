import { characterClass, literal } from "../grammar/spelling.ts";

/** What ends a text, and what must not come up in it; one marker at least. */
export interface TextBounds {
  /** Ends the text and is the last of it; without it the text may end anywhere. */
  readonly until?: string;
  readonly without?: readonly string[];
}

/**
 * Rules for any text within bounds; the first of them has the given name. One rule for each beginning of a marker that the text may
 * end with, as in the automaton of Aho and Corasick.
 */
export function textRules(name: string, { until, without = [] }: TextBounds): string {
  const behind = charactersBehind(until === undefined ? without : [until, ...without]);
  const states = [...behind.keys()].sort((one, other) => one.length - other.length);
  const rules = new Map(states.map((state, index) => [state, index === 0 ? name : `${name}-${index}`]));
  /** For each state the characters that do not lead back to the first, and what they come to; null where one must not come. */
  const turns = new Map<string, Map<string, string | null>>();
  for (const state of states) {
    // What a character comes to where it continues no beginning, it comes to from the longest beginning that ends there too.
    const turn = new Map(state === "" ? [] : turns.get(longestTail(state, behind)));
    for (const character of behind.get(state)!) {
      const text = state + character;
      if (until !== undefined && text.endsWith(until)) turn.set(character, literal(character));
      else if (without.some((marker) => text.endsWith(marker))) turn.set(character, null);
      else turn.set(character, `${literal(character)} ${rules.get(text)!}`);
    }
    turns.set(state, turn);
  }
  const end = until === undefined ? ['""'] : [];
  return states
    .map((state) => {
      const turn = turns.get(state)!;
      const choices = [...turn.values()].filter((source) => source !== null);
      const other = `${otherThan(turn.keys())} ${name}`;
      return `${rules.get(state)!} ::= ${[...choices, other, ...end].join(" | ")}`;
    })
    .join("\n");
}

/** The class of all characters but these. */
function otherThan(characters: Iterable<string>): string {
  const points = [...characters].map((character) => character.codePointAt(0)!);
  return characterClass(
    points.flatMap((point) => [point, point]),
    "^",
  );
}

/** All beginnings of some markers, the empty one included, each with the characters that markers have behind it. */
function charactersBehind(markers: readonly string[]): Map<string, Set<string>> {
  const behind = new Map([["", new Set<string>()]]);
  for (const marker of markers) {
    let beginning = "";
    for (const character of marker) {
      const characters = behind.get(beginning) ?? new Set();
      behind.set(beginning, characters.add(character));
      beginning += character;
    }
  }
  return behind;
}

/** The longest of these beginnings that a text ends with and is not. */
function longestTail(text: string, beginnings: ReadonlyMap<string, unknown>): string {
  for (let start = 1; start < text.length; start++) {
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
