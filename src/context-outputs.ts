import type { Native, Pointer } from "../ffi/index.ts";
import { LogitsScan } from "../lib/logits-scan.ts";
import type { Batch } from "./batch.ts";

/** What {@link ContextOutputs} needs to know of its context. */
export interface OutputsOwner {
  readonly native: Native;
  /** @throws DisposedError */
  readonly pointer: Pointer<"llama_context">;
  readonly pooling: string;
  readonly model: {
    readonly vocab: { readonly size: number };
    readonly outputEmbeddingLength: number;
    readonly classifierOutputCount: number;
  };
}

/**
 * What the last decode gave out. libllama keeps a pointer only until the next decode and asserts on an index without
 * output, so indices are checked against the batch that was decoded, and values are copied.
 */
export class ContextOutputs {
  readonly #owner: OutputsOwner;
  #flags = new Int8Array(0);
  #length = 0;
  #count = 0;
  #scan: LogitsScan | undefined;

  constructor(owner: OutputsOwner) {
    this.#owner = owner;
  }

  /** Outputs of the last decode. */
  get count(): number {
    return this.#count;
  }

  /** Notes which tokens of a decoded batch have outputs; none after a failure. */
  update(batch: Batch | undefined): void {
    this.#length = batch?.length ?? 0;
    this.#count = batch?.outputCount ?? 0;
    if (!batch) return;
    if (this.#flags.length < batch.length) this.#flags = new Int8Array(batch.capacity);
    for (let index = 0; index < batch.length; index++) this.#flags[index] = batch.outputs[index]!;
  }

  /** @throws RangeError where batch token `index` (negative: counted from the last output) gave no output. */
  check(index: number): void {
    if (!Number.isInteger(index)) throw new TypeError(`the output index must be an integer, got ${index}`);
    const held = index < 0 ? -index <= this.#count : index < this.#length && this.#flags[index] === 1;
    if (!held) {
      throw new RangeError(
        `token ${index} of the last batch has no output; ask for it when filling the batch (outputs, output: true)`,
      );
    }
  }

  /** Logits of an output. Shape [vocabulary]; one buffer, overwritten by the next call. */
  logits(index = -1): Float32Array {
    return this.scan(index).logits;
  }

  /** Logits of an output, copied and looked over; one buffer, overwritten by the next call. */
  scan(index = -1): LogitsScan {
    const source = this.#source(index);
    this.#scan ??= new LogitsScan(this.#owner.model.vocab.size);
    this.#owner.native.memory.copyInto(this.#scan.logits, source);
    this.#scan.rescan();
    return this.#scan;
  }

  /** The logit of one token in an output. */
  logit(index: number, token: number): number {
    const one = new Float32Array(1);
    this.#owner.native.memory.copyInto(one, (this.#source(index) + 4 * token) as Pointer);
    return one[0]!;
  }

  #source(index: number): Pointer {
    this.check(index);
    const { native, pointer } = this.#owner;
    const source = native.c.llama_get_logits_ith(pointer, index);
    if (source === 0) throw new RangeError("the context gives embeddings only, no logits");
    return source;
  }

  /** Gives back what {@link logits} is copied to; the views that it gave must not be used any more. */
  release(): void {
    this.#scan?.release();
    this.#scan = undefined;
  }

  /** Embedding of an output token, for contexts without pooling. Shape [output embedding length]; a copy. */
  tokenEmbedding(index = -1): Float32Array {
    this.check(index);
    const { native, pointer, model } = this.#owner;
    return this.#copy(native.c.llama_get_embeddings_ith(pointer, index), model.outputEmbeddingLength);
  }

  /** Pooled embedding of a sequence, or its classifier outputs with pooling "rank". A copy. */
  sequenceEmbedding(sequence: number): Float32Array {
    const { native, pointer, model, pooling } = this.#owner;
    if (!Number.isInteger(sequence) || sequence < 0)
      throw new RangeError(`sequence must be 0 or more, got ${sequence}`);
    if (pooling === "none")
      throw new TypeError('the context does not pool (pooling "none"); use tokenEmbedding');
    const length = pooling === "rank" ? model.classifierOutputCount : model.outputEmbeddingLength;
    return this.#copy(native.c.llama_get_embeddings_seq(pointer, sequence), length);
  }

  #copy(source: Pointer, length: number): Float32Array {
    if (source === 0)
      throw new TypeError(
        "there are no embeddings; create the context with embeddings: true and decode first",
      );
    const values = new Float32Array(new ArrayBuffer(4 * length));
    this.#owner.native.memory.copyInto(values, source);
    return values;
  }
}
