import { DecodeError } from "../../lib/errors.ts";
import type { TokenMemory } from "../../lib/token-memory.ts";
import type { Context } from "../context.ts";
import type { Model } from "../model.ts";
import { ActiveRequest } from "./active-request.ts";
import { checkGenerates, checkLength, contextFull, overdue } from "./context-limits.ts";
import type { CoreOptions, StepResult } from "./core-options.ts";
import { type CoreSnapshot, EngineBooks } from "./counters.ts";
import { Decoder } from "./decoder.ts";
import { encodePrompt } from "./encode-prompt.ts";
import type { AdapterSets } from "./engine-context.ts";
import { bySequence } from "./fill-batch.ts";
import type { KvLayout } from "./kv-layout.ts";
import { nextToken } from "./next-token.ts";
import { checkedLogits, makeSampler, promptLogprobs } from "./pick-token.ts";
import { planStep } from "./plan-step.ts";
import type { PrefixCache } from "./prefix-cache.ts";
import { mayAbort, recoverAborted } from "./recover-aborted.ts";
import type { EndReason, EngineSink, RequestSpec } from "./request.ts";
import { Roster } from "./roster.ts";
import type { Plan, Segment } from "./scheduler.ts";
import { TierKeeper } from "./tier-keeper.ts";
import { type ReleaseBytes, TokenExtent } from "./token-extent.ts";

export type { CoreOptions, StepResult };

/**
 * The decoding side of an engine: owns the context, and computes one batch per step for all requests at once. It runs on
 * one thread and calls nobody but its sink.
 */
export class EngineCore {
  readonly model: Model;
  readonly #options: CoreOptions;
  readonly #memory: TokenMemory;
  readonly #sink: EngineSink;
  readonly #decoder: Decoder;
  readonly #books: EngineBooks;
  readonly #keeper: TierKeeper | undefined;
  readonly #requests: Roster;
  #arrivals = 0;
  #served = 0;

  constructor(model: Model, options: CoreOptions, memory: TokenMemory, sink: EngineSink) {
    this.model = model;
    this.#options = options;
    this.#memory = memory;
    this.#sink = sink;
    this.#keeper = TierKeeper.for(model, options, {
      cache: () => this.prefixes,
      describe: (group) => this.adapters.describe(group),
    });
    this.#decoder = new Decoder(model, options, memory, this.#keeper?.rescuer);
    this.#books = new EngineBooks(options.gapMs);
    this.#requests = new Roster(options.parallel, this.#isUnread);
  }

  get context(): Context {
    return this.layout.context;
  }
  get layout(): KvLayout {
    return this.prefixes.layout;
  }
  get adapters(): AdapterSets {
    return this.#decoder.adapters;
  }
  /** What has been computed, for running and later requests. */
  get prefixes(): PrefixCache {
    return this.#decoder.cache;
  }
  get requestCount(): number {
    return this.#requests.size;
  }

  /** What requests must agree in to share anything. */
  keyOf({ adapters, salt = "" }: Pick<RequestSpec, "adapters" | "salt">): string {
    return `${this.adapters.number(adapters)}\0${salt}`;
  }

  /** Takes a request; whatever becomes of it is told to the sink. */
  submit(spec: RequestSpec): void {
    const now = performance.now();
    this.#books.counters.requests++;
    const extent = new TokenExtent(this.#memory, spec.byteOffset, spec.capacity, this.#release);
    try {
      const group = this.adapters.number(spec.adapters);
      const key = this.keyOf(spec);
      const request = new ActiveRequest(spec, { arrival: this.#arrivals++, key, group, extent, now });
      checkGenerates(this.context);
      checkLength(spec, this.layout.sequenceLength);
      this.#requests.waiting.add(request);
      this.#keeper?.lookUp(request, this.#books.rates.prefillMsPerToken);
    } catch (error) {
      extent.end(undefined);
      this.#books.counters.failed++;
      this.#sink.error(spec.id, error);
    }
  }

  /** Goes on with a request whose caller samples; it wrote `count` tokens behind those there were. */
  resume(id: number, count: number): void {
    const request = this.#requests.byId(id);
    if (!request?.awaitsToken) return;
    const most = Math.min(request.extent.capacity, this.layout.sequenceLength);
    if (request.totalLength + count > most) this.#fail(request, contextFull(most));
    else request.chosen(count);
  }

  /**
   * Goes on with a request that wanted room: its caller wrote `length` tokens, of those there were and the one sampled
   * last, to another place. They are computed as if they were a new prompt, which is what they are to the cache.
   */
  move(id: number, place: { byteOffset: number; capacity: number; length: number }): void {
    const request = this.#requests.byId(id);
    if (!request?.awaitsRoom) return;
    this.#leaveSequence(request, "park");
    this.#endExtent(request);
    const extent = new TokenExtent(this.#memory, place.byteOffset, place.capacity, this.#release);
    request.moveTo(extent, place.length);
    this.#requests.putBack(request);
  }

  /** Computes one batch. */
  step(): StepResult {
    this.#endAbandoned();
    this.#keeper?.heed(this.#requests.waiting);
    this.#decoder.settle(this.#requests);
    this.#admit();
    const restored = this.#restore();
    const planned = planStep({
      requests: this.#requests,
      prefixes: this.prefixes,
      rates: this.#books.rates,
      canRun: this.#canRun,
      giveWay: () => this.#giveWay(),
    });
    if (planned.segments.length === 0) {
      if (restored || this.#keeper?.tend(this.#requests.running)) return "worked";
      return this.requestCount > 0 ? "waiting" : "idle";
    }
    this.prefixes.pack();
    const ordered = bySequence(planned.segments, this.#requests);
    const requests = ordered.map(({ id }) => this.#requests.byId(id)!);
    const segments = this.#keeper?.cut(ordered, requests) ?? ordered;
    const started = performance.now();
    this.#sink.computing(mayAbort(requests, this.prefixes) ? requests[0]!.id : undefined);
    const outcome = this.#decode(requests, { ...planned, segments });
    this.#sink.computing(undefined);
    if (outcome === "done") {
      for (const request of requests) request.servedAt = ++this.#served;
      this.#books.stepped(requests, segments, performance.now() - started);
      this.#sampleAll(requests, segments);
    }
    this.#keeper?.tend(this.#requests.running);
    if (this.#options.checkIntegrity) this.#keeper ? this.#keeper.check() : this.prefixes.check();
    return "worked";
  }

  get snapshot(): CoreSnapshot {
    return { ...this.#books.snapshot(this.#decoder, this.#requests), tiers: this.#keeper?.snapshot };
  }

  /** Forgets what is kept for later requests. */
  clearCache(): void {
    this.prefixes.clear();
    this.#options.host?.clear();
  }

  /** Keeps on disk what was computed, where there is one; for the end. */
  flush(): void {
    this.#keeper?.flush();
  }

  /** Ends all requests with an error, and frees the context. */
  dispose(reason: unknown): void {
    for (const request of this.#requests.all) this.#fail(request, reason);
    this.context.dispose();
  }

  #endAbandoned(): void {
    const now = performance.now();
    for (const request of this.#requests.all) {
      const late = overdue(request, now);
      if (this.#sink.isAborted(request.id)) this.#end(request, "abort");
      else if (late === "length") this.#end(request, "length");
      else if (late) this.#fail(request, late);
    }
  }

  #admit(): void {
    let request: ActiveRequest | undefined;
    do request = this.#requests.next(this.prefixes);
    while (request && this.#start(request));
  }

  #start(request: ActiveRequest): boolean {
    try {
      if (this.model.hasEncoder) encodePrompt(request, this.context);
      makeSampler(request, this.model, this.layout.sequenceLength, this.#options);
    } catch (error) {
      this.#fail(request, error);
      return true;
    }
    const reuse = request.reusesPrefix ? "prefix" : "nothing";
    const sequence = this.prefixes.lease(request.key, request.tokens, { reuse });
    if (!sequence) return false;
    request.sequence = sequence;
    // With cells for its prompt there is a chance that it gets somewhere; else whoever is being read goes on first.
    if (!this.prefixes.makeRoom(request.remaining) && this.#requests.someAreRead) {
      this.prefixes.park(sequence, request.tokens);
      request.sequence = undefined;
      return false;
    }
    this.#requests.waiting.admitted(request);
    this.#requests.running.add(request);
    this.#keeper?.begin(request, this.#books.rates.prefillMsPerToken);
    if (!request.restoration) this.#admitted(request);
    return true;
  }

  #admitted(request: ActiveRequest): void {
    request.admitted(performance.now());
    this.#sink.progress(request.id, request.computedLength, request.cachedLength);
  }

  /** Goes on restoring, for as long as streams may wait. @returns whether there was anything to restore. */
  #restore(): boolean {
    const restoring = [...this.#requests.running].filter(({ restoration }) => restoration);
    const deadline = performance.now() + this.#options.gapMs / 2;
    for (const request of restoring) {
      if (this.#keeper!.restore(request, deadline)) this.#admitted(request);
      if (performance.now() > deadline) break;
    }
    return restoring.length > 0;
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
    this.#requests.leave(request);
    request.sampler?.dispose();
    this.#leaveSequence(request, what);
    this.#endExtent(request);
  }

  #endExtent({ key, extent, totalLength }: ActiveRequest): void {
    const from = this.prefixes.referredFrom(key, extent);
    extent.end(from === undefined ? undefined : { from, to: totalLength });
  }

  #leaveSequence(request: ActiveRequest, what: "park" | "forget"): void {
    const { sequence } = request;
    if (!sequence) return;
    this.#keeper?.left(request);
    request.sequence = undefined;
    request.restoration = undefined;
    if (what === "park" && !request.encoded) this.prefixes.park(sequence, request.tokens);
    else this.prefixes.release(sequence);
  }

  /** Takes a running request's cells; it starts again when there is room, and generates what it would have. */
  #preempt(request: ActiveRequest): void {
    this.#books.counters.preempted++;
    request.preempted();
    this.#keeper?.rescue(this.prefixes, request);
    this.#putBack(request, "forget");
  }

  #putBack(request: ActiveRequest, what: "park" | "forget"): void {
    this.#leaveSequence(request, what);
    this.#requests.putBack(request);
  }

  /**
   * Logits were NaN. That need not be the fault of whose they are: attention multiplies the cells of others by zero, and
   * empty ones too, and zero times NaN is NaN. So all cells are zeroed, and whoever had any is computed alone, up to its
   * next token, before anything else goes on.
   */
  #isolate(): void {
    const { running, suspects } = this.#requests;
    for (const request of [...running]) {
      suspects.add(request);
      this.#preempt(request);
    }
    this.#decoder.wipe();
  }

  /** A suspect was computed alone. @throws DecodeError where its logits are NaN all the same. */
  #acquit(request: ActiveRequest, index: number): void {
    checkedLogits(this.context, index);
    this.#requests.suspects.delete(request);
    if (this.#wantsToken(request)) this.#sample(request, index);
    if (this.#requests.running.has(request)) this.#putBack(request, "park");
  }

  /** Lets the request that matters least wait for its cells again, or fails the one that is alone. */
  #giveWay(): void {
    const victim = this.#requests.victim();
    if (victim) this.#preempt(victim);
    else
      for (const request of this.#requests.running)
        this.#fail(request, contextFull(this.layout.sequenceLength));
  }

  readonly #canRun = (request: ActiveRequest): boolean =>
    !request.restoration &&
    request.remaining > 0 &&
    (this.#requests.suspects.has(request) || this.#wantsToken(request));

  #wantsToken(request: ActiveRequest): boolean {
    return !request.awaitsToken && !request.awaitsRoom && !this.#isUnread(request);
  }

  readonly #release: ReleaseBytes = (offset, byteLength) => this.#sink.release(offset, byteLength);
  readonly #isUnread = ({ id, generatedLength }: ActiveRequest) =>
    generatedLength - this.#sink.acknowledged(id) >= this.#options.window;

  #decode(requests: readonly ActiveRequest[], planned: Plan): "done" | "again" {
    try {
      const outcome = this.#decoder.decode(requests, planned);
      if (outcome === "done") return "done";
      if (outcome === "aborted") recoverAborted(requests, this.#requests.running, this.prefixes);
      else this.#noRoom();
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#decodeFailed(requests, error);
    }
    return "again";
  }

  /** The memory has no room though cells were counted free: windows and recurrent state have limits of their own. */
  #noRoom(): void {
    if (this.prefixes.evict()) return;
    this.#requests.crowded();
    this.#giveWay();
  }

  #decodeFailed(requests: readonly ActiveRequest[], error: DecodeError): void {
    if (error.status === -1) {
      // The batch was refused before anything was computed, so whoever is not in it is unharmed.
      for (const request of requests) this.#fail(request, error);
      return;
    }
    for (const request of [...this.#requests.running]) this.#fail(request, error);
    this.#decoder.renew();
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
      this.prefixes.computed(sequence, request.tokens, start + count);
      this.#keeper?.passed(this.layout, request);
      index += count;
      try {
        if (request.spec.promptLogprobs && wasPrompt) {
          promptLogprobs(request, this.context, { index: index - count, start, count, sink: this.#sink });
        }
        if (wasPrompt) this.#sink.progress(request.id, request.computedLength, request.cachedLength);
        if (request.remaining > 0) continue;
        if (this.#requests.suspects.has(request)) this.#acquit(request, index - 1);
        else this.#sample(request, index - 1);
      } catch (error) {
        const isBroken = error instanceof DecodeError;
        broken ||= isBroken;
        if (!isBroken || this.#requests.suspects.has(request)) this.#fail(request, error);
      }
    }
    if (broken) this.#isolate();
    this.#books.counters.sampleMs += performance.now() - started;
  }

  #sample(request: ActiveRequest, index: number): void {
    const parts = {
      layout: this.layout,
      counters: this.#books.counters,
      memory: this.#memory,
      sink: this.#sink,
    };
    const reason = nextToken(request, index, parts);
    this.#keeper?.proved(request);
    if (reason) this.#end(request, reason);
  }
}
