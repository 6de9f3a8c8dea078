import type { ActiveRequest } from "./active-request.ts";
import { cutSegments } from "./fill-batch.ts";
import type { PrefixCache } from "./prefix-cache.ts";
import type { Roster } from "./roster.ts";
import { type Plan, plan } from "./scheduler.ts";
import type { StepRates } from "./step-rates.ts";

export interface StepParts {
  readonly requests: Roster;
  readonly prefixes: PrefixCache;
  readonly rates: StepRates;
  readonly canRun: (request: ActiveRequest) => boolean;
  /** Takes cells from a request, where nothing parked is left to take them from. */
  readonly giveWay: () => void;
}

/** What to compute next, with room for it: parked prefixes go first, then requests. */
export function planStep({ requests, prefixes, rates, canRun, giveWay }: StepParts): Plan {
  const { layout } = prefixes;
  const { only } = requests;
  // A text alone needs no plan.
  if (only?.decoding && canRun(only) && layout.freeCells > 0)
    return { group: only.group, segments: [{ id: only.id, count: 1 }] };
  for (;;) {
    const ready = [...requests.running].filter(canRun);
    const waiting = ready.filter(({ decoding }) => decoding).length;
    const budget = rates.budget(layout.context.batchSize, waiting, ready.length);
    const planned = plan(ready, { ...budget, even: layout.kind === "streams" });
    const wanted = planned.segments.reduce((sum, { count }) => sum + count, 0);
    if (wanted === 0 || prefixes.makeRoom(wanted)) return planned;
    // Whoever decodes has come furthest; a prompt may wait.
    const decoding = planned.segments.filter(({ id }) => requests.byId(id)!.decoding).length;
    const fitting = cutSegments(planned.segments, layout.freeCells);
    if (fitting.length >= Math.max(1, decoding)) return { ...planned, segments: fitting };
    giveWay();
  }
}
