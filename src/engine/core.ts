import { DecodeError } from "../../lib/errors.ts";
import type { TokenMemory } from "../../lib/token-memory.ts";
import type { LoraAdapter } from "../adapter.ts";
import { Batch } from "../batch.ts";
import type { Context } from "../context.ts";
import type { Model } from "../model.ts";
import { ActiveRequest } from "./active-request.ts";
import { checkGenerates, checkLength, contextFull, overdue } from "./context-limits.ts";
import { type CoreSnapshot, EngineBooks } from "./counters.ts";
import { AdapterSets, createLayout, type LayoutOptions } from "./engine-context.ts";
import { cutSegments, fillBatch } from "./fill-batch.ts";
import type { KvLayout } from "./kv-layout.ts";
import { checkedLogits, makeSampler, pickToken, promptLogprobs } from "./pick-token.ts";
import { PrefixCache } from "./prefix-cache.ts";
import { recoverAborted } from "./recover-aborted.ts";
import type { EndReason, EngineSink, RequestSpec, SampledToken } from "./request.ts";
import { nextToPreempt, plan, type Segment } from "./scheduler.ts";
import { TokenExtent } from "./token-extent.ts";
import { WaitingQueue } from "./waiting-queue.ts";

export interface CoreOptions extends LayoutOptions {
  /** Milliseconds that a gap in a stream may last while prompts are computed. */
  readonly gapMs: number;
  /** Tokens that a request may be ahead of its consumer. */
  readonly window: number;
  /** Check tree, sequences and cells after every step; slow. */
  readonly checkIntegrity: boolean;
  readonly adapters?: readonly LoraAdapter[];
}

/** What {@link EngineCore.step} found to do: `waiting` means that all requests wait for their consumers. */
export type StepResult = "worked" | "waiting" | "idle";

/**
 * The decoding side of an engine: owns the context, and computes one batch per step for all requests at once. It runs on
 * one thread and calls nobody but its sink.
 */
export class EngineCore {
  readonly model: Model;
  readonly #options: CoreOptions;
  readonly #memory: TokenMemory;
  readonly #sink: EngineSink;
  readonly adapters: AdapterSets;
  readonly #books: EngineBooks;
  readonly #waiting = new WaitingQueue();
  readonly #running = new Set<ActiveRequest>();
  /** Requests that may be why logits were NaN; see {@link #isolate}. */
  readonly #suspects = new Set<ActiveRequest>();
  #cache: PrefixCache;
  #batch: Batch;
  #arrivals = 0;
  #served = 0;
  #evicted = 0;

  constructor(model: Model, options: CoreOptions, memory: TokenMemory, sink: EngineSink) {
    this.model = model;
    this.#options = options;
    this.#memory = memory;
    this.#sink = sink;
    this.adapters = new AdapterSets(options.adapters ?? []);
    this.#books = new EngineBooks(options.gapMs);
    this.#cache = this.#newCache(createLayout(model, options));
    this.#batch = new Batch(model.native, { capacity: this.context.batchSize });
  }

  get context(): Context {
    return this.layout.context;
  }
  get layout(): KvLayout {
    return this.#cache.layout;
  }
  /** What has been computed, for running and later requests. */
  get prefixes(): PrefixCache {
    return this.#cache;
  }
  get requestCount(): number {
    return this.#waiting.size + this.#running.size;
  }

  /** What requests must agree in to share anything. */
  keyOf({ adapters, salt = "" }: Pick<RequestSpec, "adapters" | "salt">): string {
    return `${this.adapters.number(adapters)}\0${salt}`;
  }

  /** Takes a request; whatever becomes of it is told to the sink. */
  submit(spec: RequestSpec): void {
    const now = performance.now();
    this.#books.counters.requests++;
    const extent = this.#extent(spec.byteOffset, spec.capacity);
    try {
      const group = this.adapters.number(spec.adapters);
      const key = this.keyOf(spec);
      const request = new ActiveRequest(spec, { arrival: this.#arrivals++, key, group, extent, now });
      checkGenerates(this.context);
      checkLength(spec, this.layout.sequenceLength);
      this.#waiting.add(request);
    } catch (error) {
      extent.end(undefined);
      this.#books.counters.failed++;
      this.#sink.error(spec.id, error);
    }
  }

  /** Goes on with a request whose caller samples; it wrote `count` tokens behind those there were. */
  resume(id: number, count: number): void {
    const request = this.#byId(id);
    if (!request?.awaitsToken) return;
    if (request.totalLength + count > Math.min(request.extent.capacity, this.layout.sequenceLength)) {
      this.#fail(request, contextFull(this.layout.sequenceLength));
      return;
    }
    request.awaitsToken = false;
    request.totalLength += count;
    request.generatedLength += count;
  }

  /**
   * Goes on with a request that wanted room: its caller wrote `length` tokens, of those there were and the one sampled
   * last, to another place. They are computed as if they were a new prompt, which is what they are to the cache.
   */
  move(id: number, place: { byteOffset: number; capacity: number; length: number }): void {
    const request = this.#byId(id);
    if (!request?.awaitsRoom) return;
    this.#leaveSequence(request, "park");
    this.#endExtent(request);
    request.moveTo(this.#extent(place.byteOffset, place.capacity), place.length);
    this.#running.delete(request);
    this.#waiting.add(request);
  }

  /** Computes one batch. */
  step(): StepResult {
    this.#endAbandoned();
    this.#admit();
    const { segments, group } = this.#plan();
    if (segments.length === 0) return this.#running.size + this.#waiting.size > 0 ? "waiting" : "idle";
    this.adapters.apply(this.context, group);
    const requests = segments.map(({ id }) => this.#byId(id)!);
    const started = performance.now();
    this.#sink.computing(requests.length === 1 ? requests[0]!.id : undefined);
    const outcome = this.#decode(requests, segments);
    this.#sink.computing(undefined);
    if (outcome === "done") {
      for (const request of requests) request.servedAt = ++this.#served;
      this.#books.stepped(requests, segments, performance.now() - started);
      this.#sampleAll(requests, segments);
    }
    if (this.#options.checkIntegrity) this.#cache.check();
    return "worked";
  }

  get snapshot(): CoreSnapshot {
    const [waiting, running] = [this.#waiting.size, this.#running.size];
    return this.#books.snapshot(this.#cache, { waiting, running, evictedBefore: this.#evicted });
  }

  /** Forgets what is kept for later requests. */
  clearCache(): void {
    this.#cache.clear();
  }

  /** Ends all requests with an error, and frees the context. */
  dispose(reason: unknown): void {
    for (const request of [...this.#waiting, ...this.#running]) this.#fail(request, reason);
    this.context.dispose();
  }

  // Requests coming and going

  /** A request that runs, or that does not at the moment. */
  #byId(id: number): ActiveRequest | undefined {
    for (const request of this.#running) if (request.id === id) return request;
    for (const request of this.#waiting) if (request.id === id) return request;
    return undefined;
  }

  #endAbandoned(): void {
    const now = performance.now();
    for (const request of [...this.#waiting, ...this.#running]) {
      const late = overdue(request, now);
      if (this.#sink.isAborted(request.id)) this.#end(request, "abort");
      else if (late === "length") this.#end(request, "length");
      else if (late) this.#fail(request, late);
    }
  }

  #admit(): void {
    for (const suspect of this.#suspects) {
      if (this.#running.size > 0) return;
      this.#start(suspect);
    }
    if (this.#suspects.size > 0) return;
    while (this.#running.size < this.#options.parallel) {
      const request = this.#waiting.next(this.#cache);
      if (!request || !this.#start(request)) return;
    }
  }

  #start(request: ActiveRequest): boolean {
    const reuse = request.reusesPrefix ? "prefix" : "nothing";
    const sequence = this.#cache.lease(request.key, request.tokens, { reuse });
    if (!sequence) return false;
    request.sequence = sequence;
    // With cells for its prompt there is a chance that it gets somewhere; else whoever runs goes on first.
    if (!this.#cache.makeRoom(request.remaining) && this.#running.size > 0) {
      this.#cache.park(sequence, request.tokens);
      request.sequence = undefined;
      return false;
    }
    this.#waiting.admitted(request);
    try {
      makeSampler(request, this.model, this.layout.sequenceLength);
    } catch (error) {
      this.#fail(request, error);
      return true;
    }
    request.admitted(performance.now());
    this.#running.add(request);
    this.#sink.progress(request.id, request.computedLength, request.cachedLength);
    return true;
  }

  #end(request: ActiveRequest, reason: EndReason): void {
    const stats = request.stats(performance.now());
    this.#leave(request, "park");
    this.#books.ended(reason, stats);
    this.#sink.end(request.id, reason, stats);
  }

  #fail(request: ActiveRequest, error: unknown): void {
    this.#leave(request, "forget");
    this.#books.counters.failed++;
    this.#sink.error(request.id, error);
  }

  #leave(request: ActiveRequest, what: "park" | "forget"): void {
    this.#waiting.delete(request);
    this.#running.delete(request);
    this.#suspects.delete(request);
    request.sampler?.dispose();
    this.#leaveSequence(request, what);
    this.#endExtent(request);
  }

  #extent(byteOffset: number, capacity: number): TokenExtent {
    const release = (offset: number, byteLength: number) => this.#sink.release(offset, byteLength);
    return new TokenExtent(this.#memory, byteOffset, capacity, release);
  }

  #endExtent({ key, extent, totalLength }: ActiveRequest): void {
    const from = this.#cache.referredFrom(key, extent);
    extent.end(from === undefined ? undefined : { from, to: totalLength });
  }

  #leaveSequence(request: ActiveRequest, what: "park" | "forget"): void {
    const { sequence } = request;
    if (!sequence) return;
    request.sequence = undefined;
    if (what === "park") this.#cache.park(sequence, request.tokens);
    else this.#cache.release(sequence);
  }

  /** Takes a running request's cells; it starts again when there is room, and generates what it would have. */
  #preempt(request: ActiveRequest): void {
    this.#books.counters.preempted++;
    request.preempted();
    this.#putBack(request, "forget");
  }

  #putBack(request: ActiveRequest, what: "park" | "forget"): void {
    this.#leaveSequence(request, what);
    this.#running.delete(request);
    this.#waiting.add(request);
  }

  /**
   * Logits were NaN. That need not be the fault of whose they are: attention multiplies the cells of others by zero, and
   * empty ones too, and zero times NaN is NaN. So all cells are zeroed, and whoever had any is computed alone, up to its
   * next token, before anything else goes on.
   */
  #isolate(): void {
    for (const request of this.#running) this.#suspects.add(request);
    for (const request of this.#suspects) if (this.#running.has(request)) this.#preempt(request);
    this.#cache.clear();
    this.context.memory.clear({ data: true });
  }

  /** A suspect was computed alone. @throws DecodeError where its logits are NaN all the same. */
  #acquit(request: ActiveRequest, index: number): void {
    checkedLogits(this.context, index);
    this.#suspects.delete(request);
    if (this.#wantsToken(request)) this.#sample(request, index);
    if (this.#running.has(request)) this.#putBack(request, "park");
  }

  // One step

  /** What to compute next, with room for it: parked prefixes go first, then requests. */
  #plan(): { group: number; segments: readonly Segment[] } {
    for (;;) {
      const ready = [...this.#running].filter((request) => this.#canRun(request));
      const planned = plan(ready, this.#books.rates.budget(this.#batch.capacity));
      const wanted = planned.segments.reduce((sum, { count }) => sum + count, 0);
      if (wanted === 0 || this.#cache.makeRoom(wanted)) return planned;
      // Whoever decodes has come furthest; a prompt may wait.
      const decoding = planned.segments.filter(({ id }) => this.#byId(id)!.decoding).length;
      const fitting = cutSegments(planned.segments, this.layout.freeCells);
      if (fitting.length >= Math.max(1, decoding)) return { ...planned, segments: fitting };
      const victim = this.#running.size > 1 ? nextToPreempt([...this.#running]) : undefined;
      if (victim) this.#preempt(victim);
      else for (const request of this.#running) this.#fail(request, contextFull(this.layout.sequenceLength));
    }
  }

  #canRun(request: ActiveRequest): boolean {
    return request.remaining > 0 && (this.#suspects.has(request) || this.#wantsToken(request));
  }

  #wantsToken(request: ActiveRequest): boolean {
    const ahead = request.generatedLength - this.#sink.acknowledged(request.id);
    return !request.awaitsToken && !request.awaitsRoom && ahead < this.#options.window;
  }

  #decode(requests: readonly ActiveRequest[], segments: readonly Segment[]): "done" | "again" {
    const batch = fillBatch(this.#batch, requests, segments);
    try {
      const outcome = this.context.decode(batch);
      if (outcome === "done") return "done";
      if (outcome === "aborted") recoverAborted(requests, this.#cache);
      else this.#noRoom(requests);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#decodeFailed(requests, error);
    }
    return "again";
  }

  /** The memory has no room though cells were counted free: windows and recurrent state have limits of their own. */
  #noRoom(requests: readonly ActiveRequest[]): void {
    if (this.#cache.evict()) return;
    const victim = this.#running.size > 1 ? nextToPreempt([...this.#running]) : undefined;
    if (victim) this.#preempt(victim);
    else for (const request of requests) this.#fail(request, contextFull(this.layout.sequenceLength));
  }

  #decodeFailed(requests: readonly ActiveRequest[], error: DecodeError): void {
    if (error.status === -1) {
      // The batch was refused before anything was computed, so whoever is not in it is unharmed.
      for (const request of requests) this.#fail(request, error);
      return;
    }
    for (const request of [...this.#running]) this.#fail(request, error);
    this.#evicted += this.#cache.evictedTokens;
    this.#cache.clear();
    this.context.dispose();
    this.#cache = this.#newCache(createLayout(this.model, this.#options));
  }

  #newCache(layout: KvLayout): PrefixCache {
    return new PrefixCache(layout, (a, b) => this.#memory.commonPrefix(a, b));
  }

  #sampleAll(requests: readonly ActiveRequest[], segments: readonly Segment[]): void {
    const started = performance.now();
    let index = 0;
    let broken = false;
    for (const [at, request] of requests.entries()) {
      const { count } = segments[at]!;
      const sequence = request.sequence!;
      const start = sequence.computedLength;
      const wasPrompt = request.generatedLength === 0;
      this.#cache.computed(sequence, request.tokens, start + count);
      index += count;
      try {
        if (request.spec.promptLogprobs && wasPrompt) {
          const report = (position: number, token: SampledToken) =>
            this.#sink.promptToken(request.id, position, token);
          promptLogprobs(request, this.context, { index: index - count, start, count, report });
        }
        if (wasPrompt) this.#sink.progress(request.id, request.computedLength, request.cachedLength);
        if (request.remaining > 0) continue;
        if (this.#suspects.has(request)) this.#acquit(request, index - 1);
        else this.#sample(request, index - 1);
      } catch (error) {
        const isBroken = error instanceof DecodeError;
        broken ||= isBroken;
        if (!isBroken || this.#suspects.has(request)) this.#fail(request, error);
      }
    }
    if (broken) this.#isolate();
    this.#books.counters.sampleMs += performance.now() - started;
  }

  /** Chooses the next token from the logits of batch token `index`, or gives them to the caller. */
  #sample(request: ActiveRequest, index: number): void {
    const { spec } = request;
    request.promptDone(performance.now());
    if (request.generatedLength >= (spec.maxTokens ?? Number.POSITIVE_INFINITY)) {
      // Nobody looks at the logits of a prompt that is only to be kept; what is kept must be sound.
      checkedLogits(this.context, index);
      this.#end(request, "length");
      return;
    }
    if (spec.logitsOffset !== undefined) {
      const logits = checkedLogits(this.context, index);
      new Float32Array(this.#memory.memory.buffer, spec.logitsOffset, logits.length).set(logits);
      request.awaitsToken = true;
      this.#sink.logits(request.id);
      return;
    }
    const sampled = pickToken(request, this.context, index);
    request.write(sampled.token);
    request.generated(performance.now());
    this.#books.counters.generatedTokens++;
    this.#sink.token(request.id, sampled);
    if (!spec.ignoreEos && this.model.vocab.isEndOfGeneration(sampled.token)) this.#end(request, "stop");
    else this.#goOn(request);
  }

  /** Goes on with the token sampled last, or ends the text there. */
  #goOn(request: ActiveRequest): void {
    const { spec } = request;
    if (request.generatedLength >= (spec.maxTokens ?? Number.POSITIVE_INFINITY)) this.#end(request, "length");
    else if (request.totalLength < this.layout.sequenceLength) request.grow();
    else if (spec.contextShift) {
      request.awaitsRoom = true;
      this.#sink.wantsRoom(request.id);
    } else this.#end(request, "length");
  }
}
