// The other thread of test/context.test.ts: sets the abort flag soon after it is told to go.
import { parentPort, workerData } from "node:worker_threads";

const { flag, go } = workerData as { flag: SharedArrayBuffer; go: Int32Array };
const byte = new Uint8Array(flag);
parentPort?.postMessage("ready");
Atomics.wait(go, 0, 0);
// A decode of thousands of tokens takes far longer than this.
Atomics.wait(go, 0, 1, 50);
Atomics.store(byte, 0, 1);
