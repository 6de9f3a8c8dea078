import { type CodeSet, uniteCodes } from "./code-set.ts";
import { equivalenceClasses } from "./minimal-states.ts";
import type { Term, TermFactory } from "./term.ts";

/** A deterministic automaton without dead states; state 0 is the start. Those of {@link automatonOf} are minimal. */
export interface Automaton {
  /** Shape [states]. */
  readonly accepting: readonly boolean[];
  /** Disjoint sets of code points, one for each target. Shape [states][edges]. */
  readonly edges: readonly (readonly StateEdge[])[];
  /** Long runs of one kind of character, which would take a state for each: what their state stands for. Shape [states]. */
  readonly runs: readonly (Term | undefined)[];
}

interface StateEdge {
  readonly codes: CodeSet;
  readonly to: number;
}

/** Counts from which on a run at the end is one state. */
const longRun = 64;

/**
 * The automaton of a term's derivatives.
 * @returns undefined where it has more than `limit` states, and an automaton without states where nothing matches.
 */
export function automatonOf(terms: TermFactory, start: Term, limit: number): Automaton | undefined {
  const ids = new Map([[start, 0]]);
  const edges: StateEdge[][] = [];
  for (const term of ids.keys()) {
    terms.spend(30);
    const followed = isLongRun(term) ? [] : terms.edges(term);
    edges.push(
      followed.map(({ codes, to }) => {
        if (!ids.has(to)) ids.set(to, ids.size);
        return { codes, to: ids.get(to)! };
      }),
    );
    if (ids.size > limit) return undefined;
  }
  const states = [...ids.keys()];
  const automaton = {
    accepting: states.map((term) => term.nullable),
    edges,
    runs: states.map((term) => (isLongRun(term) ? term : undefined)),
  };
  const live = liveStates(automaton);
  if (!live.has(0)) return { accepting: [], edges: [], runs: [] };
  const classes = equivalenceClasses(automaton, live, terms.spend);
  return renumbered(automaton, live, (state) => classes[state]!);
}

function isLongRun(term: Term): boolean {
  if (term.kind !== "repeat" || term.of.kind !== "set") return false;
  return term.min >= longRun || (term.max >= longRun && term.max !== Number.POSITIVE_INFINITY);
}

/** States from which an accepting one can be reached. */
function liveStates({ accepting, edges, runs }: Automaton): Set<number> {
  const sources: number[][] = edges.map(() => []);
  for (const [from, list] of edges.entries()) for (const { to } of list) sources[to]!.push(from);
  const live = new Set([...accepting.keys()].filter((state) => accepting[state] || runs[state]));
  for (const state of live) for (const source of sources[state]!) live.add(source);
  return live;
}

/** Merges states that `classOf` maps to one number, drops dead and unreachable ones, and counts from the start on. */
function renumbered(
  { accepting, edges, runs }: Automaton,
  live: ReadonlySet<number>,
  classOf: (state: number) => number,
): Automaton {
  const ids = new Map([[classOf(0), 0]]);
  const members = new Map([[classOf(0), 0]]);
  const result = {
    accepting: [] as boolean[],
    edges: [] as StateEdge[][],
    runs: [] as (Term | undefined)[],
  };
  for (const number of ids.keys()) {
    const state = members.get(number)!;
    const targets = new Map<number, CodeSet[]>();
    for (const { codes, to } of edges[state]!) {
      if (!live.has(to)) continue;
      const target = classOf(to);
      if (!ids.has(target)) {
        ids.set(target, ids.size);
        members.set(target, to);
      }
      targets.set(ids.get(target)!, [...(targets.get(ids.get(target)!) ?? []), codes]);
    }
    result.accepting.push(accepting[state]!);
    result.runs.push(runs[state]);
    result.edges.push([...targets].map(([to, sets]) => ({ codes: uniteCodes(...sets), to })));
  }
  return result;
}
