import { expect, test } from "bun:test";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { RingReader, RingWriter, ringBytes } from "../../lib/ring-buffer.ts";

function ring(words = 64): { writer: RingWriter; reader: RingReader } {
  const buffer = new SharedArrayBuffer(ringBytes(words));
  return { writer: new RingWriter(buffer), reader: new RingReader(buffer) };
}

const records = fc.array(fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { maxLength: 30 }));

test("records come out as they went in, whoever waits for whom", () => {
  fc.assert(
    fc.property(records, fc.array(fc.boolean()), (input, turns) => {
      const { writer, reader } = ring();
      const output: number[][] = [];
      const drain = () => {
        for (let record = reader.next(); record; record = reader.next()) output.push([...record]);
      };
      for (const [index, record] of input.entries()) {
        writer.write(record);
        writer.publish();
        if (turns[index]) drain();
      }
      do drain();
      while (writer.publish());
      expect(output).toEqual(input);
      expect(writer.backlog).toBe(0);
    }),
  );
});

test("nothing is seen before it is published, and publishing nothing says so", () => {
  const { writer, reader } = ring();
  expect(writer.publish()).toBe(false);
  writer.write([1, 2, 3]);
  expect(reader.next()).toBeUndefined();
  expect(writer.publish()).toBe(true);
  expect(writer.publish()).toBe(false);
  expect([...reader.next()!]).toEqual([1, 2, 3]);
});

test("what finds no room waits, in order, and the indices may overflow 32 bits", () => {
  const buffer = new SharedArrayBuffer(ringBytes(8));
  new Int32Array(buffer).fill(2 ** 31 - 3, 0, 2);
  const [writer, reader] = [new RingWriter(buffer), new RingReader(buffer)];
  for (let value = 0; value < 20; value++) writer.write([value, -value]);
  expect(writer.backlog).toBe(18);
  const seen: number[] = [];
  while (writer.publish()) {
    for (let record = reader.next(); record; record = reader.next()) seen.push(record[0]!);
  }
  expect(seen).toEqual([...Array(20).keys()]);
});

test("misuse", () => {
  expect(() => ringBytes(12)).toThrow(RangeError);
  expect(() => ring(8).writer.write(new Int32Array(8))).toThrow(/does not fit/);
});

test("between two threads", async () => {
  const buffer = new SharedArrayBuffer(ringBytes(64));
  const count = 20_000;
  const worker = new Worker(new URL("../support/ring-writer.worker.ts", import.meta.url), {
    workerData: { buffer, count },
  });
  const reader = new RingReader(buffer);
  const { words, index } = reader.signal;
  let next = 0;
  while (next < count) {
    const before = Atomics.load(words, index);
    for (let record = reader.next(); record; record = reader.next()) {
      expect(record.length).toBe(next % 17);
      if (record.length > 0) expect(record[0]).toBe(next);
      next++;
    }
    if (next < count) await Atomics.waitAsync(words, index, before, 100).value;
  }
  await worker.terminate();
}, 20_000);
