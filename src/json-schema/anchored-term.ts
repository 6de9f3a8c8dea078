import type { Term, TermFactory } from "./term.ts";

/**
 * A language in pieces by where they may stand: a piece that is bound to the start matches only at the start of the
 * text, one bound to the end only there.
 */
export type Anchored = readonly AnchoredPiece[];

interface AnchoredPiece {
  readonly start: boolean;
  readonly end: boolean;
  readonly term: Term;
}

/** The most rounds that a repetition with anchors or look-aheads inside is written out to. */
export const anchoredRepeats = 32;

/** Combines languages with anchors inside. */
export class AnchoredTerms {
  readonly #terms: TermFactory;

  constructor(terms: TermFactory) {
    this.#terms = terms;
  }

  plain(term: Term): Anchored {
    return [{ start: false, end: false, term }];
  }

  anchor(sign: "^" | "$"): Anchored {
    return [{ start: sign === "^", end: sign === "$", term: this.#terms.empty }];
  }

  union(parts: readonly Anchored[]): Anchored {
    const merged = new Map<string, AnchoredPiece>();
    for (const { start, end, term } of parts.flat()) {
      if (term === this.#terms.never) continue;
      const key = `${start},${end}`;
      const known = merged.get(key);
      merged.set(key, { start, end, term: known ? this.#terms.union(known.term, term) : term });
    }
    return [...merged.values()];
  }

  concat(first: Anchored, rest: Anchored): Anchored {
    const pieces: AnchoredPiece[] = [];
    for (const a of first) {
      for (const b of rest) {
        // What stands before the start of the text, or behind its end, is empty.
        const before = b.start ? this.#ifEmpty(a.term) : a.term;
        const behind = a.end ? this.#ifEmpty(b.term) : b.term;
        pieces.push({
          start: a.start || b.start,
          end: a.end || b.end,
          term: this.#terms.concat(before, behind),
        });
      }
    }
    return this.union([pieces]);
  }

  #ifEmpty(term: Term): Term {
    return term.nullable ? this.#terms.empty : this.#terms.never;
  }

  /** @returns undefined where anchors inside are repeated too often to be written out. */
  repeat(of: Anchored, min: number, max: number): Anchored | undefined {
    if (of.length === 0) return min === 0 ? this.plain(this.#terms.empty) : of;
    if (of.length === 1 && !of[0]!.start && !of[0]!.end)
      return this.plain(this.#terms.repeat(of[0]!.term, min, max));
    // An anchored piece can be but once in a text with anything else, so that more rounds add nothing new.
    if (min > anchoredRepeats || (max > anchoredRepeats && max !== Number.POSITIVE_INFINITY))
      return undefined;
    let result = this.plain(this.#terms.empty);
    for (let times = 0; times < min; times++) result = this.concat(result, of);
    if (max !== Number.POSITIVE_INFINITY) {
      for (let times = min; times < max; times++) result = this.union([result, this.concat(result, of)]);
      return result;
    }
    const free = of.filter(({ start, end }) => !start && !end);
    const opening = of.filter(({ start, end }) => start && !end);
    const closing = of.filter(({ start, end }) => !start && end);
    const whole = of.filter(({ start, end }) => start && end);
    const empty = this.plain(this.#terms.empty);
    const middle = this.plain(this.#terms.repeat(this.#terms.union(...free.map(({ term }) => term)), 0, max));
    const opened = this.concat(this.union([empty, opening]), middle);
    return this.concat(result, this.union([this.concat(opened, this.union([empty, closing])), whole]));
  }

  /**
   * The rest of a text where a language comes next, or, `negated`, where it does not.
   * @returns undefined where that language is bound to the start of the text.
   */
  ahead(next: Anchored, negated: boolean, rest: Anchored): Anchored | undefined {
    if (next.some(({ start }) => start)) return undefined;
    const comes = this.#terms.union(...next.map((piece) => this.#toTheEnd(piece)));
    const wanted = negated ? this.#terms.complement(comes) : comes;
    const pieces = rest.map((piece) => ({
      start: piece.start,
      end: true,
      term: this.#terms.intersection(this.#toTheEnd(piece), wanted),
    }));
    return this.union([pieces]);
  }

  #toTheEnd({ end, term }: AnchoredPiece): Term {
    return end ? term : this.#terms.concat(term, this.#terms.everything);
  }

  /** Texts in which the language is found somewhere. */
  found(of: Anchored): Term {
    const { everything, empty } = this.#terms;
    return this.#terms.union(
      ...of.map((piece) => this.#terms.concat(piece.start ? empty : everything, this.#toTheEnd(piece))),
    );
  }
}
