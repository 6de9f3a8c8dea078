// The decoding side of an engine, on a thread of its own: the only caller of llama_decode.
import { workerData } from "node:worker_threads";
import { releaseBackends } from "../../ffi/index.ts";
import { RingReader, RingWriter } from "../../lib/ring-buffer.ts";
import { TokenMemory } from "../../lib/token-memory.ts";
import { DecodeLoop } from "./decode-loop.ts";
import type { DecodeWorkerData } from "./worker-data.ts";
import { WorkerSink } from "./worker-sink.ts";

const data = workerData as DecodeWorkerData;
const events = new RingWriter(data.events);
const sink = new WorkerSink(events, new Int32Array(data.control));
const loop = new DecodeLoop({
  data,
  sink,
  events,
  commands: new RingReader(data.commands),
  memory: new TokenMemory(data.memory),
});
await loop.run();
await releaseBackends();
