import type { CStruct, Native, Pointer } from "../../ffi/index.ts";
import { entryWords } from "../../lib/logits-kernel.ts";
import { type EntryRoom, type LogitsScan, leastFloat } from "../../lib/logits-scan.ts";

/** libllama sorts by buckets, whose numbers overflow from 3.3e8 on: the largest logits would come last. */
const sortable = 1e8;

/** What there is of candidate `index` is at {@link entryWords} times `index`, in either. */
export interface Entries {
  readonly tokens: Int32Array;
  readonly logits: Float32Array;
}

/**
 * The tokens that samplers choose from: libllama's `llama_token_data_array`, in memory of our own. libllama's samplers
 * shorten and reorder it; a token once removed does not come back until the next {@link fill}.
 */
export class Candidates {
  readonly #native: Native;
  readonly #array: CStruct<"llama_token_data_array">;
  readonly #ids: Int32Array;
  readonly #values: Float32Array;
  readonly #base: Pointer;

  /** @param words room for entries, in memory that stays where it is. */
  constructor(native: Native, words: Int32Array) {
    this.#native = native;
    this.#ids = words;
    this.#values = new Float32Array(words.buffer, words.byteOffset, words.length);
    this.#base = native.memory.addressOf(this.#ids);
    this.#array = native.struct("llama_token_data_array").set("data", this.#base).set("selected", -1);
  }

  /** Room for every token of a vocabulary. */
  static forVocabulary(native: Native, size: number): Candidates {
    return new Candidates(native, new Int32Array(new ArrayBuffer(4 * entryWords * Math.max(1, size))));
  }

  get address(): Pointer {
    return this.#array.address;
  }

  get size(): number {
    return this.#array.get("size");
  }

  /**
   * Takes every token whose logit is not -Infinity. Shape [vocabulary].
   * @throws RangeError for NaN and +Infinity, on which libllama's sorting reads out of bounds.
   */
  fill(logits: Float32Array): void {
    const ids = this.#ids;
    const values = this.#values;
    let word = 0;
    let largest = Number.NEGATIVE_INFINITY;
    for (let token = 0; token < logits.length; token++) {
      const logit = logits[token]!;
      if (logit > largest) largest = logit;
      if (logit > Number.NEGATIVE_INFINITY && logit < Number.POSITIVE_INFINITY) {
        ids[word] = token;
        values[word + 1] = logit;
        values[word + 2] = 0;
        word += entryWords;
      } else if (logit !== Number.NEGATIVE_INFINITY) {
        throw new RangeError(`the logit of token ${token} is ${logit}; the model's file may be broken`);
      }
    }
    this.take(word / entryWords, largest);
  }

  /**
   * Takes every token whose logit is not -Infinity, from logits that this room is in one memory with.
   * @throws RangeError for NaN and +Infinity.
   */
  fillFrom(scan: LogitsScan, room: EntryRoom): void {
    scan.assertFinite();
    this.take(scan.gatherFrom(leastFloat, room), scan.largest);
  }

  /** Takes the first `count` entries of the room as they are, in the order of tokens. @param largest logit of any token. */
  take(count: number, largest: number): void {
    this.#take(count, { sorted: false });
    if (largest > sortable) this.settle();
  }

  /** Entries of the candidates in their order; borrowed until the next sampler is applied. Shape [size, {@link entryWords}]. */
  entries(): Entries {
    const start = this.#start();
    const end = this.#end(start);
    return { tokens: this.#ids.subarray(start, end), logits: this.#values.subarray(start + 1, end) };
  }

  /** What a softmax has written to the first candidate. */
  get probabilityOfFirst(): number {
    return this.#values[this.#start() + 2]!;
  }

  /** Leaves the first `count`. */
  truncate(count: number): void {
    this.#array.set("size", count);
  }

  /** The entries of all candidates, which are sorted. */
  copy(): Int32Array {
    const start = this.#start();
    return this.#ids.slice(start, this.#end(start));
  }

  /** Takes the first `count` of the sorted entries that {@link copy} gave. */
  putBack(entries: Int32Array, count: number): void {
    this.#ids.set(entries.subarray(0, entryWords * count));
    this.#take(count, { sorted: true });
  }

  /** Leaves one of the candidates. */
  keepOnly(token: number): void {
    let word = this.#start();
    while (this.#ids[word] !== token) word += entryWords;
    this.#ids.copyWithin(0, word, word + entryWords);
    this.#array.set("data", this.#base).set("size", 1);
  }

  /** Logits of all tokens, -Infinity for those that are no candidates. Shape [vocabulary]. */
  readLogits(target: Float32Array): void {
    const { tokens, logits } = this.entries();
    target.fill(Number.NEGATIVE_INFINITY);
    for (let word = 0; word < tokens.length; word += entryWords) target[tokens[word]!] = logits[word]!;
  }

  /**
   * Gives the candidates the logits that `change` leaves in the copy it is given; their order stays. It may itself choose
   * among other candidates, in this very room.
   */
  changeLogits(change: (tokens: Int32Array, logits: Float32Array) => void): void {
    const isSorted = this.#array.get("sorted") === 1;
    const before = this.logits();
    const start = this.#start();
    const tokens = new Int32Array(before.length);
    for (let index = 0; index < tokens.length; index++)
      tokens[index] = this.#ids[start + entryWords * index]!;
    const logits = before.slice();
    change(tokens, logits);
    let changed = false;
    for (let index = 0; index < tokens.length; index++) {
      const word = entryWords * index;
      this.#ids[word] = tokens[index]!;
      this.#values[word + 1] = logits[index]!;
      this.#values[word + 2] = 0;
      changed ||= logits[index] !== before[index];
    }
    this.#take(tokens.length, { sorted: isSorted && !changed });
    if (changed) this.settle();
  }

  /** Logits of the candidates in their order; a copy. Shape [size]. */
  logits(): Float32Array {
    const start = this.#start();
    const copy = new Float32Array(this.size);
    for (let index = 0; index < copy.length; index++)
      copy[index] = this.#values[start + entryWords * index + 1]!;
    return copy;
  }

  /** Whether any of the candidates, which are sorted, is as likely as another of those that there were `before`. */
  hasTies(before: Float32Array): boolean {
    const values = this.#values;
    const start = this.#start();
    const end = this.#end(start);
    for (let word = start + entryWords; word < end; word += entryWords)
      if (values[word + 1] === values[word + 1 - entryWords]) return true;
    // Where the list was cut, the least of it may have had its like among those that are gone.
    const last = values[end - entryWords + 1];
    let alike = 0;
    for (const logit of before) if (logit === last) alike++;
    return alike > 1;
  }

  /** Whether any candidate can be picked. */
  get hasChoice(): boolean {
    const start = this.#start();
    for (let word = start; word < this.#end(start); word += entryWords) {
      if (this.#values[word + 1]! > Number.NEGATIVE_INFINITY) return true;
    }
    return false;
  }

  /**
   * Drops tokens whose logit is more than `margin` below the largest: libllama's typical and mirostat samplers compute
   * 0 × log 0 for such as have no probability, and then choose at random. The order of the others stays.
   */
  compact(margin: number): void {
    const start = this.#start();
    const end = this.#end(start);
    const values = this.#values;
    const largest = this.#largest(start, end);
    let to = start;
    for (let word = start; word < end; word += entryWords) {
      if (!(values[word + 1]! >= largest - margin)) continue;
      if (to !== word) values.copyWithin(to, word, word + entryWords);
      to += entryWords;
    }
    this.#array.set("size", (to - start) / entryWords);
  }

  /**
   * Shifts logits so that the largest is 0 where it is too large for libllama to sort, or has overflowed. Probabilities
   * stay as they are.
   */
  settle(): void {
    const start = this.#start();
    const end = this.#end(start);
    const values = this.#values;
    const largest = this.#largest(start, end);
    if (largest <= sortable) return;
    for (let word = start; word < end; word += entryWords) {
      const logit = values[word + 1]!;
      if (logit === largest) values[word + 1] = 0;
      else if (logit > Number.NEGATIVE_INFINITY) values[word + 1] = Math.max(logit - largest, -sortable);
    }
  }

  /** The token that the last sampler selected; undefined where none did, or nothing can be picked. */
  get selected(): number | undefined {
    const index = this.#array.get("selected");
    if (index < 0 || index >= this.size) return undefined;
    const start = this.#start();
    let best = start + entryWords * index;
    // A random number of exactly 0 selects the first candidate even where it has no probability.
    if (!(this.#values[best + 1]! > Number.NEGATIVE_INFINITY)) {
      for (let word = start; word < this.#end(start); word += entryWords) {
        if (!(this.#values[word + 1]! <= this.#values[best + 1]!)) best = word;
      }
    }
    return this.#values[best + 1]! > Number.NEGATIVE_INFINITY ? this.#ids[best] : undefined;
  }

  /** First word of the first candidate: a sampler may have moved the array's beginning, or put it elsewhere. */
  #start(): number {
    const data = this.#array.get("data") as Pointer;
    const words = (data - this.#base) / 4;
    if (words >= 0 && words + entryWords * this.size <= this.#ids.length) return words;
    this.#native.memory.copyInto(this.#ids.subarray(0, entryWords * this.size), data);
    this.#array.set("data", this.#base);
    return 0;
  }

  #take(count: number, { sorted }: { sorted: boolean }): void {
    this.#array.set("data", this.#base).set("size", count).set("selected", -1).set("sorted", sorted);
  }

  #largest(start: number, end: number): number {
    let largest = Number.NEGATIVE_INFINITY;
    for (let word = start + 1; word < end; word += entryWords) {
      if (this.#values[word]! > largest) largest = this.#values[word]!;
    }
    return largest;
  }

  #end(start: number): number {
    return start + entryWords * this.size;
  }
}
