import type { TokenArena } from "../../lib/token-arena.ts";
import type { Vocab } from "../vocab.ts";
import type { EngineRequest } from "./engine.ts";

/** A prompt in the token memory, with room behind it for what will be generated. */
export interface WrittenPrompt {
  readonly byteOffset: number;
  /** Tokens there is room for. */
  readonly capacity: number;
  readonly promptLength: number;
}

/**
 * Tokenises a prompt to where it will be compared and decoded.
 * @param contextLength most tokens that a request can have; a longer prompt is written all the same, to be refused by name.
 * @throws TypeError, RangeError for tokens that the vocabulary does not have.
 */
export function writePrompt(
  arena: TokenArena,
  vocab: Vocab,
  request: EngineRequest,
  contextLength: number,
): WrittenPrompt {
  const { prompt, addSpecial = true, parseSpecial = true, maxTokens = Number.POSITIVE_INFINITY } = request;
  const buffer = arena.allocate(typeof prompt === "string" ? (prompt.length >> 1) + 64 : prompt.length + 64);
  try {
    if (typeof prompt === "string") vocab.tokenizeInto(buffer, prompt, { addSpecial, parseSpecial });
    else {
      buffer.reserve(prompt.length);
      for (let index = 0; index < prompt.length; index++)
        buffer.append(vocab.checkToken(prompt[index]!, `prompt[${index}]`));
    }
    const promptLength = buffer.length;
    // One token more than the context holds: the last one sampled is never computed.
    const room = Math.max(0, Math.min(maxTokens, contextLength + 1 - promptLength));
    const capacity = Math.max(1, promptLength + room);
    return { byteOffset: buffer.surrender(capacity).byteOffset, capacity, promptLength };
  } catch (error) {
    buffer.release();
    throw error;
  }
}
