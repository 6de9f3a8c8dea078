import type { ContextOptions } from "../context-options.ts";
import type { ModelOptions } from "../model-options.ts";
import type { Narrowing } from "../sampler.ts";
import type { KvLayoutKind } from "./kv-layout.ts";

/** Names a loaded adapter's file; requests refer to it by its place in the list. */
export interface AdapterFile {
  readonly path: string;
  /** Scale for requests that name no adapters. Default 1. */
  readonly scale?: number | undefined;
}

/** What the decoding side is made with; passes between threads by structured clone, shared memory as itself. */
export interface DecodeWorkerData {
  readonly memory: WebAssembly.Memory;
  /** Rings of records, see `protocol.ts`. */
  readonly commands: SharedArrayBuffer;
  readonly events: SharedArrayBuffer;
  /** Words of each request. */
  readonly control: SharedArrayBuffer;
  readonly path: string;
  readonly model: Omit<ModelOptions, "onProgress" | "signal">;
  readonly adapters: readonly AdapterFile[];
  /** Where prefixes are kept that leave the context; undefined for nowhere. */
  readonly host: { readonly memories: readonly WebAssembly.Memory[]; readonly bytes: number } | undefined;
  /** Rings of records between it and the thread of the disk store, see `store-protocol.ts`; undefined without one. */
  readonly store: { readonly commands: SharedArrayBuffer; readonly events: SharedArrayBuffer } | undefined;
  readonly engine: {
    readonly layout: KvLayoutKind | "auto";
    readonly parallel: number;
    /** 0 takes the model's; undefined the model's, but at most 4096. */
    readonly contextLength: number | undefined;
    /** 0 takes the length of one request. */
    readonly cells: number;
    readonly gapMs: number;
    readonly window: number;
    readonly narrowing: Narrowing;
    readonly checkIntegrity: boolean;
    readonly context: ContextOptions;
  };
}

/** What the calling side learns when the model is loaded. */
export interface ReadyInfo {
  /** Address of the `llama_model`, valid in all threads until the engine is closed. */
  readonly pointer: number;
  readonly contextLength: number;
  readonly batchSize: number;
  readonly generates: boolean;
}
