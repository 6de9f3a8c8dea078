import {
  blockLength,
  entryWords,
  type LogitsKernel,
  NaiveLogitsKernel,
  vectorisedLogitsKernel,
} from "./logits-kernel.ts";
import { type ArenaBytes, TokenArena } from "./token-arena.ts";

/** Terms of a sum of exponentials that are so far below the largest are left out: all together they are below 1e-11 of it. */
const negligible = 40;
/** A search for a threshold. */
const searchSteps = 20;
const leastGap = 1e-3;
/** The least that is not -Infinity. */
export const leastFloat = -3.4028234663852886e38;

interface ScanMemory {
  readonly arena: TokenArena;
  readonly kernel: LogitsKernel;
}

/**
 * One memory for the logits of all contexts of this thread: each memory takes address space, of which some engines have
 * little, and a vocabulary's logits are small.
 */
let shared: ScanMemory | undefined;

function scanMemory(): ScanMemory {
  if (!shared) {
    const arena = new TokenArena({ initialTokens: 2 ** 18 });
    shared = { arena, kernel: vectorisedLogitsKernel(arena.memory) ?? new NaiveLogitsKernel(arena.memory) };
  }
  return shared;
}

export interface LogitsScanOptions {
  /** Who looks the logits over. Default "vectorised", where the engine can. */
  kernel?: "vectorised" | "naive";
}

/**
 * The logits of one output in shared memory, with the largest of each block of 64, by which later scans touch only the
 * blocks that have something for them.
 */
export class LogitsScan {
  /** Shape [size]; -Infinity at first. Whoever changes it calls {@link rescan}, or changes it by {@link set}. */
  readonly logits: Float32Array;
  readonly #kernel: LogitsKernel;
  readonly #place: ArenaBytes;
  readonly #blocks: number;
  /** Of each block, padded to whole blocks. */
  readonly #maxima: Float32Array;
  /** Undefined after a change. */
  #largest: number | undefined;
  /** Whether {@link #scratch} is of these logits. */
  #isSummed = false;
  /** How far below the largest the last search for a threshold ended. */
  #gap = 4;

  constructor(size: number, { kernel = "vectorised" }: LogitsScanOptions = {}) {
    const memory = scanMemory();
    this.#kernel = kernel === "naive" ? new NaiveLogitsKernel(memory.arena.memory) : memory.kernel;
    this.#blocks = Math.max(1, Math.ceil(size / blockLength));
    const padded = this.#blocks * blockLength;
    const paddedMaxima = Math.ceil(this.#blocks / blockLength) * blockLength;
    this.#place = memory.arena.allocateBytes(4 * (padded + paddedMaxima + paddedMaxima / blockLength));
    const { view, byteOffset } = this.#place;
    const all = new Float32Array(view.buffer, byteOffset, padded + paddedMaxima);
    all.fill(Number.NEGATIVE_INFINITY);
    this.logits = all.subarray(0, size);
    this.#maxima = all.subarray(padded, padded + paddedMaxima);
  }

  /** The largest logit; NaN where there is any, -Infinity where there are none. */
  get largest(): number {
    this.#largest ??= this.#summarise();
    return this.#largest;
  }

  /** Looks the logits over again. */
  rescan(): void {
    this.#largest = this.#scan(this.logits.byteOffset, this.#blocks, this.#maxima.byteOffset);
    this.#isSummed = false;
  }

  /** Changes one logit. */
  set(token: number, logit: number): void {
    this.logits[token] = logit;
    const block = Math.floor(token / blockLength);
    this.#scan(this.logits.byteOffset + 4 * blockLength * block, 1, this.#maxima.byteOffset + 4 * block);
    this.#largest = undefined;
    this.#isSummed = false;
  }

  /**
   * The token with the largest logit, of equals the first; undefined where all are -Infinity.
   * @throws RangeError for NaN and +Infinity.
   */
  argmax(): number | undefined {
    const { largest } = this;
    if (largest === Number.NEGATIVE_INFINITY) return undefined;
    this.assertFinite();
    const block = this.#kernel.indexOf(this.#maxima.byteOffset, this.#maxima.length, largest);
    const first = block * blockLength;
    return first + this.#kernel.indexOf(this.logits.byteOffset + 4 * first, blockLength, largest);
  }

  /** @throws RangeError for NaN and +Infinity, naming the token. */
  assertFinite(): void {
    if (this.largest < Number.POSITIVE_INFINITY) return;
    const token = this.logits.findIndex((logit) => !(logit < Number.POSITIVE_INFINITY));
    throw new RangeError(
      `the logit of token ${token} is ${this.logits[token]}; the model's file may be broken`,
    );
  }

  /** Whether more than `count` logits are not -Infinity. */
  hasMoreThan(count: number): boolean {
    // Each block with a logit in it has one at least.
    if (this.largest > Number.NEGATIVE_INFINITY && this.#blocksFrom(leastFloat) > count) return true;
    return this.countFrom(leastFloat) > count;
  }

  /** How many logits are not less than `threshold`, which is more than -Infinity. */
  countFrom(threshold: number): number {
    return this.#kernel.countFrom(this.logits.byteOffset, this.#maxima.byteOffset, this.#blocks, threshold);
  }

  /**
   * A logit than which at least `count` are not less; undefined where none was found. Those that are not less are not many
   * more than `count` where there are many blocks.
   */
  likelyThreshold(count: number): number | undefined {
    const { largest } = this;
    if (count > this.#blocks || !(largest > Number.NEGATIVE_INFINITY)) return undefined;
    // As many blocks have a logit that large; where the last search ended is where the next may begin.
    let [low, high] = [Number.POSITIVE_INFINITY, 0];
    for (let gap = this.#gap, step = 0; step < searchSteps; step++) {
      const found = this.#blocksFrom(largest - gap);
      if (found >= count) low = gap;
      else high = gap;
      if (found >= count && found <= 1.25 * count) break;
      gap = low === Number.POSITIVE_INFINITY ? 2 * gap : (low + high) / 2;
    }
    if (low === Number.POSITIVE_INFINITY) return undefined;
    this.#gap = Math.max(leastGap, low);
    return largest - low;
  }

  /**
   * Writes an entry for each logit that is not less than `threshold`, which is more than -Infinity, in the order of tokens.
   * @returns how many there are; of more than the room holds the first ones are written.
   */
  gatherFrom(threshold: number, { words, capacity }: EntryRoom): number {
    return this.#kernel.gatherFrom(
      this.logits.byteOffset,
      this.#maxima.byteOffset,
      this.#blocks,
      threshold,
      words.byteOffset,
      capacity,
    );
  }

  /**
   * The sum of exp(logit - reference) of the logits that are not less than `threshold`, right to a millionth of it.
   * @param reference at least the largest, and finite. Terms below e^-40 are left out.
   */
  sumExp(reference: number, threshold = Number.NEGATIVE_INFINITY): number {
    return this.#kernel.sumExp(
      this.logits.byteOffset,
      this.#maxima.byteOffset,
      this.#blocks,
      reference,
      Math.max(threshold, reference - negligible),
    );
  }

  /** Gives the memory back; logits and scans must not be used any more. */
  release(): void {
    this.#place.release();
  }

  #blocksFrom(threshold: number): number {
    if (!this.#isSummed) this.#summarise();
    const { byteOffset, length } = this.#maxima;
    return this.#kernel.countFrom(byteOffset, this.#scratch, length / blockLength, threshold);
  }

  /** Looks the maxima of the blocks over. @returns the largest */
  #summarise(): number {
    this.#isSummed = true;
    return this.#scan(this.#maxima.byteOffset, this.#maxima.length / blockLength, this.#scratch);
  }

  /** The largest of each block of the maxima, once they were summarised. */
  get #scratch(): number {
    return this.#maxima.byteOffset + this.#maxima.byteLength;
  }

  #scan(at: number, blocks: number, to: number): number {
    return this.#kernel.blockMaxima(at, blocks, to);
  }
}

/** Room for entries in the memory of the logits. */
export interface EntryRoom {
  /** Shape [capacity, {@link entryWords}]. */
  readonly words: Int32Array;
  readonly capacity: number;
  release(): void;
}

export function allocateEntries(capacity: number): EntryRoom {
  const place = scanMemory().arena.allocateBytes(4 * entryWords * capacity);
  const words = new Int32Array(place.view.buffer, place.byteOffset, entryWords * capacity);
  return { words, capacity, release: place.release };
}
