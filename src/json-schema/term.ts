import { propertyCodes } from "./character-classes.ts";
import {
  allCodes,
  type CodeSet,
  codeSet,
  hasCode,
  intersectCodes,
  singleCode,
  uniteCodes,
} from "./code-set.ts";

/**
 * A language of texts over code points: a regular expression with intersection and complement. Terms of one
 * {@link TermFactory} that are built alike are one object.
 */
export type Term = { readonly id: number; readonly nullable: boolean } & (
  | { readonly kind: "set"; readonly codes: CodeSet }
  | { readonly kind: "empty" }
  | { readonly kind: "concat"; readonly first: Term; readonly rest: Term }
  | { readonly kind: "union"; readonly parts: readonly Term[] }
  | { readonly kind: "intersection"; readonly parts: readonly Term[] }
  | { readonly kind: "complement"; readonly of: Term }
  | { readonly kind: "repeat"; readonly of: Term; readonly min: number; readonly max: number }
  /** Decimal digits behind which the number, read with `remainder` before it, is a multiple of `modulus`. */
  | { readonly kind: "multiple"; readonly modulus: number; readonly remainder: number }
);

/** Where a code point leads. */
export interface TermEdge {
  readonly codes: CodeSet;
  readonly to: Term;
}

type Body = Term extends infer T ? (T extends Term ? Omit<T, "id" | "nullable"> : never) : never;

/** Steps that asking the JavaScript engine for a Unicode property is worth. */
const propertyWork = 50_000;

/** What stands behind one another in a term. */
export function partsOf(term: Term): readonly Term[] {
  const parts: Term[] = [];
  let rest = term;
  for (; rest.kind === "concat"; rest = rest.rest) parts.push(rest.first);
  parts.push(rest);
  return parts;
}

/** Makes terms in a normal form that keeps the number of derivatives small (Brzozowski 1964, Owens et al. 2009). */
export class TermFactory {
  readonly #interned = new Map<string, Term>();
  readonly #edges = new Map<Term, readonly TermEdge[]>();
  readonly #properties = new Map<string, CodeSet>();
  readonly #characters = new Map<string, Term>();
  readonly #possible = new Map<Term, boolean>();
  /** Called with the steps taken; throws where there have been too many. */
  readonly spend: (steps: number) => void;
  readonly never: Term;
  readonly empty: Term;
  readonly anyCode: Term;
  /** Every text. */
  readonly everything: Term;

  constructor(spend: (steps: number) => void) {
    this.spend = spend;
    this.never = this.#make("n", false, { kind: "set", codes: [] } as Body);
    this.empty = this.#make("e", true, { kind: "empty" } as Body);
    this.anyCode = this.set(allCodes);
    this.everything = this.repeat(this.anyCode, 0, Number.POSITIVE_INFINITY);
  }

  set(codes: CodeSet): Term {
    if (codes.length === 0) return this.never;
    this.spend(codes.length / 16);
    return this.#make(`s${codes.join()}`, false, { kind: "set", codes } as Body);
  }

  /** Code points with a Unicode property; undefined where there is none of this name. */
  property(name: string): CodeSet | undefined {
    let codes = this.#properties.get(name);
    if (!codes) {
      this.spend(propertyWork);
      codes = propertyCodes(name);
      if (codes) this.#properties.set(name, codes);
    }
    return codes;
  }

  literal(text: string): Term {
    let term = this.empty;
    for (const character of Array.from(text).reverse()) {
      let single = this.#characters.get(character);
      if (!single) {
        single = this.set(singleCode(character.codePointAt(0)!));
        this.#characters.set(character, single);
      }
      term = this.#link(single, term);
    }
    return term;
  }

  concat(...parts: readonly Term[]): Term {
    return parts.reduceRight((rest, first) => this.#pair(first, rest), this.empty);
  }

  /** One behind another; a chain goes to the right, and is joined from its end on, so that the stack stays flat. */
  #pair(first: Term, rest: Term): Term {
    if (rest.kind === "empty") return first;
    const links: Term[] = [];
    let last = first;
    for (; last.kind === "concat"; last = last.rest) links.push(last.first);
    this.spend(links.length * 5);
    let chain = this.#link(last, rest);
    for (let link = links.pop(); link; link = links.pop()) chain = this.#link(link, chain);
    return chain;
  }

  #link(first: Term, rest: Term): Term {
    if (first === this.never || rest === this.never) return this.never;
    if (first.kind === "empty" || (rest === this.everything && first.nullable)) return rest;
    if (rest.kind === "empty") return first;
    return this.#make(`c${first.id},${rest.id}`, first.nullable && rest.nullable, {
      kind: "concat",
      first,
      rest,
    } as Body);
  }

  union(...terms: readonly Term[]): Term {
    const flat = terms.flatMap((part) => (part.kind === "union" ? part.parts : [part]));
    this.spend(5 + flat.length * 5);
    const parts = new Set<Term>();
    let codes: CodeSet = [];
    for (const term of flat) {
      if (term === this.everything) return term;
      if (term.kind === "set") codes = term.codes.length === 0 ? codes : uniteCodes(codes, term.codes);
      else parts.add(term);
    }
    if (codes.length > 0) parts.add(this.set(codes));
    for (const part of parts) {
      if (part.kind === "complement" && parts.has(part.of)) return this.everything;
    }
    // Where something else may be empty, that needs not be said.
    if (parts.has(this.empty) && [...parts].some((part) => part.kind !== "empty" && part.nullable))
      parts.delete(this.empty);
    const sorted = [...parts].sort((a, b) => a.id - b.id);
    if (sorted.length === 0) return this.never;
    if (sorted.length === 1) return sorted[0]!;
    const nullable = sorted.some((part) => part.nullable);
    return this.#make(`u${sorted.map((part) => part.id)}`, nullable, {
      kind: "union",
      parts: sorted,
    } as Body);
  }

  intersection(...terms: readonly Term[]): Term {
    const flat = terms.flatMap((part) => (part.kind === "intersection" ? part.parts : [part]));
    this.spend(5 + flat.length * 5);
    const parts = new Set<Term>();
    for (const term of flat) {
      if (term === this.never) return term;
      if (term !== this.everything) parts.add(term);
    }
    for (const part of parts) {
      if (part.kind === "complement" && parts.has(part.of)) return this.never;
    }
    this.#joinRuns(parts);
    if (parts.has(this.never)) return this.never;
    const sorted = [...parts].sort((a, b) => a.id - b.id);
    if (sorted.length === 0) return this.everything;
    if (sorted.length === 1) return sorted[0]!;
    const nullable = sorted.every((part) => part.nullable);
    if (sorted.some((part) => part.kind === "empty")) return nullable ? this.empty : this.never;
    if (sorted.every((part) => part.kind === "set")) {
      return this.set(sorted.map((part) => (part as { codes: CodeSet }).codes).reduce(intersectCodes));
    }
    return this.#make(`i${sorted.map((part) => part.id)}`, nullable, {
      kind: "intersection",
      parts: sorted,
    } as Body);
  }

  /** Makes one of several runs of single characters, so that lengths beside a simple pattern need no counting. */
  #joinRuns(parts: Set<Term>): void {
    const runs = [...parts].flatMap((part) =>
      part.kind === "repeat" && part.of.kind === "set" ? [{ part, codes: part.of.codes }] : [],
    );
    if (runs.length < 2) return;
    for (const { part } of runs) parts.delete(part);
    const bounds = runs.map(({ part }) => part as Term & { kind: "repeat" });
    const [min, max] = [Math.max(...bounds.map((one) => one.min)), Math.min(...bounds.map((one) => one.max))];
    const codes = runs.map((run) => run.codes).reduce(intersectCodes);
    parts.add(max < min ? this.never : this.repeat(this.set(codes), min, max));
  }

  complement(of: Term): Term {
    if (of.kind === "complement") return of.of;
    if (of === this.never) return this.everything;
    if (of === this.everything) return this.never;
    return this.#make(`-${of.id}`, !of.nullable, { kind: "complement", of } as Body);
  }

  optional(of: Term): Term {
    return this.union(this.empty, of);
  }

  repeat(of: Term, min: number, max: number): Term {
    if (max === 0 || of.kind === "empty") return this.empty;
    if (of === this.never) return min === 0 ? this.empty : of;
    if (min === 1 && max === 1) return of;
    // Counts up to one that start from none or one leave no gaps between their multiples.
    if (of.kind === "repeat" && of.min <= 1) return this.repeat(of.of, min * of.min, max * of.max);
    // Nothing can stand for any of the times, so that fewer are as good.
    const least = of.nullable ? 0 : min;
    return this.#make(`r${of.id},${least},${max}`, least === 0, {
      kind: "repeat",
      of,
      min: least,
      max,
    } as Body);
  }

  multiple(modulus: number, remainder = 0): Term {
    return this.#make(`m${modulus},${remainder}`, remainder === 0, {
      kind: "multiple",
      modulus,
      remainder,
    } as Body);
  }

  /** What may follow each first code point: disjoint sets; what none of them holds leads nowhere. */
  edges(term: Term): readonly TermEdge[] {
    const known = this.#edges.get(term);
    if (known) return known;
    // What may be left out asks for what stands behind it: from the end on, since many in a row would exhaust the stack.
    const rests: Term[] = [];
    for (
      let at = term;
      at.kind === "concat" && at.first.nullable && !this.#edges.has(at.rest);
      at = at.rest
    ) {
      rests.push(at.rest);
    }
    for (const rest of rests.reverse()) this.#edges.set(rest, this.#computeEdges(rest));
    const edges = this.#computeEdges(term);
    this.#edges.set(term, edges);
    return edges;
  }

  /** Whether there is a text in a language; true where more than `limit` derivatives are looked at. */
  isPossible(term: Term, limit: number): boolean {
    const known = this.#possible.get(term);
    if (known !== undefined) return known;
    const seen = new Set([term]);
    const open = [term];
    let found = false;
    for (let at = open.pop(); at && !found && seen.size <= limit; at = open.pop()) {
      found = at.nullable || at === this.everything;
      for (const { to } of found ? [] : this.edges(at)) {
        if (!seen.has(to)) open.push(to);
        seen.add(to);
      }
    }
    const isPossible = found || seen.size > limit;
    this.#possible.set(term, isPossible);
    return isPossible;
  }

  /** Whether a text is in the language. */
  matches(term: Term, text: string): boolean {
    let state = term;
    for (const character of text) {
      const point = character.codePointAt(0)!;
      this.spend(3);
      const edge = this.edges(state).find(({ codes }) => hasCode(codes, point));
      if (!edge) return false;
      state = edge.to;
    }
    return state.nullable;
  }

  #computeEdges(term: Term): readonly TermEdge[] {
    switch (term.kind) {
      case "empty":
        return [];
      case "set":
        return term.codes.length === 0 ? [] : [{ codes: term.codes, to: this.empty }];
      case "concat": {
        const behind = this.#followed(this.edges(term.first), term.rest);
        return term.first.nullable ? this.#merge([behind, this.edges(term.rest)], "union") : behind;
      }
      case "repeat": {
        const rest = this.repeat(term.of, Math.max(0, term.min - 1), term.max - 1);
        return this.#followed(this.edges(term.of), rest);
      }
      case "union":
      case "intersection":
        return this.#merge(
          term.parts.map((part) => this.edges(part)),
          term.kind,
        );
      case "complement": {
        const edges = this.edges(term.of).map(({ codes, to }) => ({ codes, to: this.complement(to) }));
        return this.#merge([edges, [{ codes: allCodes, to: this.never }]], "complement");
      }
      case "multiple":
        return Array.from({ length: 10 }, (_, digit) => ({
          codes: codeSet([48 + digit, 48 + digit]),
          to: this.multiple(term.modulus, (term.remainder * 10 + digit) % term.modulus),
        }));
    }
  }

  #followed(edges: readonly TermEdge[], rest: Term): readonly TermEdge[] {
    return this.#gather(edges.map(({ codes, to }) => ({ codes, to: this.concat(to, rest) })));
  }

  /** Cuts the edges of several terms at each other's bounds, and combines where they overlap. */
  #merge(
    lists: readonly (readonly TermEdge[])[],
    how: "union" | "intersection" | "complement",
  ): readonly TermEdge[] {
    const events: { at: number; opens: boolean; to: Term }[] = [];
    for (const { codes, to } of lists.flat()) {
      for (let at = 0; at < codes.length; at += 2) {
        events.push({ at: codes[at]!, opens: true, to }, { at: codes[at + 1]! + 1, opens: false, to });
      }
    }
    this.spend(events.length * 2);
    events.sort((a, b) => a.at - b.at);
    const open = new Map<Term, number>();
    // Sets of many ranges come to the same few combinations over and over.
    const known = new Map<string, Term>();
    const pieces: TermEdge[] = [];
    let count = 0;
    for (const [index, { at, opens, to }] of events.entries()) {
      open.set(to, (open.get(to) ?? 0) + (opens ? 1 : -1));
      if (open.get(to) === 0) open.delete(to);
      count += opens ? 1 : -1;
      const next = events[index + 1]?.at ?? at;
      if (next === at || count === 0) continue;
      this.spend(1 + open.size);
      const terms = [...open.keys()];
      const everywhere = count === lists.length;
      const key = `${everywhere} ${terms.map(({ id }) => id)}`;
      const target = known.get(key) ?? this.#combined(terms, how, everywhere);
      known.set(key, target);
      if (target !== this.never) pieces.push({ codes: [at, next - 1], to: target });
    }
    return this.#gather(pieces);
  }

  #combined(terms: readonly Term[], how: "union" | "intersection" | "complement", everywhere: boolean): Term {
    if (how === "union") return this.union(...terms);
    if (how === "intersection") return everywhere ? this.intersection(...terms) : this.never;
    // One edge alone is that of all code points: the language itself leads nowhere there.
    return everywhere ? (terms.find((term) => term !== this.never) ?? this.never) : this.everything;
  }

  /** Joins edges with one target. */
  #gather(edges: readonly TermEdge[]): readonly TermEdge[] {
    const byTarget = new Map<Term, number[]>();
    for (const { codes, to } of edges) {
      if (to === this.never) continue;
      const known = byTarget.get(to);
      this.spend(3 + codes.length);
      if (known) known.push(...codes);
      else byTarget.set(to, [...codes]);
    }
    return [...byTarget].map(([to, codes]) => ({ codes: codeSet(codes), to }));
  }

  #make(key: string, nullable: boolean, body: Body): Term {
    let term = this.#interned.get(key);
    if (!term) {
      this.spend(15 + key.length / 4);
      term = { id: this.#interned.size, nullable, ...body } as Term;
      this.#interned.set(key, term);
    }
    return term;
  }
}
