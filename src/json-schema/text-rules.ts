import { type Automaton, automatonOf } from "./automaton.ts";
import type { CodeSet } from "./code-set.ts";
import { choice, type Expression, emptyText, nothing, repeat, rule, sequence } from "./expression.ts";
import { schemaLimits } from "./limits.ts";
import type { Term, TermFactory } from "./term.ts";

/** Where the rules of a language go. */
export interface RuleSink {
  /** A rule's name that is not taken, starting with `hint`. */
  freshName(hint: string): string;
  define(name: string, expression: Expression): void;
}

/** States written into one another before a rule of its own is begun. */
const inlineDepth = 24;

/**
 * Writes a language as rules; `character` says how the code points of a set are spelled.
 * @returns undefined where it needs too many states.
 */
export function expressionOf(
  terms: TermFactory,
  term: Term,
  sink: RuleSink,
  hint: string,
  character: (codes: CodeSet) => Expression,
): Expression | undefined {
  if (isCounted(term)) return structure(term, character);
  const automaton = automatonOf(terms, term, schemaLimits.states);
  if (automaton) return new AutomatonWriter(automaton, sink, hint, character).write();
  return structure(term, character);
}

/** A run of one kind of character, whose automaton would have a state for each. */
function isCounted(term: Term): boolean {
  if (term.kind === "concat") return isCounted(term.first) && term.rest.kind === "set";
  return term.kind === "set" || (term.kind === "repeat" && term.of.kind === "set");
}

/** A term as it is built, which may be read in several ways; undefined where it has no such form. */
export function structure(term: Term, character: (codes: CodeSet) => Expression): Expression | undefined {
  const all = (parts: readonly Term[]) => {
    const written = parts.map((part) => structure(part, character));
    return written.includes(undefined) ? undefined : (written as Expression[]);
  };
  switch (term.kind) {
    case "empty":
      return emptyText;
    case "set":
      return term.codes.length === 0 ? nothing : character(term.codes);
    case "concat": {
      const chain: Term[] = [];
      let last: Term = term;
      for (; last.kind === "concat"; last = last.rest) chain.push(last.first);
      const parts = all([...chain, last]);
      return parts && sequence(...parts);
    }
    case "union": {
      const options = all(term.parts);
      return options && choice(...options);
    }
    case "repeat": {
      const item = structure(term.of, character);
      return item && repeat(item, term.min, term.max);
    }
    default:
      return undefined;
  }
}

/** Turns states into right-linear rules, with loops and runs as repetitions. */
class AutomatonWriter {
  readonly #automaton: Automaton;
  readonly #sink: RuleSink;
  readonly #hint: string;
  readonly #character: (codes: CodeSet) => Expression;
  /** Edges into each state from others. Shape [states]. */
  readonly #entries: number[];
  readonly #names = new Map<number, string>();
  readonly #queue: number[] = [];

  constructor(automaton: Automaton, sink: RuleSink, hint: string, character: (codes: CodeSet) => Expression) {
    this.#automaton = automaton;
    this.#sink = sink;
    this.#hint = hint;
    this.#character = character;
    this.#entries = automaton.accepting.map(() => 0);
    for (const [from, edges] of automaton.edges.entries()) {
      for (const { to } of edges) if (to !== from) this.#entries[to]!++;
    }
  }

  write(): Expression {
    if (this.#automaton.accepting.length === 0) return nothing;
    // The start has an entry from outside.
    this.#entries[0]!++;
    const start = this.#state(0, 0);
    for (let state = this.#queue.pop(); state !== undefined; state = this.#queue.pop()) {
      this.#sink.define(this.#names.get(state)!, this.#body(state, 0));
    }
    return start;
  }

  #state(state: number, depth: number): Expression {
    if (this.#entries[state] === 1 && depth < inlineDepth) return this.#body(state, depth);
    if (this.#isEnd(state)) return emptyText;
    let name = this.#names.get(state);
    if (name === undefined) {
      name = this.#sink.freshName(this.#hint);
      this.#names.set(state, name);
      this.#queue.push(state);
    }
    return rule(name);
  }

  #isEnd(state: number): boolean {
    return this.#automaton.accepting[state]! && this.#automaton.edges[state]!.length === 0;
  }

  #body(state: number, depth: number): Expression {
    const run = this.#run(state, depth);
    if (run) return run;
    const { accepting, edges } = this.#automaton;
    const loop = edges[state]!.find(({ to }) => to === state);
    const options = edges[state]!.filter(({ to }) => to !== state).map(({ codes, to }) =>
      sequence(this.#character(codes), this.#state(to, depth + 1)),
    );
    if (accepting[state]) options.push(emptyText);
    const repeated = loop ? repeat(this.#character(loop.codes), 0, Number.POSITIVE_INFINITY) : emptyText;
    return sequence(repeated, choice(...options));
  }

  /** States behind one another that differ in nothing but how many characters have come, as a counted repetition. */
  #run(start: number, depth: number): Expression | undefined {
    const { accepting, edges } = this.#automaton;
    const codes = edges[start]!.length === 1 ? edges[start]![0]!.codes : undefined;
    if (!codes || edges[start]![0]!.to === start) return undefined;
    const key = codes.join();
    const goesOn = (state: number) => edges[state]!.length === 1 && edges[state]![0]!.codes.join() === key;
    let state = start;
    let required = 0;
    const step = () => {
      const { to } = edges[state]![0]!;
      state = to;
      return this.#entries[to] === 1 || this.#isEnd(to);
    };
    let inside = true;
    while (inside && goesOn(state) && !accepting[state] && edges[state]![0]!.to !== state) {
      inside = step();
      required++;
    }
    const item = this.#character(codes);
    const middle = state;
    let extra = 0;
    while (inside && goesOn(state) && accepting[state] && edges[state]![0]!.to !== state) {
      inside = step();
      extra++;
    }
    if (extra > 0 && this.#isEnd(state)) return repeat(item, required, required + extra);
    if (required < 2) return undefined;
    return sequence(repeat(item, required, required), this.#state(middle, depth + 1));
  }
}
