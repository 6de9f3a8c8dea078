import type { Automaton } from "./automaton.ts";
import { type CodeSet, uniteCodes } from "./code-set.ts";

/**
 * For each live state, the number of its class of states that accept the same texts. Classes are split by the edges of
 * their states to other classes; a state is looked at again only when one that it leads to has gone to another class
 * (as in Hopcroft 1971), so that long chains take no longer than short ones for each state.
 * @param spend Called with the steps taken; throws where there have been too many.
 */
export function equivalenceClasses(
  { accepting, edges, runs }: Automaton,
  live: ReadonlySet<number>,
  spend: (steps: number) => void,
): readonly number[] {
  const sets = new SetNumbers();
  const sources: number[][] = edges.map(() => []);
  const successors = edges.map((list, from) => {
    const kept = live.has(from) ? list.filter(({ to }) => live.has(to)) : [];
    for (const { codes, to } of kept) {
      spend(codes.length / 8);
      sources[to]!.push(from);
    }
    return kept.map(({ codes, to }) => ({ set: sets.numberOf(codes), to }));
  });
  const partition = new Partition(
    // Two runs of which neither is the other are two languages.
    accepting.map((ends, state) => (runs[state] ? 2 + state : Number(ends))),
    live,
  );
  const { classOf, members } = partition;
  const signatureOf = (state: number) => {
    spend(12 + successors[state]!.length * 6);
    const targets = new Map<number, number>();
    for (const { set, to } of successors[state]!) {
      const known = targets.get(classOf[to]!);
      targets.set(classOf[to]!, known === undefined ? set : sets.united(known, set));
    }
    return [...targets].sort((a, b) => a[0] - b[0]).join(" ");
  };
  for (let changed: ReadonlySet<number> = live; changed.size > 0; ) {
    const apart: number[][] = [];
    for (const [own, states] of grouped(changed, (state) => classOf[state]!)) {
      const groups = grouped(states, signatureOf);
      // Those that have not changed are still alike: one stands for all, and they stay. Otherwise the most do.
      const unchanged =
        states.length < members[own]!.length && members[own]!.find((state) => !changed.has(state));
      const stays = typeof unchanged === "number" ? signatureOf(unchanged) : largest(groups);
      for (const [signature, group] of groups) if (signature !== stays) apart.push(group);
    }
    const next = new Set<number>();
    for (const group of apart) {
      partition.separate(group);
      for (const state of group) for (const source of sources[state]!) next.add(source);
    }
    changed = next;
  }
  return classOf;
}

/** Which class each state is in, and which states each class has. */
class Partition {
  readonly classOf: number[];
  readonly members: number[][] = [];
  /** Where each state stands among the members of its class. */
  readonly #places: number[] = [];

  /** @param kinds For each state a number of its first class. */
  constructor(kinds: readonly number[], live: ReadonlySet<number>) {
    const numbers = new Map<number, number>();
    this.classOf = kinds.map((kind) => {
      if (!numbers.has(kind)) numbers.set(kind, this.members.push([]) - 1);
      return numbers.get(kind)!;
    });
    for (const state of live) this.#places[state] = this.members[this.classOf[state]!]!.push(state) - 1;
  }

  /** Puts some states of a class into a new one. */
  separate(states: readonly number[]): void {
    const own = this.members.push([...states]) - 1;
    for (const [place, state] of states.entries()) {
      const former = this.members[this.classOf[state]!]!;
      const last = former.pop()!;
      if (last !== state) {
        former[this.#places[state]!] = last;
        this.#places[last] = this.#places[state]!;
      }
      this.classOf[state] = own;
      this.#places[state] = place;
    }
  }
}

function grouped<K>(states: Iterable<number>, keyOf: (state: number) => K): Map<K, number[]> {
  const groups = new Map<K, number[]>();
  for (const state of states) {
    const key = keyOf(state);
    const group = groups.get(key);
    if (group) group.push(state);
    else groups.set(key, [state]);
  }
  return groups;
}

function largest(groups: ReadonlyMap<string, readonly number[]>): string | undefined {
  let found: string | undefined;
  for (const [key, { length }] of groups)
    if (found === undefined || length > groups.get(found)!.length) found = key;
  return found;
}

/** Numbers for sets, so that large ones are compared and united once. */
class SetNumbers {
  readonly #numbers = new Map<string, number>();
  readonly #sets: CodeSet[] = [];
  readonly #unions = new Map<string, number>();

  numberOf(codes: CodeSet): number {
    const key = codes.join();
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#sets.push(codes) - 1;
      this.#numbers.set(key, number);
    }
    return number;
  }

  united(one: number, other: number): number {
    const key = one < other ? `${one} ${other}` : `${other} ${one}`;
    let number = this.#unions.get(key);
    if (number === undefined) {
      number = this.numberOf(uniteCodes(this.#sets[one]!, this.#sets[other]!));
      this.#unions.set(key, number);
    }
    return number;
  }
}
