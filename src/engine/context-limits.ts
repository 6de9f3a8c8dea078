import { RequestError } from "../../lib/errors.ts";
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
    throw new RequestError(
      `the prompt has ${promptLength} tokens, the context holds ${contextLength}; ` +
        "shorten it or load with a larger contextLength",
      "prompt",
    );
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
