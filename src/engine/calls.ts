import type { TokenMemory } from "../../lib/token-memory.ts";
import type { HostTier } from "../cache/host-tier.ts";
import type { EngineCore } from "./core.ts";
import type { EmbeddingQueue } from "./embedding-queue.ts";
import { type BytesPlace, type PrefixPlace, restorePrefix, savePrefix } from "./saved-prefix.ts";
import type { WorkerSink } from "./worker-sink.ts";

/** A question to the decoding side that is not a request, answered between two steps. */
export type Call =
  | { readonly method: "snapshot" | "clearCache" }
  /** Bytes of prefixes that leave the context, at most. */
  | { readonly method: "setCacheRam"; readonly bytes: number }
  /** Answered with the number of tokens and the place of the bytes, which stay until `forgetState`. */
  | { readonly method: "saveState"; readonly place: PrefixPlace }
  | { readonly method: "forgetState"; readonly address: number }
  | { readonly method: "loadState"; readonly place: PrefixPlace; readonly source: BytesPlace };

/** What `saveState` is answered with. */
export interface SavedState extends BytesPlace {
  readonly length: number;
}

export interface CallParts {
  readonly core: EngineCore;
  readonly embeddings: EmbeddingQueue;
  readonly memory: TokenMemory;
  readonly sink: WorkerSink;
  readonly host: HostTier | undefined;
}

/** Answers calls through the sink. */
export class Calls {
  readonly #parts: CallParts;
  /** States that the calling side has not copied yet, by address. */
  readonly #states = new Map<number, Uint8Array>();

  constructor(parts: CallParts) {
    this.#parts = parts;
  }

  answer(id: number, call: Call): void {
    const { sink } = this.#parts;
    try {
      sink.answer(id, this.#run(call));
    } catch (error) {
      sink.failure(id, error);
    }
  }

  #run(call: Call): unknown {
    const { core, embeddings, memory, sink, host } = this.#parts;
    switch (call.method) {
      case "snapshot":
        return { ...core.snapshot, ...embeddings.counters, waitingEmbeddings: embeddings.size };
      case "clearCache":
        core.clearCache();
        return undefined;
      case "setCacheRam":
        host?.memory.limit(call.bytes);
        host?.shrink(call.bytes);
        return undefined;
      case "saveState":
        return this.#save(call.place);
      case "forgetState":
        this.#states.delete(call.address);
        return undefined;
      case "loadState": {
        const release = (byteOffset: number, byteLength: number) => sink.release(byteOffset, byteLength);
        restorePrefix(core, memory, { place: call.place, source: call.source, release });
        return undefined;
      }
    }
  }

  #save(place: PrefixPlace): SavedState {
    const { core, memory } = this.#parts;
    const { length, bytes } = savePrefix(core, memory, place);
    if (length === 0) return { length, address: 0, byteLength: 0 };
    const address = Number(core.model.native.memory.addressOf(bytes));
    this.#states.set(address, bytes);
    return { length, address, byteLength: bytes.byteLength };
  }
}
