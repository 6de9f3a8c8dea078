import { allCodes, type CodeSet, intersectCodes, noCodes, uniteCodes } from "./code-set.ts";
import { partsOf, type Term, type TermFactory } from "./term.ts";

/** What is known of reading a term as it is written. */
interface Reading {
  /** What it may begin with. */
  readonly first: CodeSet;
  /** What may go on inside it where it might have ended. */
  readonly further: CodeSet;
  /** Upper bound for the places in it, counts included, where a text can be at once if it is come to once. */
  readonly once: number;
  /** The same where it may be come to at any time. */
  readonly often: number;
}

/** Steps that a part of a term costs. */
const writingWork = 4;

const nothing: Reading = { first: noCodes, further: noCodes, once: 0, often: 0 };

/**
 * Upper bound for the ways in which a text can be read at once, for a term as it is written: one, where each character tells which
 * part it belongs to, and in which round of its repetitions. Infinite where it is not known.
 *
 * Source: the strong determinism of Gelade, Gyssens and Martens, "Regular expressions with counting" (2009), counted.
 */
export function ambiguityOf(terms: TermFactory, term: Term): number {
  const known = new Map<Term, Reading | undefined>();
  const reading = (part: Term): Reading | undefined => {
    // Writing the part down included.
    terms.spend(writingWork);
    if (!known.has(part)) known.set(part, readingOf(part, reading));
    return known.get(part);
  };
  return reading(term)?.once ?? Number.POSITIVE_INFINITY;
}

function readingOf(term: Term, reading: (part: Term) => Reading | undefined): Reading | undefined {
  switch (term.kind) {
    case "empty":
      return nothing;
    case "set":
      return { first: term.codes, further: noCodes, once: 1, often: 1 };
    case "concat": {
      let rest = nothing;
      let restIsNullable = true;
      for (const part of [...partsOf(term)].reverse()) {
        const own = reading(part);
        if (!own) return undefined;
        rest = followed(own, part.nullable, rest, restIsNullable);
        restIsNullable &&= part.nullable;
      }
      return rest;
    }
    case "union": {
      let all: Reading = nothing;
      for (const part of term.parts) {
        const own = reading(part);
        if (!own) return undefined;
        const isClear = areApart(all.first, own.first);
        all = {
          first: uniteCodes(all.first, own.first),
          further: isClear ? uniteCodes(all.further, own.further) : allCodes,
          once: isClear ? Math.max(all.once, own.once) : all.once + own.once,
          often: all.often + own.often,
        };
      }
      return all;
    }
    case "repeat": {
      const own = reading(term.of);
      return own && repeated(own, term);
    }
    default:
      return undefined;
  }
}

function followed(own: Reading, isNullable: boolean, rest: Reading, restIsNullable: boolean): Reading {
  const isClear = areApart(own.further, rest.first) && !(isNullable && !areApart(own.first, rest.first));
  const further = restIsNullable ? uniteCodes(own.further, rest.first, rest.further) : rest.further;
  return {
    first: isNullable ? uniteCodes(own.first, rest.first) : own.first,
    further: isClear ? further : allCodes,
    once: isClear ? Math.max(own.once, rest.once) : own.once + rest.often,
    often: own.often + rest.often,
  };
}

function repeated(own: Reading, { of, min, max }: Term & { kind: "repeat" }): Reading {
  if (max === 1) return own;
  const isEndless = max === Number.POSITIVE_INFINITY;
  // Rounds that match nothing can be counted or left out.
  const isClear = areApart(own.further, own.first) && (isEndless || !of.nullable);
  const often = own.often * (isEndless ? min + 1 : max);
  return {
    first: own.first,
    further: isClear ? uniteCodes(own.further, own.first) : allCodes,
    once: isClear ? own.once : often,
    often,
  };
}

function areApart(one: CodeSet, other: CodeSet): boolean {
  return intersectCodes(one, other).length === 0;
}
