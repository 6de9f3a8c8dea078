import { totalmem } from "node:os";
import { resolve } from "node:path";
import { checkInteger } from "../../ffi/index.ts";
import type { ContextOptions } from "../context-options.ts";
import { checkModelOptions, type ModelOptions } from "../model-options.ts";
import type { Narrowing } from "../sampler.ts";
import type { ThreadOptions } from "./decode-thread.ts";
import type { KvLayoutKind } from "./kv-layout.ts";
import type { AdapterFile } from "./worker-data.ts";

type EngineContextOptions = Omit<ContextOptions, "maxSequences" | "unifiedCache">;

/** How to load a model and serve requests with it; lengths in tokens. */
export interface EngineOptions extends ModelOptions, EngineContextOptions {
  /** Most tokens of one request; 0 takes the model's training length. Default 4096 or that, whichever is less. */
  contextLength?: number;
  /** Requests that run at once, 1 to 256. Default 4. */
  parallel?: number | undefined;
  /** Cells of the KV cache for all requests together. Default: `contextLength`. */
  cells?: number | undefined;
  /** How cells belong to requests. Default "auto". */
  kvLayout?: KvLayoutKind | "auto" | undefined;
  /**
   * MiB of memory for prefixes that leave the context: 0 for none, -1 for no limit but the machine's. Default 8192, or a
   * quarter of the machine's memory where that is less. It is taken as it is needed.
   */
  cacheRam?: number | undefined;
  /** Folder to keep prefixes in that outlive the engine; several processes may share it. Default: none. */
  cacheDir?: string | undefined;
  /** MiB that the folder may take, of all models together. Default 20480. */
  cacheDisk?: number | undefined;
  /** Milliseconds that a gap in a running stream may last while prompts are computed. Default 100. */
  gapMs?: number | undefined;
  /** Tokens that a request may be ahead of whoever reads it. Default 256. */
  window?: number | undefined;
  /** Requests that wait or run at once; more are refused. Default 1024. */
  maxRequests?: number | undefined;
  /**
   * Which candidates samplers are given: those that might be picked, or all of the vocabulary. What is picked is the same.
   * Default "survivors".
   */
  narrowing?: Narrowing | undefined;
  /** LoRA adapters to load. */
  adapters?: readonly AdapterFile[] | undefined;
  /** Check the engine's books after every step; slow, for debugging. */
  checkIntegrity?: boolean | undefined;
}

/** Options checked and complete, as they go to the decoding side. */
export interface EngineSettings {
  readonly maxRequests: number;
  readonly thread: Omit<ThreadOptions, "library">;
}

function count(
  value: number | undefined,
  name: string,
  range: { from: number; to: number; or: number },
): number {
  const checked = checkInteger(value ?? range.or, "i32", name);
  if (checked < range.from || checked > range.to)
    throw new RangeError(`${name} must be between ${range.from} and ${range.to}, got ${checked}`);
  return checked;
}

const mebibyte = 2 ** 20;
const usualCacheRam = 8192;
const usualCacheDisk = 20_480;

/** Bytes that `cacheRam` stands for. @throws TypeError, RangeError */
function hostBytes(cacheRam: number | undefined): number {
  const most = Math.floor(totalmem() / mebibyte);
  const usual = Math.min(usualCacheRam, Math.floor(most / 4));
  const mebibytes = count(cacheRam, "cacheRam", { from: -1, to: 2 ** 30, or: usual });
  return (mebibytes < 0 ? most : Math.min(mebibytes, most)) * mebibyte;
}

function diskBytes(cacheDisk: number | undefined): number {
  return mebibyte * count(cacheDisk, "cacheDisk", { from: 1, to: 2 ** 30, or: usualCacheDisk });
}

/** @throws TypeError, RangeError naming the option. */
export function engineSettings(path: string, options: EngineOptions): EngineSettings {
  checkModelOptions(options);
  const {
    onProgress,
    signal,
    parallel,
    cells,
    cacheRam,
    cacheDir,
    cacheDisk,
    kvLayout = "auto",
    gapMs = 100,
    window,
    maxRequests,
    adapters = [],
    narrowing = "survivors",
    checkIntegrity = false,
    contextLength,
    ...rest
  } = options;
  if (cacheDir !== undefined && (typeof cacheDir !== "string" || cacheDir === "" || cacheDir.includes("\0")))
    throw new TypeError(`cacheDir must be the name of a folder, got ${JSON.stringify(cacheDir)}`);
  if (kvLayout !== "auto" && kvLayout !== "shared" && kvLayout !== "streams")
    throw new RangeError(`kvLayout must be auto, shared or streams, got ${String(kvLayout)}`);
  if (narrowing !== "survivors" && narrowing !== "none")
    throw new RangeError(`narrowing must be survivors or none, got ${String(narrowing)}`);
  if (!Number.isFinite(gapMs) || gapMs <= 0)
    throw new RangeError(`gapMs must be a positive number of milliseconds, got ${gapMs}`);
  for (const [index, adapter] of adapters.entries())
    if (typeof adapter?.path !== "string") throw new TypeError(`adapters[${index}].path must be a file name`);
  return {
    maxRequests: count(maxRequests, "maxRequests", { from: 1, to: 65_536, or: 1024 }),
    thread: {
      path,
      model: rest,
      adapters,
      hostBytes: hostBytes(cacheRam),
      disk: cacheDir === undefined ? undefined : { folder: resolve(cacheDir), bytes: diskBytes(cacheDisk) },
      engine: {
        layout: kvLayout,
        parallel: count(parallel, "parallel", { from: 1, to: 256, or: 4 }),
        contextLength:
          contextLength === undefined
            ? undefined
            : count(contextLength, "contextLength", { from: 0, to: 2 ** 24, or: 0 }),
        cells: count(cells, "cells", { from: 0, to: 2 ** 24, or: 0 }),
        gapMs,
        window: count(window, "window", { from: 1, to: 2 ** 20, or: 256 }),
        narrowing,
        checkIntegrity,
        context: rest,
      },
    },
  };
}
