// The decoding side of an engine, on a thread of its own: the only caller of llama_decode.
import { parentPort } from "node:worker_threads";
import { releaseBackends } from "../../ffi/index.ts";
import { RingReader, RingWriter } from "../../lib/ring-buffer.ts";
import { TokenMemory } from "../../lib/token-memory.ts";
import { DecodeLoop } from "./decode-loop.ts";
import type { WorkerOrder } from "./decode-workers.ts";
import { endThread } from "./end-thread.ts";
import { collectGarbage } from "./tidier.ts";
import type { DecodeWorkerData } from "./worker-data.ts";
import { WorkerSink } from "./worker-sink.ts";

const port = parentPort!;

/** @returns whether the engine was closed without a fault, so that another may follow. */
function runEngine(data: DecodeWorkerData): Promise<boolean> {
  const events = new RingWriter(data.events);
  const sink = new WorkerSink(events, new Int32Array(data.control));
  const commands = new RingReader(data.commands);
  const memory = new TokenMemory(data.memory);
  return new DecodeLoop({ data, sink, events, commands, memory }).run();
}

port.on("message", async (order: WorkerOrder) => {
  if (order !== "end" && (await runEngine(order))) {
    // The memory that the engine shared goes with the last object that refers to it.
    collectGarbage();
    return;
  }
  await releaseBackends();
  endThread(port);
});
