import type { ActiveRequest } from "./active-request.ts";
import type { PrefixCache } from "./prefix-cache.ts";
import { nextToPreempt } from "./scheduler.ts";
import { WaitingQueue } from "./waiting-queue.ts";

/** The requests of an engine: each one waits or runs, until it leaves. */
export class Roster {
  readonly #parallel: number;
  readonly #isUnread: (request: ActiveRequest) => boolean;
  readonly waiting = new WaitingQueue();
  readonly running = new Set<ActiveRequest>();
  /** Those that may be why logits were NaN: each must run alone before anything else goes on. */
  readonly suspects = new Set<ActiveRequest>();
  /** Whether the memory had no room for all that ran: others wait until one of those has left. */
  #crowded = false;

  /**
   * @param parallel most requests that run at once.
   * @param isUnread whether a request is as far ahead of its consumer as it may be.
   */
  constructor(parallel: number, isUnread: (request: ActiveRequest) => boolean) {
    this.#parallel = parallel;
    this.#isUnread = isUnread;
  }

  get size(): number {
    return this.waiting.size + this.running.size;
  }
  /** Whether any that runs has a consumer that keeps up. */
  get someAreRead(): boolean {
    for (const request of this.running) if (!this.#isUnread(request)) return true;
    return false;
  }
  get all(): ActiveRequest[] {
    return [...this.waiting, ...this.running];
  }

  /** The request that is alone; undefined for none or several. */
  get only(): ActiveRequest | undefined {
    if (this.running.size !== 1 || this.waiting.size > 0) return undefined;
    for (const request of this.running) return request;
    return undefined;
  }

  byId(id: number): ActiveRequest | undefined {
    for (const request of this.running) if (request.id === id) return request;
    for (const request of this.waiting) if (request.id === id) return request;
    return undefined;
  }

  /** Which request to start now; undefined for none. */
  next(cache: PrefixCache): ActiveRequest | undefined {
    const { running } = this;
    if (this.waiting.size === 0) return undefined;
    const [suspect] = this.suspects;
    if (suspect) return running.size === 0 ? suspect : undefined;
    const most = this.#crowded ? 1 : this.#parallel;
    return running.size < most ? this.waiting.next(cache) : undefined;
  }

  /** A running request waits again. */
  putBack(request: ActiveRequest): void {
    this.running.delete(request);
    this.waiting.add(request);
  }

  /**
   * Whom to take cells from so that others go on: one that nobody reads before all others. Undefined where nobody else
   * runs.
   */
  victim(): ActiveRequest | undefined {
    const running = [...this.running];
    if (running.length < 2) return undefined;
    return nextToPreempt(running.filter(this.#isUnread)) ?? nextToPreempt(running);
  }

  /** Nobody shall be started as long as those that run now do. */
  crowded(): void {
    this.#crowded = true;
  }

  leave(request: ActiveRequest): void {
    if (this.running.delete(request)) this.#crowded = false;
    this.waiting.delete(request);
    this.suspects.delete(request);
  }
}
