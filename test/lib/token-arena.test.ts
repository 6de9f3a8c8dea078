import { expect, test } from "bun:test";
import fc from "fast-check";
import { DisposedError, TokenArena, type TokenBuffer } from "../../lib/index.ts";

test("a buffer behaves like a list, wherever it moves", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("append" as const), value: fc.integer() }),
    fc.record({ kind: fc.constant("truncate" as const), value: fc.nat(50) }),
    fc.record({ kind: fc.constant("reserve" as const), value: fc.nat(500) }),
  );
  const arena = new TokenArena({ initialTokens: 16, maxTokens: 100_000 });
  fc.assert(
    fc.property(fc.array(fc.array(step, { maxLength: 60 }), { minLength: 1, maxLength: 5 }), (scripts) => {
      const model: number[][] = scripts.map(() => []);
      const buffers: TokenBuffer[] = scripts.map(() => arena.allocate(1));
      const longest = Math.max(...scripts.map((script) => script.length));
      // Steps of different buffers take turns, so that they grow between one another.
      for (let turn = 0; turn < longest; turn++) {
        for (const [index, script] of scripts.entries()) {
          const now = script[turn];
          if (!now) continue;
          if (now.kind === "append") {
            buffers[index]!.append(now.value);
            model[index]!.push(now.value);
          } else if (now.kind === "truncate") {
            buffers[index]!.truncate(now.value);
            model[index]!.length = Math.min(model[index]!.length, now.value);
          } else {
            buffers[index]!.reserve(now.value);
            expect(buffers[index]!.capacity).toBeGreaterThanOrEqual(now.value);
          }
        }
      }
      for (const [index, buffer] of buffers.entries())
        expect(Array.from(buffer.view())).toEqual(model[index]!);
      for (const buffer of buffers) buffer.release();
    }),
  );
});

test("live ranges never overlap, and released ones are used again", () => {
  const arena = new TokenArena({ initialTokens: 1024, maxTokens: 32768 });
  fc.assert(
    fc.property(
      fc.array(fc.record({ size: fc.integer({ min: 1, max: 300 }), keep: fc.boolean() }), { maxLength: 60 }),
      (plan) => {
        const live: TokenBuffer[] = [];
        for (const { size, keep } of plan) {
          live.push(arena.allocate(size));
          if (!keep) live.shift()?.release();
        }
        const ranges = live.map(
          ({ byteOffset, capacity }) => [byteOffset, byteOffset + 4 * capacity] as const,
        );
        ranges.sort(([a], [b]) => a - b);
        for (let index = 1; index < ranges.length; index++) {
          expect(ranges[index]![0]).toBeGreaterThanOrEqual(ranges[index - 1]![1]);
        }
        for (const buffer of live) buffer.release();
      },
    ),
  );
  // Everything was given back: one buffer of nearly the whole arena fits.
  expect(() => arena.allocate(32000).release()).not.toThrow();
});

test("an exhausted arena says so, and stays usable", () => {
  const arena = new TokenArena({ initialTokens: 16, maxTokens: 20000 });
  const buffer = arena.allocate(10);
  expect(() => arena.allocate(100000)).toThrow(/maxTokens 20000/);
  buffer.append(5);
  expect(Array.from(buffer.view())).toEqual([5]);
});

test("a released buffer throws from every method, and releasing twice does nothing", () => {
  const arena = new TokenArena();
  const buffer = arena.allocate(4);
  buffer.release();
  buffer.release();
  expect(() => buffer.append(1)).toThrow(DisposedError);
  expect(() => buffer.view()).toThrow(DisposedError);
  expect(() => buffer.storage).toThrow(DisposedError);
  expect(() => buffer.byteOffset).toThrow(DisposedError);
  expect(() => buffer.reserve(100)).toThrow(DisposedError);
  expect(() => {
    buffer.length = 0;
  }).toThrow(DisposedError);
});

test("bytes are zeroed, aligned and shared", () => {
  const arena = new TokenArena();
  const first = arena.allocateBytes(100);
  first.view.fill(255);
  first.release();
  const second = arena.allocateBytes(100);
  expect(second.byteOffset % 64).toBe(0);
  expect(second.view.every((byte) => byte === 0)).toBe(true);
  expect(second.view.buffer).toBeInstanceOf(SharedArrayBuffer);
});

test.each([0, -1, 1.5, Number.NaN])("maxTokens %p is refused by name", (maxTokens) => {
  expect(() => new TokenArena({ maxTokens })).toThrow(/maxTokens/);
});
