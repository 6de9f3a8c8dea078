import type { CStruct, Native, Pointer } from "../../ffi/index.ts";

const entryWords = 3; // llama_token_data: id, logit, p

/** The tokens a sampler chooses from, as libllama's samplers see them: `llama_token_data_array` in memory of our own. */
export class Candidates {
  readonly #native: Native;
  readonly #array: CStruct<"llama_token_data_array">;
  readonly #ids: Int32Array;
  readonly #values: Float32Array;
  readonly #address: Pointer;

  constructor(native: Native, vocabularySize: number) {
    this.#native = native;
    const buffer = new ArrayBuffer(4 * entryWords * vocabularySize);
    this.#ids = new Int32Array(buffer);
    this.#values = new Float32Array(buffer);
    this.#address = native.memory.addressOf(this.#ids);
    this.#array = native.struct("llama_token_data_array");
  }

  get address(): Pointer {
    return this.#array.address;
  }

  get size(): number {
    return this.#array.get("size");
  }

  /** Every token with its logit. Shape [vocabulary]. */
  fill(logits: Float32Array): void {
    for (let token = 0, word = 0; token < logits.length; token++, word += entryWords) {
      this.#ids[word] = token;
      this.#values[word + 1] = logits[token]!;
      this.#values[word + 2] = 0;
    }
    this.#set(logits.length);
  }

  /** One token alone, to ask a grammar about it. */
  fillOne(token: number): void {
    this.#ids[0] = token;
    this.#values[1] = 1;
    this.#values[2] = 0;
    this.#set(1);
  }

  /** Writes the logits of all tokens, -Infinity for those no longer among the candidates. */
  readLogits(target: Float32Array): void {
    this.#own();
    target.fill(Number.NEGATIVE_INFINITY);
    for (let index = 0, word = 0; index < this.size; index++, word += entryWords) {
      target[this.#ids[word]!] = this.#values[word + 1]!;
    }
  }

  /** Takes changed logits over, for the tokens that are still candidates. */
  writeLogits(source: Float32Array): void {
    this.#own();
    for (let index = 0, word = 0; index < this.size; index++, word += entryWords) {
      this.#values[word + 1] = source[this.#ids[word]!]!;
    }
    this.#set(this.size);
  }

  /** Whether any candidate may be chosen at all. */
  get hasChoice(): boolean {
    this.#own();
    for (let index = 0, word = 1; index < this.size; index++, word += entryWords) {
      if (this.#values[word]! > Number.NEGATIVE_INFINITY) return true;
    }
    return false;
  }

  /** The token that the last sampler selected; undefined where none selects. */
  get selected(): number | undefined {
    const index = this.#array.get("selected");
    if (index < 0 || index >= this.size) return undefined;
    this.#own();
    return this.#ids[entryWords * index];
  }

  #set(size: number): void {
    this.#array.set("data", this.#address).set("size", size).set("selected", -1).set("sorted", false);
  }

  /** A sampler may have put the candidates elsewhere; then they are copied back. */
  #own(): void {
    const data = this.#array.get("data") as Pointer;
    if (data === this.#address) return;
    this.#native.memory.copyInto(this.#ids.subarray(0, entryWords * this.size), data);
    this.#array.set("data", this.#address);
  }
}
