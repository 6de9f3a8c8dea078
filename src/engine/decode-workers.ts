import { Worker } from "node:worker_threads";
import { isBun } from "../../ffi/index.ts";
import type { DecodeWorkerData } from "./worker-data.ts";

/** What a worker is sent: an engine to run, or word that there will be none any more. */
export type WorkerOrder = DecodeWorkerData | "end";

/**
 * A thread that has closed its engine and waits for the next. Bun keeps some kilobytes of every thread that ends, which
 * would add up in a program that loads and closes again and again. One idle thread is the price.
 */
let parked: Worker | undefined;

/** A thread for an engine: the parked one, or a new one. */
export function takeWorker(): Worker {
  const worker = parked ?? newWorker();
  parked = undefined;
  worker.removeAllListeners();
  worker.ref();
  return worker;
}

/** Takes back a thread whose engine is closed and that had no fault. */
export function parkWorker(worker: Worker): void {
  worker.removeAllListeners();
  worker.unref();
  if (!isBun || parked) {
    worker.postMessage("end" satisfies WorkerOrder);
    return;
  }
  parked = worker;
  const forget = () => {
    if (parked === worker) parked = undefined;
  };
  worker.once("error", forget);
  worker.once("exit", forget);
}

function newWorker(): Worker {
  // The file beside this one, in TypeScript or built.
  const file = import.meta.url.endsWith(".ts") ? "./decode-worker.ts" : "./decode-worker.js";
  return new Worker(new URL(file, import.meta.url));
}
