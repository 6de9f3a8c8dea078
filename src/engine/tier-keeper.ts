import { blockLength, unitLength } from "../cache/block.ts";
import type { Model } from "../model.ts";
import type { ActiveRequest } from "./active-request.ts";
import { CheckpointTaker } from "./checkpoint-taker.ts";
import { CheckpointTiers } from "./checkpoint-tiers.ts";
import type { CoreOptions } from "./core-options.ts";
import type { KvLayout } from "./kv-layout.ts";
import { sharedCellCost } from "./layout-policy.ts";
import type { PrefixCache, Rescue } from "./prefix-cache.ts";
import { PrefixTiers } from "./prefix-tiers.ts";
import type { Segment } from "./scheduler.ts";
import type { StorePort } from "./store-port.ts";
import type { TierSnapshot } from "./tier-counters.ts";
import type { Tiers } from "./tiers.ts";

/** Part of a step's time that cells of parked prefixes may cost those who run. */
const slowdown = 0.02;
/** Milliseconds in which parked prefixes are moved out when a request begins. */
const mostMovingMs = 50;
/** Steps between two looks at what is parked. */
const interval = 8;

/** Reading must take no more of the time that computing takes. */
const worthReading = 0.5;
/** Milliseconds to wait for a disk: at the least, and where nobody knows how long computing takes. */
const leastPatience = 50;
const mostPatience = 5000;

export interface KeeperParts {
  readonly tiers: Tiers;
  /** Takes checkpoints, where the memory cannot be taken apart. */
  readonly taker: CheckpointTaker | undefined;
  /** The cache of the context there is now. */
  readonly cache: () => PrefixCache;
  /** What it adds to a step to look at one more cell of a pool, as a part of it. */
  readonly cellCost: number;
  readonly store?: StorePort | undefined;
}

/** Decides when prefixes move between the context and the tiers below it. */
export class TierKeeper {
  readonly tiers: Tiers;
  readonly #taker: CheckpointTaker | undefined;
  readonly #cache: KeeperParts["cache"];
  readonly #cellCost: number;
  readonly #store: StorePort | undefined;
  #steps = 0;

  /** Undefined where there is no tier below the context, or its memory is of a kind that has no blocks. */
  static for(
    model: Model,
    { host, context, store }: CoreOptions,
    { cache, describe }: { cache: () => PrefixCache; describe: (group: number) => string },
  ): TierKeeper | undefined {
    if (!host || model.hasEncoder) return undefined;
    const describeKey = (key: string) => {
      const at = key.indexOf("\0");
      return [describe(Number(key.slice(0, at))), key.slice(at + 1)];
    };
    const parts = { cache, cellCost: sharedCellCost(model), store };
    const flash = String(context.flashAttention ?? "auto");
    if (isPlain(model)) {
      const transposed = flash === "false" || flash === "off";
      const tiers = new PrefixTiers({ host, transposed, describe: describeKey });
      return new TierKeeper({ ...parts, tiers, taker: undefined });
    }
    // A state as a whole fits the layout that it was read from.
    const describeState = (key: string) => [...describeKey(key), cache().layout.kind, flash];
    const tiers = new CheckpointTiers({ host, describe: describeState });
    const taker = new CheckpointTaker(tiers, (token) => model.vocab.isEndOfGeneration(token));
    return new TierKeeper({ ...parts, tiers, taker });
  }

  constructor({ tiers, taker, cache, cellCost, store }: KeeperParts) {
    this.#taker = taker;
    this.#store = store;
    this.tiers = tiers;
    this.#cache = cache;
    this.#cellCost = cellCost;
  }

  /** Looks on disk for what a request that has arrived begins with, where host memory and context have little of it. */
  lookUp(request: ActiveRequest, prefillMs: number): void {
    if (!this.#store || !request.reusesPrefix) return;
    const { key, tokens } = request;
    const cached = this.#cache().cachedLength(key, tokens.view);
    const have = Math.max(cached, this.tiers.heldLength(key, tokens.view));
    const missing = tokens.view.length - 1 - have;
    if (missing < unitLength) return;
    const worth = (gain: number, bytes: number, msPerByte: number) =>
      gain >= unitLength && (prefillMs === 0 || msPerByte * bytes < worthReading * prefillMs * gain);
    const lookUp = this.#store.look(this.tiers.sought(key, tokens.view), { have, worth });
    // However slow the disk is, nobody waits for longer than computing takes.
    const patience =
      prefillMs > 0 ? Math.max(leastPatience, worthReading * prefillMs * missing) : mostPatience;
    request.lookUp = { found: lookUp, until: performance.now() + patience };
  }

  /** Lets those go on that have what there is on disk, or have waited for long enough. */
  heed(waiting: Iterable<ActiveRequest>): void {
    for (const request of waiting) {
      const { lookUp } = request;
      if (lookUp && (lookUp.found.done || performance.now() > lookUp.until)) request.lookUp = undefined;
    }
  }

  /** Keeps all there is, for the end. */
  flush(): void {
    if (!this.#eager) return;
    const cache = this.#cache();
    for (const sequence of cache.sequences) this.rescuer(cache.layout, sequence, cache.tokensOf(sequence));
  }

  /** Looks for more of a request's tokens than its sequence has. */
  begin(request: ActiveRequest, prefillMs: number): void {
    if (!request.reusesPrefix || !request.sequence) return;
    const { key, tokens, computedLength: have } = request;
    request.restoration = this.tiers.find(key, tokens.view, { have, prefillMs });
    this.#taker?.begin(request);
    // Now, as its own cells would lie behind those of others, and every step would look at all of them.
    this.#moveOut(this.#cache(), performance.now() + mostMovingMs);
  }

  /** Ends segments where the state of a sequence is to be kept. */
  cut(segments: readonly Segment[], requests: readonly ActiveRequest[]): readonly Segment[] {
    const taker = this.#taker;
    if (!taker) return segments;
    return segments.map(({ id, count }, index) => ({ id, count: taker.limit(requests[index]!, count) }));
  }

  /** A step has computed more of a request. */
  passed(layout: KvLayout, request: ActiveRequest): void {
    this.#taker?.passed(layout, request);
  }

  /** All that is computed of a request has proven sound. */
  proved(request: ActiveRequest): void {
    this.#taker?.proved(request);
  }

  /** A request is about to give up its sequence. */
  left(request: ActiveRequest): void {
    this.#taker?.left(request);
  }

  /** Goes on restoring for a request. @returns whether it is done. */
  restore(request: ActiveRequest, deadline: number): boolean {
    const { restoration, sequence } = request;
    if (!restoration || !sequence) return true;
    const cache = this.#cache();
    const more = this.tiers.restore(cache.layout, sequence, {
      restoration,
      deadline,
      tokens: request.tokens.view,
      computed: (length) => cache.computed(sequence, request.tokens, length),
      lost: () => cache.truncate(sequence, 0),
    });
    if (more) return false;
    request.restoration = undefined;
    return true;
  }

  /** For a cache that evicts. */
  readonly rescuer: Rescue = (layout, sequence, tokens) => {
    this.tiers.save(layout, sequence, { tokens, what: "all" });
  };

  /** Keeps what a request is about to lose. */
  rescue(cache: PrefixCache, { sequence }: ActiveRequest): void {
    if (sequence) this.rescuer(cache.layout, sequence, cache.tokensOf(sequence));
  }

  /**
   * After a step, or where there was nothing to compute: moves out what is parked and slows others down, and saves what has
   * become complete.
   * @returns whether there is more to do.
   */
  tend(running: ReadonlySet<ActiveRequest>): boolean {
    const cache = this.#cache();
    if (running.size > 0 && ++this.#steps % interval === 0) this.#moveOut(cache, 0);
    return this.#saveOne(cache, running.size > 0);
  }

  get snapshot(): TierSnapshot {
    const { counters, host } = this.tiers;
    return { ...counters, host: { ...host.counters }, disk: this.#store?.disk };
  }

  /** Checks the context's books and those of host memory. @throws Error naming what differs. */
  check(): void {
    this.#cache().check();
    this.tiers.host.check();
  }

  /** Whether blocks are to be saved as soon as they are complete, as something below keeps them for good. */
  get #eager(): boolean {
    return this.tiers.host.onStored !== undefined;
  }

  /** One prefix, and more until the deadline. */
  #moveOut(cache: PrefixCache, deadline: number): void {
    if (cache.layout.kind !== "shared" || !this.tiers.fit || !this.tiers.whole) return;
    while (cache.parkedCount > 0 && cache.parkedTokens * this.#cellCost > slowdown) {
      cache.evict();
      if (performance.now() > deadline) break;
    }
  }

  /**
   * One block, so that nobody waits for long; with streams what one sequence has, as all of it is read anyway. What is parked
   * is saved before it has to go; what runs, where something below keeps it for good.
   */
  #saveOne(cache: PrefixCache, busy: boolean): boolean {
    const { layout } = cache;
    if (!this.tiers.fit || !this.tiers.whole) return false;
    const eager = this.#eager;
    if (busy && layout.kind === "streams" && !eager) return false;
    for (const sequence of cache.sequences) {
      if (sequence.running && (!eager || (busy && layout.kind === "streams"))) continue;
      if (Math.min(sequence.soundLength, sequence.computedLength) - sequence.keptLength < blockLength)
        continue;
      const most = layout.kind === "streams" ? Number.POSITIVE_INFINITY : 1;
      const tokens = cache.tokensOf(sequence);
      this.tiers.save(layout, sequence, { tokens, what: "blocks", most });
      return true;
    }
    return false;
  }
}

/** Whether a model's memory is a KV cache that can be taken apart by tokens. */
function isPlain(model: Model): boolean {
  return !model.isRecurrent && !model.isHybrid && model.slidingWindow === 0 && !model.hasEncoder;
}
