/** A request as the scheduler sees it. */
export interface Schedulable {
  readonly id: number;
  /** Larger goes first. */
  readonly priority: number;
  /** Order of arrival; no two alike. */
  readonly arrival: number;
  /** Requests of different groups (sets of adapters) cannot share a batch. */
  readonly group: number;
  /** Whether it waits for its next token, rather than for its prompt to be computed. */
  readonly decoding: boolean;
  /** Tokens that are known and not computed, at least 1. */
  readonly remaining: number;
  /** A count that goes up with every segment served, as it was when this request was served last; 0 before. */
  readonly servedAt: number;
}

/** Tokens that a step may compute. */
export interface Budget {
  /** Most tokens of a batch. */
  readonly batch: number;
  /** Most prompt tokens while others decode. */
  readonly prefill: number;
  /** Most prompt tokens while none does. */
  readonly idlePrefill: number;
  /**
   * Give all prompts of a step as many tokens. Where each sequence has cells of its own, libllama computes together only
   * what has the same length, and goes through all weights once more for each other one.
   */
  readonly even?: boolean;
}

export interface Segment {
  readonly id: number;
  /** Tokens to compute, at most `remaining`. */
  readonly count: number;
}

export interface Plan {
  readonly group: number;
  /** Decoding requests first. Empty where there is nothing to do. */
  readonly segments: readonly Segment[];
}

/**
 * Chooses what the next batch computes. There are no phases: whatever is known of a request and not computed is its
 * remaining work, be it a prompt or one sampled token. Those that decode go first. Prompts share what is left of the budget:
 * half is kept for the oldest, so that none starves; the rest goes by priority, then to the shortest. With an even budget the
 * two take turns instead.
 */
export function plan(requests: readonly Schedulable[], budget: Budget): Plan {
  const group = groupToServe(requests);
  const candidates = requests.filter((request) => request.group === group);
  const decoding = candidates
    .filter((request) => request.decoding)
    .sort((a, b) => a.servedAt - b.servedAt || a.arrival - b.arrival)
    .slice(0, budget.batch);
  const segments: Segment[] = decoding.map(({ id }) => ({ id, count: 1 }));
  const prefill = candidates.filter((request) => !request.decoding);
  const allowed = decoding.length > 0 ? budget.prefill : budget.idlePrefill;
  const room = Math.max(0, Math.min(allowed, budget.batch - segments.length));
  const share = budget.even ? sharePrefillEvenly : sharePrefill;
  for (const segment of share(prefill, room)) segments.push(segment);
  return { group, segments };
}

/** The group of the request that has been waiting for longest. */
function groupToServe(requests: readonly Schedulable[]): number {
  let longest: Schedulable | undefined;
  for (const request of requests) {
    const wait = longest ? request.servedAt - longest.servedAt || request.arrival - longest.arrival : -1;
    if (wait < 0) longest = request;
  }
  return longest?.group ?? 0;
}

function sharePrefill(requests: readonly Schedulable[], room: number): Segment[] {
  if (requests.length === 0 || room === 0) return [];
  const counts = new Map<number, number>();
  let left = room;
  const give = ({ id, remaining }: Schedulable, most: number) => {
    const had = counts.get(id) ?? 0;
    const count = Math.min(remaining - had, most, left);
    if (count <= 0) return;
    counts.set(id, had + count);
    left -= count;
  };
  const oldest = requests.reduce((a, b) => (b.arrival < a.arrival ? b : a));
  give(oldest, Math.ceil(room / 2));
  const ordered = [...requests].sort(byUrgency);
  for (const request of ordered) give(request, left);
  return ordered.flatMap(({ id }) => {
    const count = counts.get(id);
    return count === undefined ? [] : [{ id, count }];
  });
}

/** How many times as many tokens must fit where prompts are not ended as soon as they could be. */
const worthSplitting = 1.25;

/**
 * The oldest and the most urgent take turns, and others that have as much left to compute join them. Where that would leave
 * much of the room empty, all get less, so that more can join.
 */
function sharePrefillEvenly(requests: readonly Schedulable[], room: number): Segment[] {
  if (requests.length === 0 || room === 0) return [];
  const oldest = requests.reduce((a, b) => (b.arrival < a.arrival ? b : a));
  const ordered = [...requests].sort(byUrgency);
  const first = oldest.servedAt <= ordered[0]!.servedAt ? oldest : ordered[0]!;
  const others = ordered.filter((request) => request !== first);
  const chosen = (count: number) =>
    [first, ...others.filter(({ remaining }) => remaining >= count)].slice(0, Math.floor(room / count));
  const rest = Math.min(first.remaining, room);
  const less = Math.floor(room / Math.ceil(room / rest));
  const fills = (count: number) => count * chosen(count).length;
  const count = fills(less) >= worthSplitting * fills(rest) ? less : rest;
  return chosen(count).map(({ id }) => ({ id, count }));
}

function byUrgency(a: Waiting, b: Waiting): number {
  return b.priority - a.priority || a.remaining - b.remaining || a.arrival - b.arrival;
}

/** A request that waits to be admitted. */
export type Waiting = Pick<Schedulable, "id" | "priority" | "arrival" | "remaining">;

/** How many requests may overtake the oldest in a row. */
const overtakes = 3;

/**
 * The next request to admit: by priority, then the shortest, but every fourth time the oldest.
 * @param turn how many were admitted before.
 */
export function nextToAdmit<W extends Waiting>(waiting: readonly W[], turn: number): W | undefined {
  const older = (a: W, b: W) => (b.arrival < a.arrival ? b : a);
  const better = (a: W, b: W) => (byUrgency(a, b) <= 0 ? a : b);
  return waiting.length === 0
    ? undefined
    : waiting.reduce(turn % (overtakes + 1) === overtakes ? older : better);
}

/** The request to take cells from when there is no room: of the lowest priority, the youngest. */
export function nextToPreempt<W extends Pick<Schedulable, "priority" | "arrival">>(
  running: readonly W[],
): W | undefined {
  const weaker = (a: W, b: W) => (a.priority - b.priority || b.arrival - a.arrival) < 0;
  return running.length === 0 ? undefined : running.reduce((a, b) => (weaker(a, b) ? a : b));
}
