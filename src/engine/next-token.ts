import type { TokenMemory } from "../../lib/token-memory.ts";
import type { ActiveRequest } from "./active-request.ts";
import type { EngineCounters } from "./counters.ts";
import type { KvLayout } from "./kv-layout.ts";
import { checkedLogits, pickToken } from "./pick-token.ts";
import type { EndReason, EngineSink } from "./request.ts";

export interface TokenParts {
  readonly layout: KvLayout;
  readonly memory: TokenMemory;
  readonly sink: EngineSink;
  readonly counters: EngineCounters;
}

/**
 * Chooses a request's next token from the logits of batch token `index`, or gives them to its caller.
 * @returns why the text ends with it; undefined where it goes on, or waits for its caller.
 * @throws DecodeError where the logits are none; RequestError.
 */
export function nextToken(
  request: ActiveRequest,
  index: number,
  { layout, memory, sink, counters }: TokenParts,
): EndReason | undefined {
  const { spec } = request;
  const { context } = layout;
  const sequence = request.sequence!;
  request.promptDone(performance.now());
  if (reachedLimit(request)) {
    // Nobody looks at the logits of a prompt that is only to be kept; what is kept must be sound.
    checkedLogits(context, index);
    sequence.soundLength = sequence.computedLength;
    return "length";
  }
  if (spec.logitsOffset !== undefined) {
    const { logits } = checkedLogits(context, index);
    sequence.soundLength = sequence.computedLength;
    new Float32Array(memory.memory.buffer, spec.logitsOffset, logits.length).set(logits);
    request.awaitsToken = true;
    sink.logits(request.id);
    return undefined;
  }
  const sampled = pickToken(request, context, index);
  sequence.soundLength = sequence.computedLength;
  request.write(sampled.token);
  request.generated(performance.now());
  counters.generatedTokens++;
  sink.token(request.id, sampled);
  if (!spec.ignoreEos && context.model.vocab.isEndOfGeneration(sampled.token)) return "stop";
  if (reachedLimit(request)) return "length";
  if (request.totalLength < layout.sequenceLength) {
    request.grow();
    return undefined;
  }
  if (!spec.contextShift || request.encoded) return "length";
  request.awaitsRoom = true;
  sink.wantsRoom(request.id);
  return undefined;
}

function reachedLimit({ spec, generatedLength }: ActiveRequest): boolean {
  return generatedLength >= (spec.maxTokens ?? Number.POSITIVE_INFINITY);
}
