// The disk store of an engine, on a thread of its own: nobody who decodes waits for a disk.
import { parentPort, workerData } from "node:worker_threads";
import { RingReader, RingWriter } from "../../lib/ring-buffer.ts";
import { endThread } from "./end-thread.ts";
import { StoreLoop, type StoreWorkerData } from "./store-loop.ts";

const port = parentPort!;
const data = workerData as StoreWorkerData;
// Its commands come through shared memory, which does not keep a thread alive.
port.on("message", () => {});
const loop = new StoreLoop(data, {
  commands: new RingReader(data.commands),
  events: new RingWriter(data.events),
  warn: (message) => port.postMessage({ warning: message }),
});
await loop.run();
port.postMessage("closed");
endThread(port);
