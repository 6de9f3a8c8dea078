import { DecodeError, RequestError } from "../../lib/errors.ts";
import { Batch } from "../batch.ts";
import type { Context } from "../context.ts";
import type { ActiveRequest } from "./active-request.ts";

/**
 * Has the encoder of an encoder-decoder model compute a request's prompt. What the request has to compute then is the
 * decoder's text, which begins with a token of its own. The context knows the prompt that was encoded last alone.
 *
 * Source: `llama_encode`, `llama_model_decoder_start_token` of llama.h.
 *
 * @throws RequestError for a prompt that is too long for one batch; DecodeError.
 */
export function encodePrompt(request: ActiveRequest, context: Context): void {
  const prompt = request.encoded ?? Int32Array.from(request.tokens.view);
  const most = Math.min(context.microBatchSize, context.batchSize);
  if (prompt.length > most) {
    throw new RequestError(
      `the prompt has ${prompt.length} tokens, the encoder takes ${most} at once; shorten it or load with a larger microBatchSize`,
      "prompt",
    );
  }
  const tokens = new Int32Array(new ArrayBuffer(4 * prompt.length));
  tokens.set(prompt);
  const batch = new Batch(context.native, { capacity: prompt.length });
  const outcome = context.encode(batch.fill(tokens, { position: 0, outputs: "all" }));
  if (outcome !== "done") throw new DecodeError(`the encoder could not compute the prompt (${outcome})`, 0);
  const { decoderStartToken, vocab } = context.model;
  const first = decoderStartToken ?? vocab.bos;
  if (first === undefined) throw new RequestError("the model names no token that its decoder begins with");
  request.beginDecoder(prompt, first);
}
