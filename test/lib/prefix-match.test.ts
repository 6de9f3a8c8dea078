import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  longestCommonPrefix,
  longestCommonPrefixNaive,
  TokenArena,
  type TokenBuffer,
} from "../../lib/index.ts";
import { createPrefixKernel } from "../../lib/prefix-match.ts";

const arena = new TokenArena();

function fill(buffer: TokenBuffer, tokens: readonly number[]): TokenBuffer {
  buffer.truncate(0);
  for (const token of tokens) buffer.append(token);
  return buffer;
}

/** Two lists that share a prefix of any length, then go their own ways, or end. */
const pair = fc
  .record({
    shared: fc.array(fc.integer(), { maxLength: 400 }),
    a: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 40 }),
    b: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 40 }),
  })
  .map(({ shared, a, b }) => [
    [...shared, ...a],
    [...shared, ...b],
  ]);

test("the kernel runs in this engine", () => {
  expect(createPrefixKernel(new TokenArena().memory)).toBeFunction();
});

test("the arena's matcher equals the naive loop", () => {
  const [a, b] = [arena.allocate(1), arena.allocate(1)];
  fc.assert(
    fc.property(pair, ([left, right]) => {
      fill(a, left!);
      fill(b, right!);
      const expected = longestCommonPrefixNaive(Int32Array.from(left!), Int32Array.from(right!));
      expect(arena.commonPrefix(a, b)).toBe(expected);
      expect(longestCommonPrefix(a.view(), b.view())).toBe(expected);
    }),
    { numRuns: 500 },
  );
});

test("every length and every place of the first difference, around the kernel's steps", () => {
  const [a, b] = [arena.allocate(160), arena.allocate(160)];
  for (let length = 0; length <= 150; length++) {
    const tokens = Array.from({ length }, (_, index) => index * 2654435761);
    fill(a, tokens);
    fill(b, tokens);
    expect(arena.commonPrefix(a, b)).toBe(length);
    for (let at = 0; at < length; at++) {
      b.storage[at]! ^= 1 << (at % 32);
      expect(arena.commonPrefix(a, b)).toBe(at);
      b.storage[at] = a.storage[at]!;
    }
  }
});

test("a difference in the top or the bottom bit of a token counts", () => {
  const [a, b] = [arena.allocate(64), arena.allocate(64)];
  for (const difference of [1, -0x80000000]) {
    fill(a, new Array(64).fill(7));
    fill(b, new Array(64).fill(7));
    b.storage[63]! ^= difference;
    expect(arena.commonPrefix(a, b)).toBe(63);
  }
});

test("buffers stay comparable after the memory has grown", () => {
  const small = new TokenArena({ initialTokens: 1 });
  const [a, b] = [small.allocate(1), small.allocate(1)];
  fill(
    a,
    Array.from({ length: 60 }, (_, index) => index),
  );
  const before = small.memory.buffer.byteLength;
  for (let index = 0; index < 100000; index++) b.append(index);
  expect(small.memory.buffer.byteLength).toBeGreaterThan(before);
  expect(small.commonPrefix(a, b)).toBe(60);
  expect(small.commonPrefix(b, b)).toBe(100000);
});
