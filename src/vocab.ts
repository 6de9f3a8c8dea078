import { checkInteger, type Native, type Pointer } from "../ffi/index.ts";
import { DisposedError, RequestError } from "../lib/errors.ts";
import type { Model } from "./model.ts";

export interface TokenizeOptions {
  /** Add what the model wants around a text, such as BOS. Default true. */
  addSpecial?: boolean;
  /** Let text such as "<|im_end|>" become its control token. Default false, which is right for foreign text. */
  parseSpecial?: boolean;
}

/** Where {@link Vocab.tokenizeInto} appends: a buffer of the token arena fits. */
export interface TokenTarget {
  length: number;
  /** Makes room for `count` tokens in all. */
  reserve(count: number): void;
  readonly storage: Int32Array;
}

export type VocabType = "none" | "spm" | "bpe" | "wpm" | "ugm" | "rwkv" | "plamo2" | "test";
const vocabTypes: readonly VocabType[] = ["none", "spm", "bpe", "wpm", "ugm", "rwkv", "plamo2", "test"];

const attributeBits = {
  unknown: 1,
  unused: 2,
  normal: 4,
  control: 8,
  userDefined: 16,
  byte: 32,
  normalized: 64,
  lstrip: 128,
  rstrip: 256,
  singleWord: 512,
} as const;
export type TokenAttribute = keyof typeof attributeBits;

const overflow = -(2 ** 31);

/**
 * The vocabulary of a model; borrowed from it, so it throws `DisposedError` once the model is disposed. libllama throws
 * C++ exceptions, which end the process, on a token out of range: every id is checked here first.
 */
export class Vocab {
  readonly #model: Model;
  readonly #native: Native;
  /** Number of tokens. */
  readonly size: number;
  readonly type: VocabType;
  readonly #pieces = [new Map<number, Uint8Array>(), new Map<number, Uint8Array>()] as const;
  #scratch: Uint8Array;
  #endOfGeneration: Uint8Array | undefined;

  /** Made by {@link Model}. */
  constructor(model: Model) {
    this.#model = model;
    this.#native = model.native;
    this.size = this.#native.c.llama_vocab_n_tokens(this.pointer);
    this.type = vocabTypes[this.#native.c.llama_vocab_type(this.pointer)] ?? "none";
    this.#scratch = this.#native.memory.allocate(256);
  }

  /** @throws DisposedError */
  get pointer(): Pointer<"llama_vocab"> {
    return this.#native.c.llama_model_get_vocab(this.#model.pointer) as Pointer<"llama_vocab">;
  }

  /**
   * Token ids of a text (`llama_tokenize`).
   * @throws TypeError for a lone surrogate or invalid UTF-8, on which libllama would end the process.
   */
  tokenize(text: string | Uint8Array, options: TokenizeOptions = {}): Int32Array {
    let storage = new Int32Array(0);
    const target: TokenTarget = {
      length: 0,
      reserve: (count) => {
        if (count > storage.length) storage = new Int32Array(new ArrayBuffer(4 * count));
      },
      get storage() {
        return storage;
      },
    };
    const count = this.tokenizeInto(target, text, options);
    return storage.subarray(0, count);
  }

  /** Appends the token ids of a text to a buffer, written there by libllama itself. @returns how many. */
  tokenizeInto(target: TokenTarget, text: string | Uint8Array, options: TokenizeOptions = {}): number {
    const bytes = this.#utf8(text);
    const length = bytes.length - 1;
    const { c, memory } = this.#native;
    const vocab = this.#tokenizer();
    const run = (capacity: number): number => {
      const start = target.length;
      target.reserve(start + capacity);
      return c.llama_tokenize(
        vocab,
        memory.addressOf(bytes),
        length,
        memory.addressOf(target.storage.subarray(start)),
        capacity,
        options.addSpecial ?? true,
        options.parseSpecial ?? false,
      );
    };
    // Most texts have fewer tokens than bytes divided by two; the exact count comes back where that was too few.
    let count = run(Math.ceil(length / 2) + 8);
    if (count < 0 && count !== overflow) count = run(-count);
    if (count < 0) throw new RangeError("the text has too many tokens");
    target.length += count;
    return count;
  }

  /** Text of tokens; incomplete or invalid UTF-8 gives U+FFFD. */
  detokenize(
    tokens: ArrayLike<number>,
    options: { removeSpecial?: boolean; special?: boolean } = {},
  ): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.detokenizeBytes(tokens, options));
  }

  /** Bytes of the text of tokens (`llama_detokenize`). */
  detokenizeBytes(
    tokens: ArrayLike<number>,
    options: { removeSpecial?: boolean; special?: boolean } = {},
  ): Uint8Array {
    const ids = new Int32Array(new ArrayBuffer(4 * tokens.length));
    for (let index = 0; index < ids.length; index++)
      ids[index] = this.checkToken(tokens[index]!, `tokens[${index}]`);
    if (ids.length === 0) return new Uint8Array(0);
    const { c, memory } = this.#native;
    const vocab = this.#tokenizer();
    const address = memory.addressOf(ids);
    const run = (bytes: Uint8Array) =>
      c.llama_detokenize(
        vocab,
        address,
        ids.length,
        memory.addressOf(bytes),
        bytes.length,
        options.removeSpecial ?? false,
        options.special ?? false,
      );
    let bytes = memory.allocate(8 * ids.length + 16);
    let count = run(bytes);
    if (count < 0) {
      bytes = memory.allocate(-count);
      count = run(bytes);
    }
    return bytes.subarray(0, Math.max(0, count));
  }

  /** Bytes of one token (`llama_token_to_piece`), of any length; cached and shared: do not change them. */
  pieceBytes(token: number, { special = false }: { special?: boolean } = {}): Uint8Array {
    this.#assertUsable();
    const cache = this.#pieces[special ? 1 : 0];
    const known = cache.get(token);
    if (known) return known;
    this.checkToken(token, "token");
    const { c, memory } = this.#native;
    const vocab = this.#tokenizer();
    const run = () =>
      c.llama_token_to_piece(vocab, token, memory.addressOf(this.#scratch), this.#scratch.length, 0, special);
    let count = run();
    if (count < 0) {
      this.#scratch = memory.allocate(-count);
      count = run();
    }
    const piece = this.#scratch.slice(0, Math.max(0, count));
    cache.set(token, piece);
    return piece;
  }

  /** The token as the vocabulary spells it, such as "Ġhello". */
  text(token: number): string {
    this.checkToken(token, "token");
    return (
      this.#native.memory.readString(this.#native.c.llama_vocab_get_text(this.#tokenizer(), token)) ?? ""
    );
  }

  score(token: number): number {
    return this.#native.c.llama_vocab_get_score(this.#tokenizer(), this.checkToken(token, "token"));
  }

  attributes(token: number): TokenAttribute[] {
    const bits = this.#native.c.llama_vocab_get_attr(this.#tokenizer(), this.checkToken(token, "token"));
    return (Object.keys(attributeBits) as TokenAttribute[]).filter(
      (name) => (bits & attributeBits[name]) !== 0,
    );
  }

  /** Whether a token ends a text or turn. Asked for every token generated, hence read once for all. */
  isEndOfGeneration(token: number): boolean {
    this.#assertUsable();
    this.checkToken(token, "token");
    if (!this.#endOfGeneration) {
      const vocab = this.#tokenizer();
      this.#endOfGeneration = Uint8Array.from({ length: this.size }, (_, id) =>
        Number(this.#native.c.llama_vocab_is_eog(vocab, id)),
      );
    }
    return this.#endOfGeneration[token] === 1;
  }

  /** All tokens that end a text or turn. */
  get endOfGenerationTokens(): number[] {
    return Array.from({ length: this.size }, (_, token) => token).filter((token) =>
      this.isEndOfGeneration(token),
    );
  }

  /** Text of a token as control tokens are written, "" for none. */
  specialText(token: number | undefined): string {
    if (token === undefined || this.type === "none") return "";
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.pieceBytes(token, { special: true }));
  }

  isControl(token: number): boolean {
    return this.#native.c.llama_vocab_is_control(this.#tokenizer(), this.checkToken(token, "token"));
  }

  get bos(): number | undefined {
    return known(this.#native.c.llama_vocab_bos(this.pointer));
  }
  get eos(): number | undefined {
    return known(this.#native.c.llama_vocab_eos(this.pointer));
  }
  get eot(): number | undefined {
    return known(this.#native.c.llama_vocab_eot(this.pointer));
  }
  get sep(): number | undefined {
    return known(this.#native.c.llama_vocab_sep(this.pointer));
  }
  get nl(): number | undefined {
    return known(this.#native.c.llama_vocab_nl(this.pointer));
  }
  get pad(): number | undefined {
    return known(this.#native.c.llama_vocab_pad(this.pointer));
  }
  get mask(): number | undefined {
    return known(this.#native.c.llama_vocab_mask(this.pointer));
  }
  get fimPrefix(): number | undefined {
    return known(this.#native.c.llama_vocab_fim_pre(this.pointer));
  }
  get fimSuffix(): number | undefined {
    return known(this.#native.c.llama_vocab_fim_suf(this.pointer));
  }
  get fimMiddle(): number | undefined {
    return known(this.#native.c.llama_vocab_fim_mid(this.pointer));
  }
  get fimPad(): number | undefined {
    return known(this.#native.c.llama_vocab_fim_pad(this.pointer));
  }
  get fimRepository(): number | undefined {
    return known(this.#native.c.llama_vocab_fim_rep(this.pointer));
  }
  get fimSeparator(): number | undefined {
    return known(this.#native.c.llama_vocab_fim_sep(this.pointer));
  }

  get addBos(): boolean {
    return this.#native.c.llama_vocab_get_add_bos(this.pointer);
  }
  get addEos(): boolean {
    return this.#native.c.llama_vocab_get_add_eos(this.pointer);
  }
  get addSep(): boolean {
    return this.#native.c.llama_vocab_get_add_sep(this.pointer);
  }

  /** Tokens that the model's file says must not be generated. */
  get suppressTokens(): Int32Array {
    const { c, memory } = this.#native;
    const count = new Int32Array(new ArrayBuffer(8));
    const address = c.llama_vocab_get_suppress_tokens(this.pointer, memory.addressOf(count));
    if (address === 0 || count[0] === 0) return new Int32Array(0);
    return new Int32Array(memory.read(address, 4 * count[0]!).buffer as ArrayBuffer);
  }

  /** @throws TypeError, RangeError naming `what` where it is no token of this vocabulary. */
  checkToken(token: number, what: string): number {
    if (!Number.isInteger(token)) checkInteger(token, "i32", what);
    if (token < 0 || token >= this.size) {
      throw new RangeError(`${what} must be a token between 0 and ${this.size - 1}, got ${token}`);
    }
    return token;
  }

  /** What is cached must not outlive the model either. */
  #assertUsable(): void {
    if (this.#model.disposed) throw new DisposedError("Model");
  }

  /** The pointer, for calls on which libllama asserts that there is a tokenizer. */
  #tokenizer(): Pointer<"llama_vocab"> {
    const pointer = this.pointer;
    if (this.type === "none")
      throw new RequestError("this model has no tokenizer; pass token ids instead of text");
    return pointer;
  }

  /** The text and a NUL, so that even an empty text has an address. */
  #utf8(text: string | Uint8Array): Uint8Array {
    if (typeof text === "string") {
      if (!text.isWellFormed()) {
        throw new TypeError("the text contains a lone surrogate; pass text.toWellFormed() to replace it");
      }
      return this.#terminated(new TextEncoder().encode(text));
    }
    if (!(text instanceof Uint8Array))
      throw new TypeError(`text must be a string or Uint8Array, got ${typeof text}`);
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(text);
    } catch (cause) {
      throw new TypeError("the text is not valid UTF-8; decode it first with the encoding it has", { cause });
    }
    return this.#terminated(text);
  }

  #terminated(text: Uint8Array): Uint8Array {
    if (text.length > 0x7ffffff0)
      throw new RangeError(`the text has ${text.length} bytes, at most 2 GiB can be tokenized`);
    const bytes = this.#native.memory.allocate(text.length + 1);
    bytes.set(text);
    return bytes;
  }
}

function known(token: number): number | undefined {
  return token < 0 ? undefined : token;
}
