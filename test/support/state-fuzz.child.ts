// Restores damaged states, in memory and from files. Each must be refused or be harmless: a crash would end this process.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { CriaError } from "../../lib/errors.ts";
import { Model } from "../../src/model.ts";
import { feed, smallContext } from "./tiny-model.ts";

const [path, seed, runs] = process.argv.slice(2);
const verbose = process.env.CRIA_FUZZ_VERBOSE === "1";
const model = await Model.load(path!);
const folder = mkdtempSync(join(tmpdir(), "cria-state-fuzz-"));
const context = smallContext(model, { maxSequences: 2, unifiedCache: true, contextLength: 256 });
const tokens = Int32Array.from({ length: 12 }, (_, index) => (7 * index + 3) % model.vocab.size);
feed(context, tokens);
feed(context, tokens.subarray(0, 5), { sequence: 1, outputs: "all" });

const files = {
  whole: join(folder, "whole"),
  sequence: join(folder, "sequence"),
  damaged: join(folder, "damaged"),
};
context.state.saveFile(files.whole, tokens);
context.state.saveSequenceFile(files.sequence, 0, tokens);
const originals = {
  memory: context.state.save(),
  sequence: context.state.saveSequence(0),
  partial: context.state.saveSequence(0, { partialOnly: true }),
  file: new Uint8Array(readFileSync(files.whole)),
  sequenceFile: new Uint8Array(readFileSync(files.sequence)),
};
type Kind = keyof typeof originals;

function restore(kind: Kind, bytes: Uint8Array): void {
  if (kind === "memory") context.state.restore(bytes);
  else if (kind === "sequence") context.state.restoreSequence(0, bytes);
  else if (kind === "partial") context.state.restoreSequence(0, bytes, { partialOnly: true });
  else {
    writeFileSync(files.damaged, bytes);
    if (kind === "file") context.state.loadFile(files.damaged);
    else context.state.loadSequenceFile(files.damaged, 0);
  }
}

// Counts and lengths stand at the front of each part, so that half of the damage is done there.
const change = fc.record({
  place: fc.oneof(
    fc.double({ min: 0, max: 0.999, noNaN: true }),
    fc.double({ min: 0, max: 0.02, noNaN: true }),
  ),
  width: fc.constantFrom(1, 4, 8),
  value: fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 127, 128, 255)),
});
const damage = fc.record({
  kind: fc.constantFrom(...(Object.keys(originals) as Kind[])),
  changes: fc.array(change, { maxLength: 4 }),
  length: fc.oneof(
    { weight: 3, arbitrary: fc.constant(1) },
    { weight: 1, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
  ),
});

const counts = { refused: 0, unchanged: 0 };
fc.assert(
  fc.property(damage, ({ kind, changes, length }) => {
    if (verbose) console.error(JSON.stringify({ kind, changes, length }));
    const original = originals[kind];
    const bytes = original.slice(0, Math.ceil(length * original.length));
    for (const { place, width, value } of changes) {
      const start = Math.floor(place * bytes.length);
      bytes.fill(value, start, start + width);
    }
    const same = bytes.length === original.length && bytes.every((byte, index) => byte === original[index]);
    try {
      restore(kind, bytes);
      if (!same) throw new Error("damaged bytes were restored");
      counts.unchanged++;
    } catch (error) {
      if (same || !(error instanceof CriaError || error instanceof RangeError)) throw error;
      counts.refused++;
    }
    context.memory.clear();
    feed(context, tokens);
  }),
  { seed: Number(seed), numRuns: Number(runs), endOnFailure: true },
);
rmSync(folder, { recursive: true, force: true });
console.log(JSON.stringify(counts));
