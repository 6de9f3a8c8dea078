import { resolve } from "node:path";
import type { Engine } from "../engine/engine.ts";
import type { EngineOptions } from "../engine/engine-options.ts";

const mebibyte = 2 ** 20;

function checkCapacity(bytes: number | undefined, least: number): void {
  if (bytes === undefined) return;
  if (!Number.isSafeInteger(bytes) || bytes < least)
    throw new RangeError(`capacityBytes must be a whole number of ${least} or more, got ${bytes}`);
}

/** Keeps what was computed in memory beside the context, as llama-cpp-python's cache of that name. */
export class LlamaRAMCache {
  /** Bytes that prefixes may take, of which whole MiB count; undefined for what the engine thinks best. */
  readonly capacityBytes: number | undefined;

  /** @throws RangeError */
  constructor({ capacityBytes }: { capacityBytes?: number | undefined } = {}) {
    checkCapacity(capacityBytes, 0);
    this.capacityBytes = capacityBytes;
  }
}

/** Keeps what was computed in a folder, for the next start too; several processes may share it. Memory is used as well. */
export class LlamaDiskCache {
  readonly cacheDir: string;
  /** Bytes that the folder may take, of which whole MiB count; undefined for what the engine thinks best. */
  readonly capacityBytes: number | undefined;

  /** @throws TypeError, RangeError */
  constructor({ cacheDir, capacityBytes }: { cacheDir: string; capacityBytes?: number | undefined }) {
    if (typeof cacheDir !== "string" || cacheDir === "")
      throw new TypeError(`cacheDir must be the name of a folder, got ${JSON.stringify(cacheDir)}`);
    checkCapacity(capacityBytes, mebibyte);
    this.cacheDir = resolve(cacheDir);
    this.capacityBytes = capacityBytes;
  }
}

export type LlamaCache = LlamaRAMCache | LlamaDiskCache;

/** Engine options with a cache in them. @throws TypeError for what is no cache, or where an option says the same. */
export function withCache(cache: LlamaCache | undefined, options: EngineOptions): EngineOptions {
  if (cache === undefined) return options;
  checkCache(cache);
  const refuse = (...names: (keyof EngineOptions)[]) => {
    const given = names.find((name) => options[name] !== undefined);
    if (given) throw new TypeError(`give either cache or ${given}: both say how large the same cache is`);
  };
  const mebibytes = cache.capacityBytes && Math.floor(cache.capacityBytes / mebibyte);
  if (cache instanceof LlamaRAMCache) {
    refuse("cacheRam");
    return { ...options, cacheRam: mebibytes };
  }
  refuse("cacheDir", "cacheDisk");
  return { ...options, cacheDir: cache.cacheDir, cacheDisk: mebibytes };
}

/** Changes the cache of an engine that runs. @throws TypeError where that takes another engine */
export async function changeCache(engine: Engine, cache: LlamaCache | undefined): Promise<void> {
  if (cache === undefined) return engine.setCacheRam(0);
  checkCache(cache);
  const { disk, hostBytes } = engine.cacheTiers;
  if (cache instanceof LlamaDiskCache) {
    const mebibytes = cache.capacityBytes && Math.floor(cache.capacityBytes / mebibyte);
    if (disk?.folder !== cache.cacheDir || (mebibytes ?? disk.bytes / mebibyte) !== disk.bytes / mebibyte)
      throw new TypeError(
        `the folder ${cache.cacheDir} cannot be taken into use, or made another size, once the model is loaded; pass \`cache\` to Llama.load`,
      );
    return;
  }
  return engine.setCacheRam(cache.capacityBytes ?? hostBytes);
}

function checkCache(cache: LlamaCache): void {
  if (!(cache instanceof LlamaRAMCache || cache instanceof LlamaDiskCache))
    throw new TypeError("cache must be a LlamaRAMCache, a LlamaDiskCache or undefined");
}
