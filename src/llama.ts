import { readFile, writeFile } from "node:fs/promises";
import { DisposedError, RequestError } from "../lib/errors.ts";
import { logitsToLogprobs, longestCommonPrefix } from "../lib/index.ts";
import { type ChatTemplate, resolveChatTemplate } from "./chat/index.ts";
import type { Context } from "./context.ts";
import type { ContextOptions } from "./context-options.ts";
import { embeddedModelPath } from "./embedded-model.ts";
import { chatAtOnce, renderChat, streamChat } from "./llama/chat-completion.ts";
import { completeAtOnce, streamCompletion } from "./llama/completion.ts";
import { LlamaCore, type Prompt } from "./llama/core.ts";
import { Embedder } from "./llama/embedding.ts";
import { decodeState, encodeState, type LlamaState } from "./llama/state.ts";
import { TokenStream } from "./llama/token-stream.ts";
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionParams,
  Completion,
  CompletionChunk,
  CompletionParams,
  EmbeddingParams,
  EmbeddingResponse,
  GenerationParams,
} from "./llama/types.ts";
import { Model } from "./model.ts";
import type { ModelOptions } from "./model-options.ts";
import type { SamplerChain } from "./sampler.ts";
import { createSampler, type SamplingParams } from "./sampling-params.ts";
import type { TokenizeOptions } from "./vocab.ts";

export interface LlamaOptions extends ModelOptions, ContextOptions {
  /** Jinja source to use instead of the model's own chat template. */
  chatTemplate?: string | undefined;
  /** Short name of a built-in chat template. */
  chatTemplateName?: string | undefined;
  /** LoRA adapters to apply. */
  adapters?: readonly { path: string; scale?: number }[] | undefined;
}

/**
 * A model ready to answer, with a cache that makes a growing conversation pay for its new tokens only.
 *
 * One generation runs at a time. Close it, or declare it with `await using`.
 */
export class Llama implements AsyncDisposable {
  readonly model: Model;
  readonly chatTemplate: ChatTemplate;
  readonly #core: LlamaCore;
  readonly #options: LlamaOptions;
  #embedder: Embedder | undefined;
  #sampler: { params: SamplingParams; chain: SamplerChain } | undefined;

  private constructor(model: Model, options: LlamaOptions) {
    this.model = model;
    this.#options = options;
    const special = (token: number | undefined) =>
      token === undefined || model.vocab.type === "none"
        ? ""
        : new TextDecoder().decode(model.vocab.pieceBytes(token, { special: true }));
    this.chatTemplate = resolveChatTemplate({
      explicit: options.chatTemplate,
      named: options.chatTemplateName,
      metadata: model.metadata,
      bosToken: special(model.vocab.bos),
      eosToken: special(model.vocab.eos),
    });
    this.#core = new LlamaCore(model, options);
  }

  /** Loads a GGUF file; without a path, the tiny model that comes with cria. */
  static async load(path: string = embeddedModelPath(), options: LlamaOptions = {}): Promise<Llama> {
    const model = await Model.load(path, options);
    try {
      const llama = new Llama(model, options);
      const adapters = (options.adapters ?? []).map(({ path: file, scale = 1 }) => ({
        adapter: model.loadAdapter(file),
        scale,
      }));
      if (adapters.length > 0) llama.context.setAdapters(adapters);
      return llama;
    } catch (error) {
      model.dispose();
      throw error;
    }
  }

  /** Length of the longest common prefix of two token lists. */
  static longestTokenPrefix(a: ArrayLike<number>, b: ArrayLike<number>): number {
    const view = (list: ArrayLike<number>) => (list instanceof Int32Array ? list : Int32Array.from(list));
    return longestCommonPrefix(view(a), view(b));
  }

  /** Log-probabilities of logits. Shape [vocabulary]; a new array. */
  static logitsToLogprobs(logits: Float32Array): Float32Array {
    return logitsToLogprobs(logits);
  }

  /** The context underneath, for what this class does not offer. Changing its memory invalidates `tokens`: call `reset()`. */
  get context(): Context {
    return this.#core.context;
  }

  /** Scalar metadata of the model file. */
  get metadata(): ReadonlyMap<string, string> {
    return this.model.metadata;
  }
  get vocabSize(): number {
    return this.model.vocab.size;
  }
  get contextLength(): number {
    return this.context.sequenceLength;
  }
  get embeddingLength(): number {
    return this.model.outputEmbeddingLength;
  }
  /** Tokens that the context holds; a borrowed view, valid until the next call that computes. */
  get tokens(): Int32Array {
    this.#assertOpen();
    return this.#core.held.view();
  }
  /** Logits of the last token computed. Shape [vocabulary]; overwritten by the next call. */
  get logits(): Float32Array {
    this.#assertOpen();
    return this.context.logits(-1);
  }

  tokenize(text: string | Uint8Array, options?: TokenizeOptions): Int32Array {
    return this.model.vocab.tokenize(text, options);
  }

  detokenize(tokens: ArrayLike<number>, options?: { removeSpecial?: boolean; special?: boolean }): string {
    return this.model.vocab.detokenize(tokens, options);
  }

  /** The prompt text of a chat. */
  applyChatTemplate(params: ChatCompletionParams): string {
    return renderChat(this.chatTemplate, params);
  }

  /** Forgets all tokens. */
  reset(): void {
    this.#assertOpen();
    const occupied = this.#core.occupy();
    this.#core.held.clear();
    occupied.release();
  }

  /** Computes tokens behind those that the context holds. */
  async eval(tokens: ArrayLike<number>, options: { signal?: AbortSignal } = {}): Promise<void> {
    const occupied = this.#core.occupy();
    try {
      for (let index = 0; index < tokens.length; index++)
        this.model.vocab.checkToken(tokens[index]!, `tokens[${index}]`);
      if (this.#core.held.length + tokens.length > this.contextLength) {
        throw new RequestError(
          `${tokens.length} more tokens do not fit the context of ${this.contextLength}`,
          "tokens",
        );
      }
      await this.#core.extend(tokens, options);
    } finally {
      occupied.release();
    }
  }

  /**
   * Chooses a token from the logits of the last one computed. The same `params` object keeps its sampler, with what it
   * remembers (penalties, random state), from call to call.
   */
  sample(params: SamplingParams = {}): number {
    this.#assertOpen();
    if (this.#sampler?.params !== params) {
      this.#sampler?.chain.dispose();
      const chain = createSampler(this.model, params, { contextLength: this.contextLength });
      chain.acceptPrompt(this.#core.held.view());
      this.#sampler = { params, chain };
    }
    const { chain } = this.#sampler as { chain: SamplerChain };
    return chain.sample(this.context, -1);
  }

  /**
   * Generates token ids from a prompt, computing only what the context does not hold already. Ends after the token that
   * ends a text, at `max_tokens`, or when the context is full.
   */
  generate(prompt: Prompt, params: GenerationParams = {}): TokenStream {
    return new TokenStream(this.#core, prompt, params);
  }

  createCompletion(params: CompletionParams & { stream: true }): AsyncGenerator<CompletionChunk, void>;
  createCompletion(params: CompletionParams & { stream?: false | null | undefined }): Promise<Completion>;
  /** Continues text, like OpenAI's `/v1/completions`. */
  createCompletion(params: CompletionParams): AsyncGenerator<CompletionChunk, void> | Promise<Completion> {
    return params.stream ? streamCompletion(this.#core, params) : completeAtOnce(this.#core, params);
  }

  createChatCompletion(
    params: ChatCompletionParams & { stream: true },
  ): AsyncGenerator<ChatCompletionChunk, void>;
  createChatCompletion(
    params: ChatCompletionParams & { stream?: false | null | undefined },
  ): Promise<ChatCompletion>;
  /** Answers a chat, like OpenAI's `/v1/chat/completions`. */
  createChatCompletion(
    params: ChatCompletionParams,
  ): AsyncGenerator<ChatCompletionChunk, void> | Promise<ChatCompletion> {
    return params.stream
      ? streamChat(this.#core, this.chatTemplate, params)
      : chatAtOnce(this.#core, this.chatTemplate, params);
  }

  /** Embeddings of texts, like OpenAI's `/v1/embeddings`; computed in a context of its own, made on first use. */
  async createEmbedding(params: EmbeddingParams): Promise<EmbeddingResponse> {
    const occupied = this.#core.occupy();
    try {
      this.#embedder ??= new Embedder(this.model, this.#options);
      return this.#embedder.create(params);
    } finally {
      occupied.release();
    }
  }

  /** What the context holds, tokens and cache, to go on from later; also written to a file where a path is given. */
  async saveState(path?: string): Promise<LlamaState> {
    this.#assertOpen();
    const { held, context } = this.#core;
    const state: LlamaState = {
      tokens: held.view().slice(),
      data: held.length > 0 ? context.state.saveSequence(0) : new Uint8Array(0),
    };
    if (path !== undefined) await writeFile(path, encodeState(state));
    return state;
  }

  /** Goes on from what {@link saveState} gave, or from its file. @throws CriaError where it does not fit; then nothing is held. */
  async loadState(source: LlamaState | string): Promise<void> {
    const occupied = this.#core.occupy();
    try {
      const state = typeof source === "string" ? decodeState(await readFile(source), source) : source;
      const { held, context } = this.#core;
      held.clear();
      if (state.tokens.length === 0) return;
      if (state.tokens.length > this.contextLength) {
        throw new RequestError(
          `the state has ${state.tokens.length} tokens, the context holds ${this.contextLength}`,
        );
      }
      for (const [index, token] of state.tokens.entries())
        this.model.vocab.checkToken(token, `state.tokens[${index}]`);
      try {
        context.state.restoreSequence(0, state.data);
      } catch (error) {
        held.clear();
        throw error;
      }
      if (context.memory.positionMax(0) + 1 !== state.tokens.length) {
        held.clear();
        throw new RequestError("the state's tokens do not belong to its data");
      }
      for (const token of state.tokens) held.append(token);
    } finally {
      occupied.release();
    }
  }

  /** Frees everything; a generation that is running ends with `DisposedError` at its next step. Idempotent. */
  async close(): Promise<void> {
    this.#sampler?.chain.dispose();
    this.#sampler = undefined;
    this.#embedder?.dispose();
    this.#embedder = undefined;
    this.#core.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #assertOpen(): void {
    if (this.context.disposed) throw new DisposedError("Llama");
  }
}
