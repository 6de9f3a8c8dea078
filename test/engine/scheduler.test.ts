import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { nextToAdmit, nextToPreempt, type Plan, plan, type Schedulable } from "../../src/engine/scheduler.ts";

const budget = { batch: 64, prefill: 16, idlePrefill: 64 };

function request(id: number, fields: Partial<Schedulable> = {}): Schedulable {
  return { id, priority: 0, arrival: id, group: 0, decoding: false, remaining: 100, servedAt: 0, ...fields };
}
const decoding = (id: number, fields: Partial<Schedulable> = {}) =>
  request(id, { decoding: true, remaining: 1, ...fields });
const counts = ({ segments }: Plan) => Object.fromEntries(segments.map(({ id, count }) => [id, count]));

describe("what the next batch computes", () => {
  const cases: [what: string, requests: Schedulable[], expected: Record<number, number>][] = [
    ["nothing to do", [], {}],
    ["one prompt alone takes the idle budget", [request(1)], { 1: 64 }],
    ["a short prompt takes what it needs", [request(1, { remaining: 5 })], { 1: 5 }],
    ["a prompt beside a stream takes the smaller budget", [request(1), decoding(2)], { 2: 1, 1: 16 }],
    ["every stream gets its token", [decoding(1), decoding(2), decoding(3)], { 1: 1, 2: 1, 3: 1 }],
    [
      "half for the oldest, the rest to the shortest",
      [request(1), request(2), request(3, { remaining: 90 })],
      { 1: 32, 3: 32 },
    ],
    [
      "short ones pass a long one",
      [request(1, { remaining: 6000 }), request(2, { remaining: 3 })],
      { 1: 61, 2: 3 },
    ],
    [
      "priority before length",
      [request(1), request(2, { remaining: 4 }), request(3, { priority: 1 })],
      { 1: 32, 3: 32 },
    ],
  ];
  test.each(cases)("%s", (_, requests, expected) => {
    expect(counts(plan(requests, budget))).toEqual(expected);
  });

  test.each<[what: string, requests: Schedulable[], expected: Record<number, number>]>([
    ["one prompt at a time", [request(1), request(2), request(3, { remaining: 90 })], { 1: 64 }],
    [
      "the most urgent when the oldest was served last",
      [request(1, { servedAt: 7 }), request(2), request(3, { remaining: 30 })],
      { 1: 30, 3: 30 },
    ],
    [
      "several that would leave much of the room empty get less, so that more can join",
      [1, 2, 3].map((id) => request(id, { remaining: 40 })),
      { 1: 32, 2: 32 },
    ],
    [
      "those that have as much to compute go together",
      [request(1, { remaining: 20 }), request(2, { remaining: 20 }), request(3, { remaining: 19 })],
      { 1: 20, 2: 20 },
    ],
    [
      "no more of them than there is room for",
      [1, 2, 3, 4].map((id) => request(id, { remaining: 20 })),
      { 1: 20, 2: 20, 3: 20 },
    ],
    ["beside streams", [decoding(1), request(2), request(3)], { 1: 1, 2: 16 }],
  ])("evenly: %s", (_, requests, expected) => {
    expect(counts(plan(requests, { ...budget, even: true }))).toEqual(expected);
  });

  test("more streams than a batch holds take turns", () => {
    const small = { ...budget, batch: 2 };
    let streams = [decoding(1), decoding(2), decoding(3)];
    const served: number[] = [];
    for (let step = 0; step < 6; step++) {
      const ids = plan(streams, small).segments.map(({ id }) => id);
      served.push(...ids);
      streams = streams.map((one) =>
        ids.includes(one.id) ? { ...one, servedAt: 2 * step + ids.indexOf(one.id) + 1 } : one,
      );
    }
    for (const id of [1, 2, 3]) expect(served.filter((one) => one === id)).toHaveLength(4);
  });

  test("groups never mix, and take turns", () => {
    const requests = [
      decoding(1, { servedAt: 5 }),
      decoding(2, { group: 1, servedAt: 4 }),
      request(3, { servedAt: 6 }),
    ];
    expect(plan(requests, budget)).toEqual({ group: 1, segments: [{ id: 2, count: 1 }] });
    expect(
      plan(
        requests.map((one) => (one.id === 2 ? { ...one, servedAt: 7 } : one)),
        budget,
      ).group,
    ).toBe(0);
  });
});

const work = fc.array(
  fc.record({
    priority: fc.integer({ min: 0, max: 2 }),
    group: fc.integer({ min: 0, max: 2 }),
    prompt: fc.integer({ min: 1, max: 300 }),
    reply: fc.integer({ min: 0, max: 20 }),
  }),
  { minLength: 1, maxLength: 20 },
);

test("whatever the load: batches fit, nobody starves, and all work is done once", () => {
  fc.assert(
    fc.property(work, fc.integer({ min: 1, max: 40 }), fc.boolean(), (loads, batch, even) => {
      const limits = { even, batch, prefill: Math.max(1, batch >> 2), idlePrefill: batch };
      const state = loads.map(({ prompt, reply, ...rest }, id) => ({
        ...request(id, { ...rest, remaining: prompt }),
        prompt,
        reply,
        computed: 0,
      }));
      const total = loads.reduce((sum, { prompt, reply }) => sum + prompt + reply, 0);
      let steps = 0;
      for (; state.some(({ remaining }) => remaining > 0); steps++) {
        const { group, segments } = plan(
          state.filter(({ remaining }) => remaining > 0),
          limits,
        );
        expect(segments.length).toBeGreaterThan(0);
        expect(segments.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(batch);
        expect(new Set(segments.map(({ id }) => id)).size).toBe(segments.length);
        for (const { id, count } of segments) {
          const one = state[id]!;
          expect(one.group).toBe(group);
          expect(count).toBeGreaterThan(0);
          expect(count).toBeLessThanOrEqual(one.remaining);
          const next = one.computed + count;
          const isDone = next === one.prompt + one.reply;
          Object.assign(one, {
            computed: next,
            decoding: next >= one.prompt,
            remaining: next < one.prompt ? one.prompt - next : isDone ? 0 : 1,
            servedAt: steps + 1,
          });
        }
        expect(steps).toBeLessThanOrEqual(2 * total + 60);
      }
      for (const { computed, prompt, reply } of state) expect(computed).toBe(prompt + reply);
    }),
    { numRuns: 200 },
  );
});

test("a long prompt moves on at every step, however many short ones keep coming", () => {
  let remaining = 6000;
  for (let step = 0; remaining > 0; step++) {
    const short = Array.from({ length: 5 }, (_, index) => request(10 + 5 * step + index, { remaining: 9 }));
    const mine = plan([request(1, { remaining }), decoding(2), ...short], budget).segments.find(
      ({ id }) => id === 1,
    );
    expect(mine!.count).toBeGreaterThanOrEqual(Math.min(remaining, 8));
    remaining -= mine!.count;
  }
});

test("admission: the shortest first, but the oldest every fourth time", () => {
  const waiting = [
    request(1, { remaining: 1000 }),
    ...[2, 3, 4, 5].map((id) => request(id, { remaining: id })),
  ];
  const admitted: number[] = [];
  for (let turn = 0; waiting.length > 0; turn++) {
    const next = nextToAdmit(waiting, turn)!;
    waiting.splice(waiting.indexOf(next), 1);
    admitted.push(next.id);
  }
  expect(admitted).toEqual([2, 3, 4, 1, 5]);
  expect(nextToAdmit([], 0)).toBeUndefined();
  expect(nextToAdmit([request(1, { remaining: 1 }), request(2, { priority: 1 })], 0)?.id).toBe(2);
});

test("preemption takes the youngest of the lowest priority", () => {
  expect(nextToPreempt([request(1), request(2), request(3, { priority: 1 })])?.id).toBe(2);
  expect(nextToPreempt([])).toBeUndefined();
});
