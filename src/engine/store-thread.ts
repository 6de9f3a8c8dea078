import { Worker } from "node:worker_threads";
import type { StoreWorkerData } from "./store-loop.ts";

/** The thread of an engine's disk store, as the calling side knows it. */
export class StoreThread {
  readonly #worker: Worker;
  readonly #ended: Promise<void>;

  constructor(workerData: StoreWorkerData) {
    // The file beside this one, in TypeScript or built.
    const file = import.meta.url.endsWith(".ts") ? "./store-worker.ts" : "./store-worker.js";
    this.#worker = new Worker(new URL(file, import.meta.url), { workerData });
    this.#worker.unref();
    this.#ended = new Promise((resolve) => {
      this.#worker.on("message", (message: { warning: string } | "closed") => {
        if (message === "closed") resolve();
        else process.emitWarning(message.warning, "CacheWarning");
      });
      this.#worker.once("error", (error: Error) => {
        const message = `the thread of the cache folder died, and prefixes are not kept on disk any more: ${error.message}`;
        process.emitWarning(message, "CacheWarning");
        resolve();
      });
      this.#worker.once("exit", () => resolve());
    });
  }

  /** Resolves when all that the decoding side handed over before it ended is written. */
  async ended(): Promise<void> {
    this.#worker.ref();
    await this.#ended;
  }

  /** Ends it as it is: what is on disk stays sound. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }
}
