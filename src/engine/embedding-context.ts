import { Batch } from "../batch.ts";
import { Context } from "../context.ts";
import type { ContextOptions } from "../context-options.ts";
import type { Model } from "../model.ts";

/** Texts that are computed together at most. */
const sequences = 16;

/** How long a text of this model can be where the options say nothing, in tokens. */
const defaultLength = 2048;

/** Most tokens of a text to embed. */
export function embeddingLength(model: Model, contextLength: number | undefined): number {
  return Math.min(contextLength || defaultLength, model.trainContextLength || defaultLength);
}

/** A context that embeds, since one that pools cannot generate. It pools texts of several sequences at once. */
export class EmbeddingContext {
  readonly context: Context;
  readonly #batch: Batch;

  /** @throws ContextInitError */
  constructor(model: Model, options: ContextOptions & { contextLength: number }) {
    const length = options.contextLength;
    // The whole text must be in one micro-batch: attention of encoders looks both ways.
    const create = (pooling: ContextOptions["pooling"]) =>
      new Context(model, {
        ...options,
        contextLength: length,
        batchSize: length,
        microBatchSize: length,
        maxSequences: model.isRecurrent || model.isHybrid ? 1 : sequences,
        unifiedCache: true,
        embeddings: true,
        pooling: pooling ?? "unspecified",
      });
    let context = create(options.pooling);
    if (context.pooling === "none" && options.pooling === undefined) {
      // A generative model names no pooling; the mean over tokens is the customary choice.
      context.dispose();
      context = create("mean");
    }
    this.context = context;
    this.#batch = new Batch(model.native, { capacity: context.batchSize });
  }

  /** Most tokens computed together. */
  get batchSize(): number {
    return this.context.batchSize;
  }
  get maxSequences(): number {
    return this.context.maxSequences;
  }

  /**
   * Embeddings of texts, as the model pools them; without pooling, that of the last token.
   * @param texts at most `maxSequences`, of at most `batchSize` tokens together. @throws DecodeError
   */
  compute(texts: readonly Int32Array[]): Float32Array[] {
    const { context } = this;
    if (context.hasMemory) context.memory.clear();
    const batch = this.#batch.clear();
    const last = texts.map((text, sequence) => {
      let index = -1;
      for (const [position, token] of text.entries())
        index = batch.add(token, position, sequence, { output: true });
      return index;
    });
    const outcome = context.decode(batch);
    if (outcome !== "done") throw new Error(`the embedding context answered ${outcome}`);
    return texts.map((_, sequence) =>
      context.pooling === "none"
        ? context.outputs.tokenEmbedding(last[sequence])
        : context.outputs.sequenceEmbedding(sequence),
    );
  }

  dispose(): void {
    this.context.dispose();
  }
}
