import { RequestError } from "../../lib/errors.ts";
import type { EmbeddingRequest, Engine, EngineEmbedding } from "../engine/engine.ts";
import { allOrNone } from "./all-or-none.ts";
import { promptList } from "./completion.ts";
import { modelName } from "./response-head.ts";
import type { EmbeddingParams, EmbeddingResponse } from "./types.ts";

/** What embeddings need of an engine. */
export type EmbeddingEngine = Pick<Engine, "model" | "embed">;

/**
 * Embeddings of texts, like OpenAI's `/v1/embeddings`: of length 1 (Euclidean) unless the model ranks or does not pool.
 * @throws RequestError naming the field.
 */
export async function createEmbedding(
  engine: EmbeddingEngine,
  params: EmbeddingParams,
): Promise<EmbeddingResponse> {
  const inputs = promptList(params.input as never, "input");
  const length = engine.model.outputEmbeddingLength;
  const { dimensions, encoding_format: format = "float" } = params;
  if (dimensions !== undefined && (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > length)) {
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
  const { priority, timeout_ms: timeoutMs } = params;
  const results = await inTurn(inputs, params.signal, (input, signal, index) =>
    embed(engine, { input, priority, timeoutMs, signal }, `input[${index}]`),
  );
  let total = 0;
  const data = results.map(({ values, pooling, tokenCount }, index) => {
    total += tokenCount;
    const unit = pooling === "rank" ? values : normalise(values);
    const cut = dimensions === undefined ? unit : normalise(unit.slice(0, dimensions));
    const embedding = format === "base64" ? (base64(cut) as unknown as number[]) : Array.from(cut);
    return { index, object: "embedding" as const, embedding };
  });
  const usage = { prompt_tokens: total, total_tokens: total };
  return { object: "list", data, model: params.model ?? modelName(engine.model), usage };
}

/** Inputs of one request that wait at an engine at once: others have a place in its queue too. */
const atOnce = 64;

/**
 * Results in the order of the inputs, of which only so many are under way at once. Where one fails, the others are given up
 * by the signal that each is handed.
 */
export async function inTurn<I, O>(
  inputs: readonly I[],
  signal: AbortSignal | undefined,
  compute: (input: I, signal: AbortSignal, index: number) => Promise<O>,
): Promise<O[]> {
  const results: O[] = [];
  let next = 0;
  await allOrNone(signal, (either) => {
    const lane = async () => {
      while (next < inputs.length) {
        const index = next++;
        results[index] = await compute(inputs[index]!, either, index);
      }
    };
    return Promise.all(Array.from({ length: Math.min(atOnce, inputs.length) }, lane));
  });
  return results;
}

/** @throws what is wrong with the input, by its name. */
async function embed(
  engine: EmbeddingEngine,
  request: EmbeddingRequest,
  field: string,
): Promise<EngineEmbedding> {
  try {
    return await engine.embed(request);
  } catch (error) {
    if (error instanceof RequestError && error.field === "input")
      throw new RequestError(error.message.replace("the input", field), field);
    if (error instanceof RangeError || error instanceof TypeError)
      throw new RequestError(error.message.replace(/^prompt/, field), field);
    throw error;
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
