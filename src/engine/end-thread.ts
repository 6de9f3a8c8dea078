import type { MessagePort } from "node:worker_threads";

/** Ends a worker from within, once nothing keeps it. Deno's `parentPort` cannot be closed; its workers end themselves. */
export function endThread(port: MessagePort): void {
  if (typeof port.close === "function") port.close();
  else (globalThis as unknown as { close(): void }).close();
}
