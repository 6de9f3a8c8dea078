import { RequestError } from "../../lib/errors.ts";
import { Batch } from "../batch.ts";
import { Context } from "../context.ts";
import type { ContextOptions } from "../context-options.ts";
import type { Model } from "../model.ts";
import { promptList } from "./completion.ts";
import type { Prompt } from "./core.ts";
import { modelName } from "./response-head.ts";
import type { EmbeddingParams, EmbeddingResponse } from "./types.ts";

/** Computes embeddings in a context of its own, since one that pools cannot generate. */
export class Embedder {
  readonly context: Context;
  readonly #model: Model;
  readonly #batch: Batch;

  constructor(model: Model, options: ContextOptions) {
    const length = Math.min(options.contextLength ?? 2048, model.trainContextLength || 2048);
    // The whole text must be in one micro-batch: attention of encoders looks both ways.
    const create = (pooling: ContextOptions["pooling"]) =>
      new Context(model, {
        ...options,
        contextLength: length,
        batchSize: length,
        microBatchSize: length,
        maxSequences: 1,
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
    this.#model = model;
    this.#batch = new Batch(model.native, { capacity: context.batchSize });
  }

  /** The embedding of one text, of length 1 (Euclidean) unless pooling is "rank" or "none". */
  embed(input: Prompt, field: string): { values: Float32Array; tokenCount: number } {
    const { context } = this;
    const tokens =
      typeof input === "string"
        ? this.#model.vocab.tokenize(input, { parseSpecial: true })
        : this.#check(input, field);
    if (tokens.length === 0) throw new RequestError(`${field} has no tokens`, field);
    if (tokens.length > context.batchSize) {
      throw new RequestError(
        `${field} has ${tokens.length} tokens, at most ${context.batchSize} can be embedded`,
        field,
      );
    }
    if (context.hasMemory) context.memory.clear();
    const outcome = context.decode(this.#batch.fill(tokens, { position: 0, outputs: "all" }));
    if (outcome !== "done") throw new RequestError(`${field} could not be computed (${outcome})`, field);
    const values =
      context.pooling === "none" ? context.outputs.tokenEmbedding(-1) : context.outputs.sequenceEmbedding(0);
    return { values: context.pooling === "rank" ? values : normalise(values), tokenCount: tokens.length };
  }

  create(params: EmbeddingParams): EmbeddingResponse {
    const inputs = promptList(params.input as never, "input");
    const length = this.#model.outputEmbeddingLength;
    const { dimensions, encoding_format: format = "float" } = params;
    if (
      dimensions !== undefined &&
      (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > length)
    ) {
      throw new RequestError(
        `dimensions must be an integer between 1 and ${length}, got ${dimensions}`,
        "dimensions",
      );
    }
    if (format !== "float" && format !== "base64") {
      throw new RequestError(
        `encoding_format must be float or base64, got ${String(format)}`,
        "encoding_format",
      );
    }
    let total = 0;
    const data = inputs.map((input, index) => {
      params.signal?.throwIfAborted();
      const { values, tokenCount } = this.embed(input, `input[${index}]`);
      total += tokenCount;
      const cut = dimensions === undefined ? values : normalise(values.slice(0, dimensions));
      const embedding = format === "base64" ? (base64(cut) as unknown as number[]) : Array.from(cut);
      return { index, object: "embedding" as const, embedding };
    });
    const usage = { prompt_tokens: total, total_tokens: total };
    return { object: "list", data, model: params.model ?? modelName(this.#model), usage };
  }

  dispose(): void {
    this.context.dispose();
  }

  #check(tokens: ArrayLike<number>, field: string): Int32Array {
    const { vocab } = this.#model;
    return Int32Array.from(tokens as ArrayLike<number>, (token, index) =>
      vocab.checkToken(token, `${field}[${index}]`),
    );
  }
}

function normalise(values: Float32Array): Float32Array {
  let sum = 0;
  for (const value of values) sum += value * value;
  const scale = sum > 0 ? 1 / Math.sqrt(sum) : 0;
  return values.map((value) => value * scale);
}

function base64(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64");
}
