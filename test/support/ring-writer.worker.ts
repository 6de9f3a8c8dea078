// The writing thread of test/lib/ring-buffer.test.ts: record n is n % 17 words of value n.
import { workerData } from "node:worker_threads";
import { RingWriter } from "../../lib/ring-buffer.ts";

const { buffer, count } = workerData as { buffer: SharedArrayBuffer; count: number };
const writer = new RingWriter(buffer);
const words = new Int32Array(buffer);
for (let value = 0; value < count || writer.backlog > 0; value++) {
  if (value < count) writer.write(new Int32Array(value % 17).fill(value));
  if (writer.publish()) Atomics.notify(words, 0);
}
