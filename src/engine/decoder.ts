import { CriaError } from "../../lib/errors.ts";
import type { TokenMemory } from "../../lib/token-memory.ts";
import { Batch } from "../batch.ts";
import type { DecodeOutcome } from "../context.ts";
import type { Model } from "../model.ts";
import type { ActiveRequest } from "./active-request.ts";
import type { CoreOptions } from "./core-options.ts";
import { AdapterSets, createLayout } from "./engine-context.ts";
import { fillBatch } from "./fill-batch.ts";
import type { KvLayoutKind } from "./kv-layout.ts";
import { LayoutPolicy } from "./layout-policy.ts";
import { PrefixCache, type Rescue } from "./prefix-cache.ts";
import type { Roster } from "./roster.ts";
import type { Plan } from "./scheduler.ts";

/** The context of an engine with all that it has computed; where it fails, another one takes its place. */
export class Decoder {
  readonly adapters: AdapterSets;
  readonly #model: Model;
  readonly #options: CoreOptions;
  readonly #memory: TokenMemory;
  #batch: Batch;
  readonly #policy: LayoutPolicy | undefined;
  #cache: PrefixCache;
  /** Times that the cells were laid out otherwise. */
  moves = 0;
  /** Tokens evicted from contexts before this one. */
  evictedBefore = 0;

  readonly #rescue: Rescue | undefined;

  /** @param rescue keeps what loses its cells. */
  constructor(model: Model, options: CoreOptions, memory: TokenMemory, rescue?: Rescue) {
    this.#rescue = rescue;
    this.#model = model;
    this.#options = options;
    this.#memory = memory;
    this.adapters = new AdapterSets(options.adapters ?? []);
    this.#cache = this.#newCache(options.kind);
    this.#policy = options.mayMove ? LayoutPolicy.for(model, options, this.#compare) : undefined;
    this.#batch = this.#newBatch();
  }

  get cache(): PrefixCache {
    return this.#cache;
  }

  /** Lays the cells out as suits the requests there are, where that was not settled. */
  settle(roster: Roster): void {
    const kind = this.#policy?.next(this.#cache, roster);
    if (!kind || kind === this.#cache.layout.kind) return;
    const old = this.#cache;
    let fresh: PrefixCache | undefined;
    try {
      fresh = this.#newCache(kind);
      const moved = [...roster.running].map((request) => {
        const { sequence, key, tokens } = request;
        return [request, fresh!.takeOver(old, { sequence: sequence!, key }, tokens)] as const;
      });
      for (const [request, sequence] of moved) request.sequence = sequence;
    } catch (error) {
      if (!(error instanceof CriaError)) throw error;
      // There is no room for both at once, so all stays as it was.
      this.#policy!.refused = kind;
      fresh?.layout.context.dispose();
      return;
    }
    this.moves++;
    old.evictAll();
    this.#replace(fresh);
  }

  /** Computes what was planned for these requests. @throws DecodeError */
  decode(requests: readonly ActiveRequest[], { group, segments }: Plan): DecodeOutcome {
    const { context } = this.#cache.layout;
    this.adapters.apply(context, group);
    return context.decode(fillBatch(this.#batch, requests, segments));
  }

  /** Zeroes all cells, those in no use too; no request may be running. */
  wipe(): void {
    this.#cache.wipe();
  }

  /** Goes on with a new context; no request may be running. @throws ContextInitError */
  renew(): void {
    this.#cache.clear();
    // The old one goes first: there may not be room for both.
    this.evictedBefore += this.#cache.evictedTokens;
    const { kind, context } = this.#cache.layout;
    context.dispose();
    this.#cache = this.#newCache(kind);
  }

  #replace(fresh: PrefixCache): void {
    const old = this.#cache;
    old.abandon();
    this.evictedBefore += old.evictedTokens;
    old.layout.context.dispose();
    this.#cache = fresh;
    this.#batch = this.#newBatch();
  }

  #newBatch(): Batch {
    return new Batch(this.#model.native, { capacity: this.#cache.layout.context.batchSize });
  }

  readonly #compare = (a: Int32Array, b: Int32Array) => this.#memory.commonPrefix(a, b);

  #newCache(kind: KvLayoutKind): PrefixCache {
    const layout = createLayout(this.#model, { ...this.#options, kind });
    return new PrefixCache(layout, this.#compare, this.#rescue);
  }
}
