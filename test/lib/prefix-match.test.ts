import { expect, test } from "bun:test";
import fc from "fast-check";
import { loadBackend } from "../../ffi/backend.ts";
import { libcOf } from "../../ffi/libc.ts";
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

test("long lists that memcmp looks through: every place of the first difference around its blocks", async () => {
  const { memcmp, addressOf } = libcOf(await loadBackend());
  const { tokens } = new TokenArena({ initialTokens: 2 ** 17 });
  const count = 40_000;
  let calls = 0;
  tokens.compareWith(
    (a, b, byteLength) => {
      calls++;
      return memcmp(a as never, b as never, byteLength);
    },
    addressOf(new Uint8Array(tokens.memory.buffer)),
  );
  const [a, b] = [tokens.view(64, count), tokens.view(64 + 4 * 50_000, count)];
  for (let index = 0; index < count; index++) a[index] = b[index] = index;
  const edges = [0, 8, 8192, 8200, 16384, 16392, 24584, 32776, 39_999];
  for (const at of edges.flatMap((edge) => [edge - 1, edge, edge + 1])) {
    if (at < 0 || at >= count) continue;
    b[at]! ^= 0x80;
    for (const length of [16_391, 16_392, 16_393, count]) {
      const [left, right] = [a.subarray(0, length), b.subarray(0, length)];
      expect(tokens.commonPrefix(left, right)).toBe(longestCommonPrefixNaive(left, right));
    }
    b[at] = a[at]!;
  }
  expect(tokens.commonPrefix(a, b)).toBe(count);
  expect(calls).toBeGreaterThan(100);
});
