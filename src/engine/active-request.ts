import type { SamplerChain } from "../sampler.ts";
import type { RequestCheckpoints } from "./checkpoint-taker.ts";
import type { Promised } from "./prefix-cache.ts";
import type { RequestSpec, RequestStats } from "./request.ts";
import type { Sequence } from "./sequence.ts";
import type { LookUp } from "./store-port.ts";
import type { ThoughtBudget } from "./thought-budget.ts";
import type { Restoration } from "./tiers.ts";
import type { TokenExtent } from "./token-extent.ts";

/**
 * A request on the decoding side.
 *
 *   [0, computedLength)            in the cache
 *   [computedLength, totalLength)  known and to be computed: the rest of the prompt, or the token sampled last
 */
export class ActiveRequest {
  readonly spec: RequestSpec;
  readonly arrival: number;
  /** What sequences must agree in to be shared with it. */
  readonly key: string;
  /** Number of its set of adapters. */
  readonly group: number;
  extent: TokenExtent;
  totalLength: number;
  sequence: Sequence | undefined;
  sampler: SamplerChain | undefined;
  thought: ThoughtBudget | undefined;
  /** The sequence whose prompt it waits for, which is about to compute what it needs. */
  following: Promised | undefined;
  generatedLength = 0;
  /** See `Schedulable.servedAt`. */
  servedAt = 0;
  /** Prompt tokens up to this position have been reported, and are not again where they are computed anew. */
  reportedPosition = 0;
  /** It has given logits to its caller, who has not chosen a token yet. */
  awaitsToken = false;
  awaitsRoom = false;
  /** What is being taken from the tiers below the context. */
  restoration: Restoration | undefined;
  checkpoints: RequestCheckpoints | undefined;
  /** What is being looked for on disk, and until when it waits for that. */
  lookUp: { readonly found: LookUp; readonly until: number } | undefined;
  #cachedLength: number | undefined;
  #computedPrompt = 0;
  #encoded: Int32Array | undefined;
  #preemptions = 0;
  readonly arrivedAt: number;
  #admittedAt: number | undefined;
  #promptDoneAt: number | undefined;
  #lastTokenAt: number | undefined;

  constructor(
    spec: RequestSpec,
    place: { arrival: number; key: string; group: number; extent: TokenExtent; now: number },
  ) {
    this.spec = spec;
    this.arrival = place.arrival;
    this.key = place.key;
    this.group = place.group;
    this.extent = place.extent;
    this.totalLength = spec.promptLength;
    this.arrivedAt = place.now;
  }

  get id(): number {
    return this.spec.id;
  }
  get priority(): number {
    return this.spec.priority ?? 0;
  }
  get computedLength(): number {
    return this.sequence?.computedLength ?? 0;
  }
  get remaining(): number {
    return this.totalLength - this.computedLength;
  }
  /** Whether one token is all that is left to compute, of a text that has begun. */
  get decoding(): boolean {
    return this.generatedLength > 0 && this.remaining === 1;
  }
  /** The prompt of a model with an encoder, once that has computed it. */
  get encoded(): Int32Array | undefined {
    return this.#encoded;
  }

  /** Goes on with the decoder's text, in the place of the prompt's last token. */
  beginDecoder(prompt: Int32Array, first: number): void {
    if (this.#encoded) return;
    this.#encoded = prompt;
    this.#computedPrompt += prompt.length - 1;
    this.extent.beginAt(prompt.length - 1);
    this.extent.write(0, first);
    this.totalLength = 1;
  }

  /** Whether it may take over what is computed; log-probabilities of the prompt need all of it computed anew. */
  get reusesPrefix(): boolean {
    return this.spec.cachePrompt !== false && !this.spec.promptLogprobs && !this.#encoded;
  }
  /** All its tokens, borrowed. */
  get tokens(): { view: Int32Array; owner: TokenExtent } {
    return { view: this.extent.view(this.totalLength), owner: this.extent };
  }
  get promptDoneAt(): number | undefined {
    return this.#promptDoneAt;
  }

  /** Writes a sampled token behind the others; {@link grow} makes it one of them. */
  write(token: number): void {
    this.extent.write(this.totalLength, token);
  }
  /** Its caller wrote `count` tokens behind the others. */
  chosen(count: number): void {
    this.awaitsToken = false;
    this.totalLength += count;
    this.generatedLength += count;
  }
  grow(): void {
    this.totalLength++;
  }

  /** Goes on with other tokens, of which none are computed. */
  moveTo(extent: TokenExtent, length: number): void {
    this.extent = extent;
    this.totalLength = length;
    this.awaitsRoom = false;
    this.following = undefined;
  }

  admitted(now: number): void {
    this.#admittedAt ??= now;
    this.#cachedLength ??= this.computedLength;
  }

  get cachedLength(): number {
    return this.#cachedLength ?? 0;
  }

  computedPrompt(count: number): void {
    this.#computedPrompt += count;
  }

  preempted(): void {
    this.#preemptions++;
  }

  promptDone(now: number): void {
    this.#promptDoneAt ??= now;
  }

  generated(now: number): void {
    this.generatedLength++;
    this.#lastTokenAt = now;
  }

  stats(now: number): RequestStats {
    const admitted = this.#admittedAt ?? now;
    const promptDone = this.#promptDoneAt ?? now;
    return {
      promptLength: this.spec.promptLength,
      cachedLength: this.cachedLength,
      computedLength: this.#computedPrompt,
      generatedLength: this.generatedLength,
      queueMs: admitted - this.arrivedAt,
      promptMs: this.#admittedAt === undefined ? 0 : promptDone - admitted,
      predictedMs: this.#promptDoneAt === undefined ? 0 : (this.#lastTokenAt ?? now) - promptDone,
      preemptions: this.#preemptions,
    };
  }
}
