import { ContextOverflowError } from "../../lib/errors.ts";
import type { TokenArena } from "../../lib/token-arena.ts";
import type { TokenizeOptions, Vocab } from "../vocab.ts";
import type { EngineRequest } from "./engine.ts";
import { ReplyMemory } from "./reply-memory.ts";
import type { TextThread } from "./text-thread.ts";

/** A prompt in the token memory, with room behind it for what will be generated. */
export interface WrittenPrompt {
  readonly byteOffset: number;
  /** Tokens there is room for. */
  readonly capacity: number;
  readonly promptLength: number;
}

export type PromptRequest = Pick<
  EngineRequest,
  "prompt" | "addSpecial" | "parseSpecial" | "maxTokens" | "cacheSalt"
>;

/** Characters that are tokenised on the calling thread; it takes about a millisecond. */
const shortText = 8192;

/** Tokenises prompts to where they will be compared and decoded. */
export class PromptWriter {
  readonly replies = new ReplyMemory();
  readonly #arena: TokenArena;
  readonly #vocab: Vocab;
  readonly #contextLength: number;
  readonly #startThread: () => TextThread;
  #thread: TextThread | undefined;

  /** @param contextLength most tokens of a request; a longer prompt is written all the same, to be refused by name. */
  constructor(parts: {
    arena: TokenArena;
    vocab: Vocab;
    contextLength: number;
    startThread: () => TextThread;
  }) {
    this.#arena = parts.arena;
    this.#vocab = parts.vocab;
    this.#contextLength = parts.contextLength;
    this.#startThread = parts.startThread;
  }

  /**
   * Writes a prompt; a long one is tokenised on another thread meanwhile.
   * @throws ContextOverflowError, later, for a text that cannot fit; TypeError, RangeError for tokens that the vocabulary does not have; RangeError where the arena is full.
   */
  write(request: PromptRequest): WrittenPrompt | Promise<WrittenPrompt> {
    const { prompt } = request;
    if (typeof prompt !== "string") return this.#place(this.#checked(prompt), request);
    const known = this.#knownStart(prompt, request);
    const rest = known ? prompt.length - known.text.length : prompt.length;
    if (rest > shortText) return this.#writeLong(prompt, request, known);
    if (known) {
      const tail = this.#vocab.tokenize(prompt.slice(known.text.length), behindKnown);
      if (this.#mayFollow(tail)) return this.#place(joined(known.tokens, tail), request);
    }
    return prompt.length > shortText
      ? this.#writeLong(prompt, request, undefined)
      : this.#writeShort(prompt, request);
  }

  /** Token ids of a text that is no prompt. */
  async tokenize(text: string, options: TokenizeOptions = {}): Promise<Int32Array> {
    const { addSpecial = true, parseSpecial = true } = options;
    if (text.length > shortText)
      return (await this.#textThread().tokenize(text, { addSpecial, parseSpecial })) as Int32Array;
    return this.#vocab.tokenize(text, { addSpecial, parseSpecial });
  }

  /** Whether another thread is using the model for it. */
  get busy(): boolean {
    return this.#thread?.busy ?? false;
  }

  /** Resolves when no thread but the caller's uses the model any longer. */
  async close(): Promise<void> {
    await this.#thread?.close();
  }

  #writeShort(prompt: string, request: PromptRequest): WrittenPrompt {
    const buffer = this.#arena.allocate((prompt.length >> 1) + 64);
    try {
      this.#vocab.tokenizeInto(buffer, prompt, tokenizing(request));
      const promptLength = buffer.length;
      const capacity = this.#capacity(promptLength, request);
      return { byteOffset: buffer.surrender(capacity).byteOffset, capacity, promptLength };
    } catch (error) {
      buffer.release();
      throw error;
    }
  }

  async #writeLong(
    prompt: string,
    request: PromptRequest,
    known: { text: string; tokens: Int32Array } | undefined,
  ): Promise<WrittenPrompt> {
    if (known) {
      const tail = await this.#tokenizeLong(prompt.slice(known.text.length), behindKnown);
      if (this.#mayFollow(tail)) return this.#place(joined(known.tokens, tail), request);
    }
    const tokens = await this.#tokenizeLong(prompt, tokenizing(request));
    return this.#place(tokens, request);
  }

  /** @throws ContextOverflowError for a text that cannot fit, whatever its tokens are */
  async #tokenizeLong(text: string, options: Required<TokenizeOptions>): Promise<Int32Array> {
    const tokens = await this.#textThread().tokenize(text, options, this.#contextLength);
    if (typeof tokens === "number") throw new ContextOverflowError(tokens, this.#contextLength);
    return tokens;
  }

  #place(tokens: Int32Array, request: PromptRequest): WrittenPrompt {
    const promptLength = tokens.length;
    const capacity = this.#capacity(promptLength, request);
    const buffer = this.#arena.allocate(capacity);
    buffer.storage.set(tokens);
    return { byteOffset: buffer.surrender(capacity).byteOffset, capacity, promptLength };
  }

  #capacity(promptLength: number, { maxTokens = Number.POSITIVE_INFINITY }: PromptRequest): number {
    // One token more than the context holds: the last one sampled is never computed.
    const room = Math.max(0, Math.min(maxTokens, this.#contextLength + 1 - promptLength));
    return Math.max(1, promptLength + room);
  }

  #checked(prompt: ArrayLike<number>): Int32Array {
    if (typeof prompt !== "object" || prompt === null || !Number.isInteger(prompt.length))
      throw new TypeError(`prompt must be text or a list of token ids, got ${String(prompt)}`);
    const tokens = new Int32Array(prompt.length);
    for (let index = 0; index < tokens.length; index++)
      tokens[index] = this.#vocab.checkToken(prompt[index]!, `prompt[${index}]`);
    return tokens;
  }

  /** A known text that the prompt begins with, where both are tokenised alike. */
  #knownStart(prompt: string, { addSpecial = true, parseSpecial = true, cacheSalt = "" }: PromptRequest) {
    if (this.replies.size === 0 || !addSpecial || !parseSpecial) return undefined;
    return this.#vocab.addEos || this.#vocab.addSep ? undefined : this.replies.find(prompt, cacheSalt);
  }

  /** Whether tokens may stand behind a known text: only a control token keeps what surrounds it apart. */
  #mayFollow(tail: Int32Array): boolean {
    const [first] = tail;
    if (first === undefined) return true;
    const attributes = this.#vocab.attributes(first);
    return attributes.includes("control") || attributes.includes("userDefined");
  }

  #textThread(): TextThread {
    if (!this.#thread || this.#thread.dead) this.#thread = this.#startThread();
    return this.#thread;
  }
}

const behindKnown = { addSpecial: false, parseSpecial: true } as const;

function tokenizing({ addSpecial = true, parseSpecial = true }: PromptRequest) {
  return { addSpecial, parseSpecial };
}

function joined(a: Int32Array, b: Int32Array): Int32Array {
  const both = new Int32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
