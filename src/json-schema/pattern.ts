import { type Anchored, AnchoredTerms, anchoredRepeats } from "./anchored-term.ts";
import { schemaLimits } from "./limits.ts";
import { inexpressible, PatternError, type PatternNode, PatternParser } from "./pattern-parser.ts";
import type { Term, TermFactory } from "./term.ts";

/** Texts in which a regular expression of ECMA-262, read with the flag `u`, finds a match. @throws PatternError */
export function patternTerm(terms: TermFactory, pattern: string): Term {
  if (pattern.length > schemaLimits.patternLength) {
    throw new PatternError(`has more than ${schemaLimits.patternLength} characters`, "inexpressible");
  }
  terms.spend(pattern.length * 30);
  return new PatternCompiler(terms).term(new PatternParser(terms, pattern).parse());
}

class PatternCompiler {
  readonly #terms: TermFactory;
  readonly #anchored: AnchoredTerms;
  readonly #empty: Anchored;

  constructor(terms: TermFactory) {
    this.#terms = terms;
    this.#anchored = new AnchoredTerms(terms);
    this.#empty = this.#anchored.plain(terms.empty);
  }

  term(pattern: PatternNode): Term {
    return this.#anchored.found(this.#before(pattern, this.#empty));
  }

  /** What a node matches, followed by the rest of the pattern: all of that, since a look-ahead sees beyond its group. */
  #before(node: PatternNode, rest: Anchored): Anchored {
    const anchored = this.#anchored;
    this.#terms.spend(1);
    switch (node.kind) {
      case "set":
        return anchored.concat(anchored.plain(this.#terms.set(node.codes)), rest);
      case "anchor":
        return anchored.concat(anchored.anchor(node.sign), rest);
      case "ahead": {
        const found = anchored.ahead(this.#before(node.inside, this.#empty), node.negated, rest);
        if (!found) throw inexpressible("a look-ahead with ^ inside", node.offset);
        return found;
      }
      case "sequence":
        // From the end on, so that what is joined is not taken apart again.
        return node.parts.reduceRight((behind, part) => this.#before(part, behind), rest);
      case "choice":
        if (looksAhead(node)) return anchored.union(node.options.map((option) => this.#before(option, rest)));
        return anchored.concat(
          anchored.union(node.options.map((option) => this.#before(option, this.#empty))),
          rest,
        );
      case "repeat":
        return looksAhead(node) ? this.#unrolled(node, rest) : anchored.concat(this.#repeated(node), rest);
    }
  }

  #repeated({ of, min, max, offset }: PatternNode & { kind: "repeat" }): Anchored {
    const repeated = this.#anchored.repeat(this.#before(of, this.#empty), min, max);
    if (!repeated) throw inexpressible("an anchor that is repeated so often", offset);
    const most = schemaLimits.repetitions;
    const isTooOften = ({ term }: { term: Term }) =>
      term.kind === "repeat" &&
      (term.min > most || (term.max > most && term.max !== Number.POSITIVE_INFINITY));
    // Counts of counts are multiplied.
    if (repeated.some(isTooOften)) throw inexpressible(`a count above ${most} in all`, offset);
    return repeated;
  }

  /** Each round sees those behind it. */
  #unrolled({ of, min, max, offset }: PatternNode & { kind: "repeat" }, rest: Anchored): Anchored {
    if (max > anchoredRepeats) throw inexpressible("a look-ahead that is repeated so often", offset);
    let behind = rest;
    for (let round = max - 1; round >= 0; round--) {
      const more = this.#before(of, behind);
      behind = round < min ? more : this.#anchored.union([rest, more]);
    }
    return behind;
  }
}

function looksAhead(node: PatternNode): boolean {
  switch (node.kind) {
    case "ahead":
      return true;
    case "sequence":
      return node.parts.some(looksAhead);
    case "choice":
      return node.options.some(looksAhead);
    case "repeat":
      return looksAhead(node.of);
    default:
      return false;
  }
}
