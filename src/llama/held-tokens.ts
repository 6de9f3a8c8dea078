import type { TokenArena, TokenBuffer } from "../../lib/index.ts";
import type { Context } from "../context.ts";
import { keepPrefix } from "../sequence-prefix.ts";

/**
 * The tokens of one sequence that a context holds, kept beside its memory: `held[i]` is at position i.
 *
 *   [0, cachedLength)            in the cache, shared with the new prompt
 *   [cachedLength, totalLength)  to be computed
 */
export class HeldTokens {
  readonly #arena: TokenArena;
  readonly #context: Context;
  readonly #sequence: number;
  #held: TokenBuffer;
  /** The buffer a new prompt is tokenised into; it changes places with `held`, so that tokens are never copied. */
  #spare: TokenBuffer;

  constructor(arena: TokenArena, context: Context, sequence = 0) {
    this.#arena = arena;
    this.#context = context;
    this.#sequence = sequence;
    this.#held = arena.allocate(256);
    this.#spare = arena.allocate(256);
  }

  /** Tokens in the context. */
  get length(): number {
    return this.#held.length;
  }

  /** Borrowed view of the tokens in the context; valid until they change. */
  view(start?: number, end?: number): Int32Array {
    return this.#held.view(start, end);
  }

  /** An empty buffer for the next prompt; what an earlier call left in it is dropped. */
  prompt(): TokenBuffer {
    this.#spare.truncate(0);
    return this.#spare;
  }

  /**
   * Makes the context hold exactly the prefix that the prompt of {@link prompt} shares with it, and that prompt's tokens
   * the ones to compute next.
   * @returns cachedLength: how many leading tokens need no computing. At least one token is left to compute, since
   *   logits exist only for what is decoded.
   */
  adopt({ reuse }: { reuse: boolean }): number {
    const prompt = this.#spare;
    const common = reuse ? this.#arena.commonPrefix(this.#held, prompt) : 0;
    const wanted = Math.min(common, prompt.length - 1);
    const cachedLength = keepPrefix(this.#context, this.#sequence, wanted);
    this.#spare = this.#held;
    this.#held = prompt;
    return cachedLength;
  }

  /** Drops what lies beyond `length` from the context and from here; for after an abort. */
  truncate(length: number): void {
    this.#held.truncate(length);
  }

  /** Notes a token that is about to be decoded at position `length`. */
  append(token: number): void {
    this.#held.append(token);
  }

  /** Forgets everything, in the context too. */
  clear(): void {
    if (this.#context.hasMemory) this.#context.memory.clear();
    this.#held.truncate(0);
  }

  release(): void {
    this.#held.release();
    this.#spare.release();
  }
}
