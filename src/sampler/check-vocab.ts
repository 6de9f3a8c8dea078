import type { Model } from "../model.ts";
import type { Vocab } from "../vocab.ts";

/** libllama cuts longer ones, in the middle of a character if need be. */
const longestBreaker = 40;
/** Tokenizers known to take the pieces of characters that libllama cuts breakers into. */
const toleratesPieces: readonly string[] = ["bpe", "spm"];

/** @throws TypeError, RangeError for DRY breakers that libllama would skip, cut or crash on. */
export function checkBreakers(vocab: Vocab, breakers: readonly string[]): void {
  if (vocab.type === "none") throw new TypeError("dry needs a tokenizer, and this model has none");
  for (const [index, breaker] of breakers.entries()) {
    const field = `dry_sequence_breakers[${index}]`;
    if (typeof breaker !== "string") throw new TypeError(`${field} must be a string, got ${typeof breaker}`);
    const { length } = new TextEncoder().encode(breaker);
    if (length === 0 || length > longestBreaker) {
      throw new RangeError(`${field} must have between 1 and ${longestBreaker} bytes, got ${length}`);
    }
    if (length !== breaker.length && !toleratesPieces.includes(vocab.type)) {
      throw new RangeError(`${field} must be ASCII for this model's ${vocab.type} vocabulary`);
    }
  }
}

/** libllama's buffers for two tokens' texts; it fails to enlarge them. */
const longestPiece = 512;

/** @throws TypeError for a model whose vocabulary libllama's infill sampler would assert or throw on. */
export function checkInfill({ vocab }: Model): void {
  if (vocab.type === "none" || (vocab.eot ?? vocab.eos) === undefined) {
    throw new TypeError("infill needs a model whose vocabulary has an end token");
  }
  for (let token = 0; token < vocab.size; token++) {
    if (vocab.pieceBytes(token).length > longestPiece) {
      throw new TypeError(`infill cannot be used: token ${token} has more than ${longestPiece} bytes`);
    }
  }
}
