import { ContextOverflowError, RequestError } from "../../lib/errors.ts";
import type { Context } from "../context.ts";
import type { ActiveRequest } from "./active-request.ts";
import type { RequestSpec } from "./request.ts";

/** @throws RequestError for a prompt that no context of this length holds, RangeError for too little room. */
export function checkLength(
  { promptLength, capacity, maxTokens = Number.POSITIVE_INFINITY }: RequestSpec,
  contextLength: number,
): void {
  if (promptLength < 1) {
    throw new RequestError(
      "the prompt is empty; give at least one token (this model adds no BOS of its own)",
      "prompt",
    );
  }
  if (promptLength > contextLength) {
    throw new ContextOverflowError(promptLength, contextLength);
  }
  const most = Math.min(promptLength + maxTokens, contextLength + 1);
  if (capacity < most) throw new RangeError(`the extent has room for ${capacity} tokens, not ${most}`);
}

export function contextFull(contextLength: number): RequestError {
  return new RequestError(
    `the context is full (${contextLength} tokens); shorten the prompt or load with a larger contextLength`,
    "prompt",
  );
}

/** @throws RequestError where the context's model is an encoder alone, with nothing to go on from token by token. */
export function checkGenerates({ hasMemory }: Context): void {
  if (!hasMemory)
    throw new RequestError("this model is an encoder: it gives embeddings and generates no text");
}

/** Why a request is to end now by its own limits of time: with an error, or because its text is long enough. */
export function overdue(
  { spec, arrivedAt, promptDoneAt }: ActiveRequest,
  now: number,
): RequestError | "length" | undefined {
  const { timeoutMs, predictMs } = spec;
  if (timeoutMs !== undefined && now - arrivedAt > timeoutMs)
    return new RequestError(`the request took longer than ${timeoutMs} ms`, "timeout");
  return predictMs !== undefined && now - (promptDoneAt ?? now) > predictMs ? "length" : undefined;
}
