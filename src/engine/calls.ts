import type { EngineCore } from "./core.ts";
import type { DecodeLoopParts } from "./decode-loop.ts";

/** A question to the decoding side that is not a request, answered between two steps. */
export interface Call {
  readonly method: "snapshot" | "clearCache";
}

/** Answers call number `id` through the sink. */
export function runCall(core: EngineCore, { sink }: DecodeLoopParts, id: number, { method }: Call): void {
  try {
    if (method === "clearCache") core.clearCache();
    sink.answer(id, core.snapshot);
  } catch (error) {
    sink.failure(id, error);
  }
}
