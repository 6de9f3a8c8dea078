import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CriaError } from "../lib/errors.ts";
import { sealLength } from "../src/state-seal.ts";
import { type FixtureName, fixture } from "./fixtures/fixture-set.ts";
import { runChild } from "./support/child.ts";
import {
  chatTokens,
  continueGreedily,
  feed,
  freshContinuation,
  loadFixture,
  loadTinyModel,
  smallContext,
} from "./support/tiny-model.ts";

const folder = mkdtempSync(join(tmpdir(), "cria-state-"));
const model = await loadTinyModel();
const prompt = chatTokens(model, "What is the capital of France?");
const other = chatTokens(model, "What is 2 plus 3?");
const fresh = freshContinuation(model, prompt, 8);
afterAll(() => {
  model.dispose();
  rmSync(folder, { recursive: true, force: true });
});

let files = 0;
const newPath = () => join(folder, `state-${++files}`);

describe("whole state", () => {
  test.each([true, false])(
    "a restored context goes on as a fresh one would (unifiedCache %p)",
    (unifiedCache) => {
      const options = { maxSequences: 2, unifiedCache };
      using first = smallContext(model, options);
      feed(first, prompt);
      const saved = first.state.save();
      // What happens after the save must not reach into the saved bytes.
      continueGreedily(first, 3, { position: prompt.length });

      using second = smallContext(model, options);
      feed(second, other, { sequence: 1 });
      second.state.restore(saved);
      expect(second.memory.positionMax(0)).toBe(prompt.length - 1);
      expect(second.memory.positionMax(1)).toBe(-1);
      // Logits are no part of a state: the last token is computed anew.
      second.memory.remove(0, { from: prompt.length - 1 });
      feed(second, prompt.subarray(-1), { position: prompt.length - 1 });
      expect(continueGreedily(second, 8, { position: prompt.length })).toEqual(fresh);
    },
  );

  test("it cannot be restored into a context of another cache type, size or model", async () => {
    using context = smallContext(model);
    feed(context, prompt);
    const saved = context.state.save();
    const refused = /does not fit this context; it belongs to another model, cache type/;
    using typed = smallContext(model, { cacheTypeK: "f32" });
    expect(() => typed.state.restore(saved)).toThrow(refused);
    using llama = await loadFixture("llama");
    using foreign = smallContext(llama);
    expect(() => foreign.state.restore(saved)).toThrow(CriaError);
    // The refusing contexts stay usable.
    feed(typed, prompt);
    expect(continueGreedily(typed, 8, { position: prompt.length })).toEqual(fresh);
  });

  test("bytes of another kind are named", () => {
    using context = smallContext(model);
    feed(context, prompt);
    expect(() => context.state.restore(context.state.saveSequence(0))).toThrow(
      "holds a sequence state, a state is needed",
    );
    expect(() => context.state.restoreSequence(0, context.state.save())).toThrow("holds a state");
    const partial = context.state.saveSequence(0, { partialOnly: true });
    expect(() => context.state.restoreSequence(0, partial)).toThrow("holds a partial sequence state");
    expect(() => context.state.restore(new Uint8Array(0))).toThrow("0 bytes are too few");
    expect(() => context.state.restore(new Uint8Array(100))).toThrow("was not saved by cria");
    expect(() => context.state.restore([] as never)).toThrow(TypeError);
  });
});

describe("sequence state", () => {
  test.each([true, false])("moves a prefix into another sequence (unifiedCache %p)", (unifiedCache) => {
    using context = smallContext(model, { maxSequences: 3, unifiedCache });
    const prefix = prompt.subarray(0, -1);
    feed(context, prefix, { outputs: "none" });
    feed(context, other, { sequence: 2 });
    const saved = context.state.saveSequence(0);
    // A live sequence may be filled over: what it held is dropped.
    context.state.restoreSequence(2, saved);
    expect(context.memory.positionMax(2)).toBe(prefix.length - 1);
    for (const sequence of [2, 0]) {
      feed(context, prompt.subarray(-1), { position: prefix.length, sequence });
      expect(continueGreedily(context, 8, { position: prompt.length, sequence })).toEqual(fresh);
    }
  });

  test("a tail can be cut off after restoring", () => {
    using context = smallContext(model, { maxSequences: 2 });
    feed(context, prompt);
    continueGreedily(context, 5, { position: prompt.length });
    context.state.restoreSequence(1, context.state.saveSequence(0));
    expect(context.memory.remove(1, { from: prompt.length - 1 })).toBe(true);
    feed(context, prompt.subarray(-1), { position: prompt.length - 1, sequence: 1 });
    expect(continueGreedily(context, 8, { position: prompt.length, sequence: 1 })).toEqual(fresh);
  });

  test.each(["recurrent", "hybrid", "sliding-window"] as const)(
    "%s: a checkpoint goes on as before",
    async (name) => {
      using random = await loadFixture(name);
      const tokens = Int32Array.from({ length: 30 }, (_, index) => 5 + index);
      using context = smallContext(random, { maxSequences: 2, contextLength: 256 });
      feed(context, tokens);
      const checkpoint = context.state.saveSequence(0);
      feed(context, Int32Array.of(40), { position: 30 });
      const expected = context.logits().slice();
      feed(context, Int32Array.of(50, 60), { position: 31 });
      context.state.restoreSequence(0, checkpoint);
      expect(context.memory.positionMax(0)).toBe(29);
      feed(context, Int32Array.of(40), { position: 30 });
      expect(context.logits()).toEqual(expected as never);
    },
  );

  test("an empty sequence can be saved and restored", () => {
    using context = smallContext(model, { maxSequences: 2 });
    const empty = context.state.saveSequence(1);
    feed(context, prompt);
    context.state.restoreSequence(0, empty);
    expect(context.memory.positionMax(0)).toBe(-1);
  });

  test("sequences out of range are refused", () => {
    using context = smallContext(model, { maxSequences: 2 });
    feed(context, prompt);
    const saved = context.state.saveSequence(0);
    for (const sequence of [-1, 2, 2 ** 31 - 1]) {
      expect(() => context.state.saveSequence(sequence)).toThrow(/between 0 and 1 \(maxSequences\)/);
      expect(() => context.state.restoreSequence(sequence, saved)).toThrow(RangeError);
      expect(() => context.state.saveSequenceFile(newPath(), sequence, prompt)).toThrow(RangeError);
      expect(() => context.state.loadSequenceFile(newPath(), sequence)).toThrow(RangeError);
    }
    expect(() => context.state.saveSequence(0.5)).toThrow(TypeError);
  });

  test("a sequence longer than the target's context does not fit", () => {
    using large = smallContext(model, { contextLength: 512, batchSize: 512 });
    feed(large, new Int32Array(400).fill(prompt[0]!), { outputs: "none" });
    using small = smallContext(model, { contextLength: 256 });
    expect(() => small.state.restoreSequence(0, large.state.saveSequence(0))).toThrow("does not fit");
    feed(small, prompt);
    expect(continueGreedily(small, 8, { position: prompt.length })).toEqual(fresh);
  });
});

describe("state files", () => {
  test.each([true, false])("whole and by sequence, with their tokens (sealed %p)", (sealed) => {
    const [whole, single] = [newPath(), newPath()];
    using first = smallContext(model, { maxSequences: 2 });
    feed(first, prompt);
    first.state.saveFile(whole, prompt, { sealed });
    first.state.saveSequenceFile(single, 0, prompt, { sealed });

    using second = smallContext(model, { maxSequences: 2 });
    expect(second.state.loadFile(whole, { sealed })).toEqual(prompt);
    expect(second.state.loadSequenceFile(single, 1, { sealed })).toEqual(prompt);
    for (const sequence of [0, 1]) {
      second.memory.remove(sequence, { from: prompt.length - 1 });
      feed(second, prompt.subarray(-1), { position: prompt.length - 1, sequence });
      expect(continueGreedily(second, 8, { position: prompt.length, sequence })).toEqual(fresh);
    }
  });

  test("a missing file, one of another kind, and a folder that is not there are told apart", () => {
    using context = smallContext(model);
    feed(context, prompt);
    const missing = join(folder, "missing");
    expect(() => context.state.loadFile(missing)).toThrow(`there is no state file ${missing}`);
    expect(() => context.state.loadSequenceFile(missing, 0)).toThrow(CriaError);
    const nowhere = join(folder, "no", "such", "folder");
    for (const sealed of [true, false]) {
      expect(() => context.state.saveFile(nowhere, prompt, { sealed })).toThrow("check that the folder");
      expect(() => context.state.saveSequenceFile(nowhere, 0, prompt, { sealed })).toThrow(CriaError);
    }
    const path = newPath();
    context.state.saveFile(path, prompt);
    expect(() => context.state.loadSequenceFile(path, 0)).toThrow("a sequence state file is needed");
    expect(() => context.state.loadFile(path, { sealed: false })).toThrow("does not fit");
    expect(() => context.state.saveFile("a\0b", prompt)).toThrow("NUL");
    expect(() => context.state.saveFile(path, [1, 2] as never)).toThrow("Int32Array");
  });

  test("a failed save leaves no half file behind", () => {
    using context = smallContext(model);
    feed(context, prompt);
    // A folder stands where the file should go.
    expect(() => context.state.saveFile(folder, prompt)).toThrow(CriaError);
    expect(readdirSync(folder).filter((name) => name.endsWith(".partial"))).toEqual([]);
    expect(existsSync(`${folder}.${process.pid}.partial`)).toBe(false);
  });

  test("tokens that are a view on a larger buffer are written as the view shows them", () => {
    const path = newPath();
    using context = smallContext(model);
    feed(context, prompt);
    context.state.saveFile(path, prompt.subarray(2, 5));
    expect(context.state.loadFile(path)).toEqual(prompt.slice(2, 5));
  });
});

describe("damaged states", () => {
  test.each(["llama", "recurrent", "sliding-window", "hybrid"] as const)(
    "%s: none of 300 damaged states is restored or ends the process",
    async (name: FixtureName) => {
      const { status, signal, stdout, stderr } = runChild("state-fuzz.child.ts", [
        await fixture(name),
        "7",
        "300",
      ]);
      expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: "" });
      const { refused, unchanged } = JSON.parse(stdout) as { refused: number; unchanged: number };
      expect(refused + unchanged).toBe(300);
      expect(refused).toBeGreaterThan(200);
    },
    60_000,
  );

  test("a state cut at any length is refused", () => {
    using context = smallContext(model);
    feed(context, prompt.subarray(0, 3));
    const saved = context.state.saveSequence(0);
    for (const length of [1, sealLength - 1, sealLength, sealLength + 1, saved.length - 1]) {
      expect(() => context.state.restoreSequence(0, saved.subarray(0, length))).toThrow("damaged");
    }
    expect(context.memory.positionMax(0)).toBe(2);
    context.state.restoreSequence(0, saved);
  });
});

describe("copying from another context", () => {
  const layouts = [
    { unifiedCache: true, maxSequences: 1 },
    { unifiedCache: true, maxSequences: 5 },
    { unifiedCache: false, maxSequences: 3 },
    { unifiedCache: false, maxSequences: 4 },
  ];
  const pairs = layouts.flatMap((from) => layouts.map((to) => [from, to] as const));

  test.each(pairs)("from %p to %p it goes on as a fresh one would", (from, to) => {
    using first = smallContext(model, { ...from, contextLength: 512 });
    using second = smallContext(model, { ...to, contextLength: 512 });
    const [source, target] = [from.maxSequences - 1, Math.min(1, to.maxSequences - 1)];
    const last = prompt.length - 1;
    feed(first, prompt.subarray(0, last), { sequence: source });
    if (source > 0) feed(first, other, { sequence: 0 });
    feed(second, other, { sequence: target });
    second.state.copyFrom(first.state, source, target);
    expect(second.memory.positionMax(target)).toBe(last - 1);
    feed(second, prompt.subarray(last), { position: last, sequence: target });
    expect(continueGreedily(second, 8, { position: prompt.length, sequence: target })).toEqual(fresh);
  });

  test("another kind of memory is refused, and leaves both contexts usable", async () => {
    using recurrent = await loadFixture("recurrent");
    using first = smallContext(recurrent, { maxSequences: 2, unifiedCache: false });
    using second = smallContext(recurrent, { maxSequences: 1 });
    feed(first, Int32Array.of(5, 6, 7), { sequence: 1 });
    expect(() => second.state.copyFrom(first.state, 1, 0)).toThrow(CriaError);
  });
});
