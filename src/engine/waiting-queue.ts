import type { ActiveRequest } from "./active-request.ts";
import type { PrefixCache } from "./prefix-cache.ts";
import { nextToAdmit } from "./scheduler.ts";

/** Requests that have arrived and are not running, or not any longer. */
export class WaitingQueue {
  readonly #requests = new Set<ActiveRequest>();
  #admissions = 0;

  get size(): number {
    return this.#requests.size;
  }
  [Symbol.iterator](): IterableIterator<ActiveRequest> {
    return this.#requests.values();
  }

  add(request: ActiveRequest): void {
    this.#requests.add(request);
  }
  delete(request: ActiveRequest): void {
    this.#requests.delete(request);
  }

  /** Which to admit now; undefined where all wait for what others are computing. */
  next(cache: PrefixCache): ActiveRequest | undefined {
    const candidates = [...this.#requests].filter(({ lookUp }) => !lookUp);
    let request = nextToAdmit(candidates, this.#admissions);
    while (request && follows(request, cache)) {
      candidates.splice(candidates.indexOf(request), 1);
      request = nextToAdmit(candidates, this.#admissions);
    }
    return request;
  }

  admitted(request: ActiveRequest): void {
    this.#requests.delete(request);
    this.#admissions++;
  }
}

/** Whether another request is about to compute what this one needs. */
function follows(request: ActiveRequest, cache: PrefixCache): boolean {
  if (!request.reusesPrefix) return false;
  const { following } = request;
  if (following?.sequence.running && following.sequence.leases === following.leases) {
    if (following.sequence.computedLength < following.length) return true;
  }
  request.following = cache.promised(request.key, request.tokens.view);
  return request.following !== undefined;
}
