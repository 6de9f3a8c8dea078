import type { CStruct, Native } from "../ffi/index.ts";
import { checkInteger } from "../ffi/index.ts";

/** Which positions of a slice give logits or embeddings. */
export type OutputChoice = "none" | "last" | "all";

export interface BatchOptions {
  /** Most tokens the batch holds. */
  capacity: number;
  /** Most sequences one token may belong to. Default 1. */
  sequencesPerToken?: number;
}

/**
 * Input of one `llama_decode` or `llama_encode` call. The arrays are memory that C reads in place: `fill` even points
 * C at the caller's own tokens, so that nothing is copied on the way.
 *
 * Source: `llama_batch` in llama.h; reading it needs no `llama_batch_init`, so nothing here is freed by C.
 */
export class Batch {
  readonly capacity: number;
  readonly sequencesPerToken: number;
  /** Filled by `add`; `fill` leaves it alone and lends C the caller's view. Shape [capacity]. */
  readonly tokens: Int32Array;
  /** Shape [capacity]. */
  readonly positions: Int32Array;
  /** Shape [capacity]; 1 where the token's logits or embeddings are wanted. */
  readonly outputs: Int8Array;
  readonly struct: CStruct<"llama_batch">;
  readonly #native: Native;
  readonly #sequences: Int32Array;
  readonly #sequenceCounts: Int32Array;
  readonly #sequencePointers: BigUint64Array;
  #lent: Int32Array | undefined;
  #length = 0;
  #outputCount = 0;
  #lowestSequence = 0;
  #highestSequence = 0;
  /** Whether any token belongs to several sequences. */
  #shared = false;

  constructor(native: Native, { capacity, sequencesPerToken = 1 }: BatchOptions) {
    if (checkInteger(capacity, "i32", "capacity") < 1)
      throw new RangeError(`capacity must be at least 1, got ${capacity}`);
    if (checkInteger(sequencesPerToken, "i32", "sequencesPerToken") < 1 || sequencesPerToken > 256) {
      throw new RangeError(`sequencesPerToken must be between 1 and 256, got ${sequencesPerToken}`);
    }
    this.#native = native;
    this.capacity = capacity;
    this.sequencesPerToken = sequencesPerToken;
    const words = (count: number) => new Int32Array(new ArrayBuffer(4 * count));
    this.tokens = words(capacity);
    this.positions = words(capacity);
    this.outputs = new Int8Array(new ArrayBuffer(capacity));
    this.#sequences = words(capacity * sequencesPerToken);
    this.#sequenceCounts = words(capacity).fill(1);
    this.#sequencePointers = new BigUint64Array(new ArrayBuffer(8 * capacity));
    const { memory } = native;
    const base = memory.addressOf(this.#sequences);
    for (let index = 0; index < capacity; index++) {
      this.#sequencePointers[index] = BigInt(base + 4 * sequencesPerToken * index);
    }
    this.struct = native.struct("llama_batch");
    this.struct.set("token", memory.addressOf(this.tokens));
    this.struct.set("pos", memory.addressOf(this.positions));
    this.struct.set("n_seq_id", memory.addressOf(this.#sequenceCounts));
    this.struct.set("seq_id", memory.addressOf(this.#sequencePointers));
    this.struct.set("logits", memory.addressOf(this.outputs));
  }

  /** Tokens in the batch. */
  get length(): number {
    return this.#length;
  }

  /** Tokens that give an output. */
  get outputCount(): number {
    return this.#outputCount;
  }

  /** @throws RangeError where a token belongs to a sequence, or to several, that the context cannot have. */
  checkSequences(context: { readonly maxSequences: number; readonly unifiedCache: boolean }): void {
    const { maxSequences, unifiedCache } = context;
    const outside = this.#lowestSequence < 0 ? this.#lowestSequence : this.#highestSequence;
    if (outside < 0 || outside >= maxSequences) {
      throw new RangeError(
        `the batch has sequence ${outside}, the context takes 0 to ${maxSequences - 1} (maxSequences)`,
      );
    }
    if (this.#shared && !unifiedCache) {
      throw new RangeError("a token of several sequences needs a context with unifiedCache: true");
    }
  }

  /** @throws RangeError where a position is not below `limit`. */
  checkPositions(limit: number): void {
    if (limit === Number.POSITIVE_INFINITY) return;
    for (let index = 0; index < this.#length; index++) {
      if (this.positions[index]! >= limit) {
        throw new RangeError(
          `the batch has position ${this.positions[index]}, the model has positions 0 to ${limit - 1}`,
        );
      }
    }
  }

  clear(): this {
    this.#length = 0;
    this.#lowestSequence = 0;
    this.#highestSequence = 0;
    this.#outputCount = 0;
    if (this.#lent) {
      this.#lent = undefined;
      this.struct.set("token", this.#native.memory.addressOf(this.tokens));
    }
    this.struct.set("n_tokens", 0);
    return this;
  }

  /**
   * Appends one token and gives its index, by which its logits are asked for later.
   * @throws RangeError where the batch is full or a number is out of range.
   */
  add(
    token: number,
    position: number,
    sequences: number | readonly number[],
    { output = false } = {},
  ): number {
    if (this.#lent) throw new TypeError("a batch made by fill() takes no further tokens; call clear() first");
    if (this.#length === this.capacity) {
      throw new RangeError(`the batch is full (capacity ${this.capacity}); decode it or make it larger`);
    }
    const list = typeof sequences === "number" ? [sequences] : sequences;
    if (list.length < 1 || list.length > this.sequencesPerToken) {
      throw new RangeError(
        `a token needs 1 to ${this.sequencesPerToken} sequences (sequencesPerToken), got ${list.length}`,
      );
    }
    for (const sequence of list) checkInteger(sequence, "i32", "sequence");
    const index = this.#length;
    this.tokens[index] = checkInteger(token, "i32", "token");
    this.positions[index] = checkPosition(position);
    for (const [at, sequence] of list.entries()) {
      this.#sequences[index * this.sequencesPerToken + at] = sequence;
      this.#lowestSequence = Math.min(this.#lowestSequence, sequence);
      this.#highestSequence = Math.max(this.#highestSequence, sequence);
    }
    this.#sequenceCounts[index] = list.length;
    this.#shared ||= list.length > 1;
    this.outputs[index] = output ? 1 : 0;
    if (output) this.#outputCount++;
    this.struct.set("n_tokens", ++this.#length);
    return index;
  }

  /**
   * Makes the batch one run of a sequence: `tokens` at consecutive positions. C reads the caller's view in place, which
   * therefore must not change until the batch has been decoded.
   */
  fill(tokens: Int32Array, run: { position: number; sequence?: number; outputs?: OutputChoice }): this {
    const { position, sequence = 0, outputs = "last" } = run;
    if (!(tokens instanceof Int32Array)) throw new TypeError("tokens must be an Int32Array");
    if (outputs !== "none" && outputs !== "last" && outputs !== "all") {
      throw new RangeError(`outputs must be one of none, last, all, got "${outputs}"`);
    }
    const count = tokens.length;
    if (count < 1 || count > this.capacity) {
      throw new RangeError(`a run of ${count} tokens does not fit a batch of capacity ${this.capacity}`);
    }
    checkPosition(position);
    checkInteger(position + count, "i32", "position + length");
    checkInteger(sequence, "i32", "sequence");
    this.#lent = tokens;
    this.#lowestSequence = Math.min(0, sequence);
    this.#highestSequence = sequence;
    this.#shared = false;
    for (let index = 0; index < count; index++) {
      this.positions[index] = position + index;
      this.#sequences[index * this.sequencesPerToken] = sequence;
      this.#sequenceCounts[index] = 1;
    }
    this.outputs.fill(outputs === "all" ? 1 : 0, 0, count);
    if (outputs === "last") this.outputs[count - 1] = 1;
    this.#length = count;
    this.#outputCount = outputs === "all" ? count : outputs === "last" ? 1 : 0;
    this.struct.set("token", this.#native.memory.addressOf(tokens));
    this.struct.set("n_tokens", count);
    return this;
  }

  /**
   * Makes the batch one token with an output, as each step of a generation needs it. After another `single` only the
   * numbers change, which matters: when a decode has filled the caches with weights, every line of code is a miss.
   */
  single(token: number, position: number, sequence = 0): this {
    checkPosition(position);
    checkInteger(sequence, "i32", "sequence");
    if (this.#lent || this.#length !== 1) {
      this.clear();
      this.struct.set("n_tokens", 1);
      this.#length = 1;
    }
    this.tokens[0] = checkInteger(token, "i32", "token");
    this.positions[0] = position;
    this.#sequences[0] = sequence;
    this.#sequenceCounts[0] = 1;
    this.#lowestSequence = sequence;
    this.#highestSequence = sequence;
    this.#shared = false;
    this.outputs[0] = 1;
    this.#outputCount = 1;
    return this;
  }
}

function checkPosition(position: number): number {
  if (checkInteger(position, "i32", "position") < 0) {
    throw new RangeError(`position must be 0 or more, got ${position}`);
  }
  return position;
}
