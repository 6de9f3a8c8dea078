import { afterAll, describe, expect, test } from "bun:test";
import { KvShape } from "../../src/cache/kv-shape.ts";
import { KvState, stateOf } from "../../src/cache/kv-state.ts";
import type { Context } from "../../src/context.ts";
import type { ContextOptions } from "../../src/context-options.ts";
import {
  chatTokens,
  continueGreedily,
  feed,
  freshContinuation,
  loadFixture,
  loadTinyModel,
  smallContext,
} from "../support/tiny-model.ts";

const model = await loadTinyModel();
const prompt = chatTokens(model, "What is the capital of France?");
afterAll(() => model.dispose());

const place = (context: Context, sequence: number) =>
  context.unifiedCache ? { streams: 1, stream: 0 } : { streams: context.maxSequences, stream: sequence };

/** All tokens of a sequence, in pieces of at most `length`. */
function piecesOf(context: Context, sequence: number, length: number) {
  const state = KvState.parse(context.state.readSequence(sequence), place(context, sequence), 0)!;
  const pieces = [];
  for (let from = 0; from < state.length; from += length) {
    const to = Math.min(state.length, from + length);
    const data = new Uint8Array(state.shape.tokenBytes * (to - from));
    state.copyTokens(from, to, data);
    pieces.push({ data, count: to - from });
  }
  return { pieces, shape: state.shape, transposed: state.transposed };
}

const kinds: ContextOptions[] = [
  { unifiedCache: true, flashAttention: false },
  { unifiedCache: true, flashAttention: true },
  { unifiedCache: false, flashAttention: false },
  { unifiedCache: false, flashAttention: true, cacheTypeK: "q8_0", cacheTypeV: "q8_0" },
  { unifiedCache: false, flashAttention: false, cacheTypeK: "f32", cacheTypeV: "f32" },
  { unifiedCache: true, flashAttention: false, cacheTypeV: "bf16" },
];

describe.each(kinds)("%j", (options) => {
  test.each([7, 16, 1000])(
    "taken apart by %p tokens and put together again it is the same state",
    (length) => {
      using context = smallContext(model, { maxSequences: 3, ...options });
      feed(context, prompt);
      const { pieces, shape, transposed } = piecesOf(context, 0, length);
      expect(transposed).toBe(options.flashAttention === false);
      const rebuilt = stateOf(pieces, { shape, from: 0, transposed, place: place(context, 0) })!;
      expect(Buffer.compare(rebuilt, context.state.readSequence(0))).toBe(0);
      expect(KvShape.parse(shape.bytes)).toEqual(shape);
    },
  );

  test("a context that lays its cells out otherwise goes on with it", () => {
    if (options.cacheTypeK === "q8_0") return;
    using source = smallContext(model, { maxSequences: 3, ...options });
    feed(source, prompt.subarray(0, 12), { sequence: 1 });
    const { pieces, shape } = piecesOf(source, 1, 5);
    const flashAttention = !options.flashAttention;
    using target = smallContext(model, {
      ...options,
      maxSequences: 2,
      unifiedCache: !options.unifiedCache,
      flashAttention,
    });
    const where = place(target, 1);
    const state = stateOf(pieces, { shape, from: 0, transposed: !flashAttention, place: where })!;
    expect(target.state.writeSequence(1, state)).toBe(true);
    expect(target.memory.positionMax(1)).toBe(11);
    feed(target, prompt.subarray(12), { sequence: 1, position: 12 });
    expect(continueGreedily(target, 8, { position: prompt.length, sequence: 1 })).toEqual(
      freshContinuation(model, prompt, 8),
    );
  });
});

test("a state of another kind, cut, changed or with gaps is refused", async () => {
  using context = smallContext(model, { maxSequences: 2, unifiedCache: true });
  feed(context, prompt);
  const state = context.state.readSequence(0).slice();
  const one = { streams: 1, stream: 0 };
  expect(KvState.parse(state, one, 0)).toBeDefined();
  expect(KvState.parse(state, one, 1)).toBeUndefined();
  expect(KvState.parse(state, { streams: 2, stream: 0 }, 0)).toBeUndefined();
  for (let length = 0; length < state.length; length += 97)
    expect(KvState.parse(state.subarray(0, length), one, 0)).toBeUndefined();
  for (const name of ["recurrent", "hybrid"] as const) {
    using other = await loadFixture(name);
    using its = smallContext(other, { maxSequences: 2, unifiedCache: true });
    feed(
      its,
      Int32Array.from({ length: 20 }, (_, index) => 5 + index),
    );
    expect(KvState.parse(its.state.readSequence(0), one, 0)).toBeUndefined();
  }
});
