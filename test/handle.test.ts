import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Pointer } from "../ffi/index.ts";
import { DisposedError } from "../lib/errors.ts";
import { Handle } from "../src/handle.ts";

/** A handle whose C object is a number, and which notes when that is freed. */
class Probe extends Handle {
  readonly freed: number[];

  constructor(freed: number[], pointer: number, owner?: Handle) {
    super("Probe");
    this.freed = freed;
    this.adopt(pointer as Pointer, owner);
  }

  keep(other: Handle): void {
    this.hold(other);
  }

  drop(other: Handle): void {
    this.letGo(other);
  }

  give(): Pointer {
    return this.surrender();
  }

  protected override free(pointer: Pointer): void {
    this.freed.push(pointer);
  }
}

describe("Handle", () => {
  test("dispose frees once, however often it is called, and in whichever way", () => {
    const freed: number[] = [];
    {
      using probe = new Probe(freed, 1);
      expect(probe.disposed).toBe(false);
      expect(probe.pointer).toBe(1 as Pointer);
      probe.dispose();
      probe[Symbol.dispose]();
      expect(probe.disposed).toBe(true);
    }
    expect(freed).toEqual([1]);
  });

  test("a disposed handle refuses, naming itself and what to do", () => {
    const probe = new Probe([], 1);
    probe.dispose();
    expect(() => probe.pointer).toThrow(DisposedError);
    expect(() => probe.pointer).toThrow("Probe has been disposed; create a new one");
    expect(() => probe.give()).toThrow(DisposedError);
  });

  test("an owner outlives its dependants, and chains unwind from the leaf", () => {
    const freed: number[] = [];
    const model = new Probe(freed, 1);
    const context = new Probe(freed, 2, model);
    const sampler = new Probe(freed, 3, context);
    model.dispose();
    context.dispose();
    expect(freed).toEqual([]);
    expect(() => context.pointer).toThrow(DisposedError);
    sampler.dispose();
    expect(freed).toEqual([3, 2, 1]);
  });

  test("what was surrendered is not freed, and lets its owner go", () => {
    const freed: number[] = [];
    const owner = new Probe(freed, 1);
    const given = new Probe(freed, 2, owner);
    owner.dispose();
    expect(given.give()).toBe(2 as Pointer);
    expect(given.disposed).toBe(true);
    given.dispose();
    expect(freed).toEqual([1]);
  });

  test("a NULL object is never freed", () => {
    const freed: number[] = [];
    new Probe(freed, 0).dispose();
    expect(freed).toEqual([]);
  });

  test("a disposed handle cannot be held", () => {
    const owner = new Probe([], 1);
    owner.dispose();
    expect(() => new Probe([], 2, owner)).toThrow(DisposedError);
  });

  test("any order of holding, dropping and disposing frees each once, holders before what they hold", () => {
    const action = fc.tuple(
      fc.constantFrom("keep", "drop", "dispose"),
      fc.nat({ max: 4 }),
      fc.nat({ max: 4 }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        const freed: number[] = [];
        const probes = Array.from({ length: 5 }, (_, index) => new Probe(freed, index + 1));
        const held = probes.map(() => [] as number[]);
        const isHeld = (index: number) =>
          held.some((list, holder) => list.includes(index) && !freed.includes(holder + 1));
        for (const [kind, holder, other] of actions) {
          // Holding goes one way only, as model, context and sampler do.
          if (kind === "keep" && other < holder && !probes[other]!.disposed && !probes[holder]!.disposed) {
            probes[holder]!.keep(probes[other]!);
            held[holder]!.push(other);
          } else if (kind === "drop" && !probes[holder]!.disposed) {
            const at = held[holder]!.lastIndexOf(other);
            probes[holder]!.drop(probes[other]!);
            if (at >= 0) held[holder]!.splice(at, 1);
          } else if (kind === "dispose") probes[holder]!.dispose();
          for (const [index, probe] of probes.entries()) {
            expect(freed.includes(index + 1)).toBe(probe.disposed && !isHeld(index));
          }
        }
        for (const probe of probes) probe.dispose();
        expect(freed.toSorted()).toEqual([1, 2, 3, 4, 5]);
      }),
    );
  });
});
