import { type CompiledGrammar, kind } from "./elements.ts";
import { grammarLimits } from "./limits.ts";

interface Edge {
  readonly to: number;
  /** Whether something stands behind the reference, so that going round this edge piles it up for ever. */
  readonly grows: boolean;
}

/** Makes the error for a rule at fault. */
type Report = (rule: number, message: string) => Error;

/**
 * Refuses rules that begin with themselves. libllama looks for them too, but takes only rules with an alternative that
 * is written empty for possibly empty ones; with others in front it would go round for ever. It also follows every way
 * through the beginnings of rules, of which there can be exponentially many, so they are counted first.
 */
export function checkLeftRecursion(grammar: CompiledGrammar, report: Report): void {
  const fail = (cycle: readonly number[]) => report(cycle[0]!, describe(grammar, cycle));
  const edges = edgesOf(grammar, emptyAsWritten(grammar));
  const { cycle, order } = depthFirst(edges);
  if (cycle) throw fail(cycle);
  const crowded = tooManyPaths(edges, order);
  if (crowded !== undefined) {
    throw report(
      crowded,
      `rule "${grammar.names[crowded]}" leads to too many others at its beginning (more than ` +
        `${grammarLimits.leftDepth} deep, or ${grammarLimits.leftPaths} ways); put text before some references`,
    );
  }
  // Going round without piling anything up ends by itself: the same state comes up again.
  const hidden = growingCycle(edgesOf(grammar, canBeEmpty(grammar)));
  if (hidden !== undefined) throw fail([hidden, hidden]);
}

function describe({ names }: CompiledGrammar, cycle: readonly number[]): string {
  const path = cycle
    .map((rule) => names[rule])
    .filter((name, index, all) => index === 0 || name !== all[index - 1]);
  if (path.length === 1) path.push(path[0]);
  return `left recursion: ${path.join(" → ")}; a rule must not begin with itself, repeat with * or + instead`;
}

/** References that can stand at the beginning of each rule, given which rules may be empty. */
function edgesOf({ kinds, values, starts }: CompiledGrammar, empty: Uint8Array): readonly Edge[][] {
  return Array.from(starts, (start) => {
    const edges: Edge[] = [];
    let leftmost = true;
    for (let at = start; kinds[at] !== kind.end; at++) {
      if (kinds[at] === kind.alternative) leftmost = true;
      else if (kinds[at] !== kind.rule) leftmost = false;
      else if (leftmost) {
        edges.push({ to: values[at]!, grows: kinds[at + 1]! > kind.alternative });
        leftmost = empty[values[at]!] === 1;
      }
    }
    return edges;
  });
}

function emptyAsWritten({ kinds, starts }: CompiledGrammar): Uint8Array {
  return Uint8Array.from(starts, (start) => {
    for (let at = start; ; at++) {
      const opens = at === start || kinds[at - 1] === kind.alternative;
      if (opens && kinds[at]! <= kind.alternative) return 1;
      if (kinds[at] === kind.end) return 0;
    }
  });
}

/** Which rules can match the empty text, directly or through others: a fixed point. */
function canBeEmpty(grammar: CompiledGrammar): Uint8Array {
  const { kinds, values, starts } = grammar;
  const empty = emptyAsWritten(grammar);
  const users: number[][] = Array.from(starts, () => []);
  for (const [rule, start] of starts.entries()) {
    for (let at = start; kinds[at] !== kind.end; at++) {
      if (kinds[at] === kind.rule) users[values[at]!]!.push(rule);
    }
  }
  const holds = (rule: number) => {
    let possible = true;
    for (let at = starts[rule]!; ; at++) {
      if (kinds[at]! <= kind.alternative) {
        if (possible) return true;
        if (kinds[at] === kind.end) return false;
        possible = true;
      } else if (kinds[at] !== kind.rule || empty[values[at]!] === 0) possible = false;
    }
  };
  const queue = [...empty.keys()].filter((rule) => empty[rule] === 1);
  for (let rule = queue.pop(); rule !== undefined; rule = queue.pop()) {
    for (const user of users[rule]!) {
      if (empty[user] === 0 && holds(user)) {
        empty[user] = 1;
        queue.push(user);
      }
    }
  }
  return empty;
}

/** Rules in the order in which a depth-first walk leaves them, or the first cycle it meets. */
function depthFirst(edges: readonly Edge[][]): { cycle?: readonly number[]; order: number[] } {
  const state = new Uint8Array(edges.length);
  const order: number[] = [];
  for (const start of edges.keys()) {
    if (state[start] !== 0) continue;
    const path = [start];
    const next = [0];
    state[start] = 1;
    while (path.length > 0) {
      const rule = path.at(-1)!;
      const edge = edges[rule]![next[next.length - 1]!++];
      if (edge === undefined) {
        state[rule] = 2;
        order.push(rule);
        path.pop();
        next.pop();
      } else if (state[edge.to] === 1) {
        return { cycle: [...path.slice(path.indexOf(edge.to)), edge.to], order };
      } else if (state[edge.to] === 0) {
        state[edge.to] = 1;
        path.push(edge.to);
        next.push(0);
      }
    }
  }
  return { order };
}

/** Counts the ways libllama would walk; `order` has each rule behind those it leads to. @returns a rule with too many. */
function tooManyPaths(edges: readonly Edge[][], order: readonly number[]): number | undefined {
  const ways = new Float64Array(edges.length).fill(1);
  const depth = new Int32Array(edges.length).fill(1);
  for (const rule of order) {
    for (const { to } of edges[rule]!) {
      ways[rule]! += ways[to]!;
      depth[rule] = Math.max(depth[rule]!, depth[to]! + 1);
    }
    if (depth[rule]! > grammarLimits.leftDepth) return rule;
  }
  // libllama starts from each rule that no walk has come by yet.
  const seen = new Uint8Array(edges.length);
  let total = 0;
  for (const rule of edges.keys()) {
    if (seen[rule] === 0) total += ways[rule]!;
    if (total > grammarLimits.leftPaths) return rule;
    walk(edges, rule, seen, () => {});
  }
  return undefined;
}

/** A rule on a cycle that piles something up, found through strongly connected components (Kosaraju). */
function growingCycle(edges: readonly Edge[][]): number | undefined {
  const seen = new Uint8Array(edges.length);
  const order: number[] = [];
  for (const start of edges.keys()) walk(edges, start, seen, (rule) => order.push(rule));
  const reversed: Edge[][] = edges.map(() => []);
  for (const [from, list] of edges.entries()) {
    for (const { to, grows } of list) reversed[to]!.push({ to: from, grows });
  }
  const component = new Int32Array(edges.length);
  seen.fill(0);
  for (const start of order.reverse()) {
    walk(reversed, start, seen, (rule) => {
      component[rule] = start;
    });
  }
  const found = edges.findIndex((list, from) =>
    list.some(({ to, grows }) => grows && component[to] === component[from]),
  );
  return found < 0 ? undefined : found;
}

function walk(
  edges: readonly Edge[][],
  start: number,
  seen: Uint8Array,
  leave: (rule: number) => void,
): void {
  if (seen[start] === 1) return;
  seen[start] = 1;
  const path = [start];
  const next = [0];
  while (path.length > 0) {
    const rule = path.at(-1)!;
    const edge = edges[rule]![next[next.length - 1]!++];
    if (edge === undefined) {
      leave(rule);
      path.pop();
      next.pop();
    } else if (seen[edge.to] === 0) {
      seen[edge.to] = 1;
      path.push(edge.to);
      next.push(0);
    }
  }
}
