import type { TokenMemory } from "../../lib/token-memory.ts";
import { Batch } from "../batch.ts";
import type { DecodeOutcome } from "../context.ts";
import type { Model } from "../model.ts";
import type { ActiveRequest } from "./active-request.ts";
import type { CoreOptions } from "./core-options.ts";
import { AdapterSets, createLayout } from "./engine-context.ts";
import { fillBatch } from "./fill-batch.ts";
import { PrefixCache } from "./prefix-cache.ts";
import type { Plan } from "./scheduler.ts";

/** The context of an engine with all that it has computed; where it fails, another one takes its place. */
export class Decoder {
  readonly adapters: AdapterSets;
  readonly #model: Model;
  readonly #options: CoreOptions;
  readonly #memory: TokenMemory;
  readonly #batch: Batch;
  #cache: PrefixCache;
  /** Tokens evicted from contexts before this one. */
  evictedBefore = 0;

  constructor(model: Model, options: CoreOptions, memory: TokenMemory) {
    this.#model = model;
    this.#options = options;
    this.#memory = memory;
    this.adapters = new AdapterSets(options.adapters ?? []);
    this.#cache = this.#newCache();
    this.#batch = new Batch(model.native, { capacity: this.#cache.layout.context.batchSize });
  }

  get cache(): PrefixCache {
    return this.#cache;
  }

  /** Computes what was planned for these requests. @throws DecodeError */
  decode(requests: readonly ActiveRequest[], { group, segments }: Plan): DecodeOutcome {
    const { context } = this.#cache.layout;
    this.adapters.apply(context, group);
    return context.decode(fillBatch(this.#batch, requests, segments));
  }

  /** Zeroes all cells, those in no use too; no request may be running. */
  wipe(): void {
    this.#cache.clear();
    this.#cache.layout.context.memory.clear({ data: true });
  }

  /** Goes on with a new context; no request may be running. @throws ContextInitError */
  renew(): void {
    this.#cache.clear();
    this.evictedBefore += this.#cache.evictedTokens;
    this.#cache.layout.context.dispose();
    this.#cache = this.#newCache();
  }

  #newCache(): PrefixCache {
    const compare = (a: Int32Array, b: Int32Array) => this.#memory.commonPrefix(a, b);
    return new PrefixCache(createLayout(this.#model, this.#options), compare);
  }
}
