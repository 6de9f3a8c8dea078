import type { output, ZodType } from "zod";
import { DisposedError, RequestError } from "../lib/errors.ts";
import { logitsToLogprobs, longestCommonPrefix } from "../lib/index.ts";
import type { ChatTemplate } from "./chat/index.ts";
import { embeddedModelPath } from "./embedded-model.ts";
import type { Engine } from "./engine/engine.ts";
import type { EngineOptions } from "./engine/engine-options.ts";
import { WorkerEngine } from "./engine/worker-engine.ts";
import type { LlamaParts } from "./llama/answer.ts";
import { changeCache, type LlamaCache, withCache } from "./llama/cache.ts";
import { chatAtOnce, streamChat } from "./llama/chat-completion.ts";
import { completeAtOnce, streamCompletion } from "./llama/completion.ts";
import { createEmbedding } from "./llama/embedding.ts";
import type { Prompt } from "./llama/engine-request.ts";
import { modelTemplate, type TemplateChoice } from "./llama/model-template.ts";
import { renderChat } from "./llama/render-chat.ts";
import { type RunToolsParams, ToolRun, type ToolSchemas } from "./llama/run-tools.ts";
import { type LlamaState, readState, writeState } from "./llama/state.ts";
import { Stepper } from "./llama/stepper.ts";
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
import type { Model } from "./model.ts";
import type { SamplingParams } from "./sampling-params.ts";
import type { TokenizeOptions } from "./vocab.ts";

export interface LlamaOptions extends EngineOptions, TemplateChoice {
  /** Another way to say `cacheRam`, or `cacheDir` and `cacheDisk`. */
  cache?: LlamaCache | undefined;
}

/**
 * A model ready to answer any number of requests at once, with a cache that makes a growing conversation pay for its new
 * tokens only. Close it, or declare it with `await using`.
 */
export class Llama implements AsyncDisposable {
  /** What computes, on a thread of its own. */
  readonly engine: Engine;
  readonly chatTemplate: ChatTemplate;
  readonly #stepper: Stepper;
  readonly #parts: LlamaParts;
  #closed = false;

  /** Uses an engine and closes it. @throws TemplateError for a bad chat template. */
  constructor(engine: Engine, options: TemplateChoice = {}) {
    this.engine = engine;
    this.chatTemplate = modelTemplate(engine.model, options);
    this.#stepper = new Stepper(engine);
    this.#parts = { engine, ended: (tokens) => this.#stepper.take(tokens) };
  }

  /** Loads a GGUF file; without a path, the tiny model that comes with cria. */
  static async load(path: string = embeddedModelPath(), options: LlamaOptions = {}): Promise<Llama> {
    const { chatTemplate, chatTemplateName, cache, ...rest } = options;
    const engine = await WorkerEngine.load(path, withCache(cache, rest));
    try {
      return new Llama(engine, { chatTemplate, chatTemplateName });
    } catch (error) {
      await engine.close();
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

  /** The model; its weights belong to the engine. */
  get model(): Model {
    return this.engine.model;
  }
  /** Scalar metadata of the model file. */
  get metadata(): ReadonlyMap<string, string> {
    return this.model.metadata;
  }
  get vocabSize(): number {
    return this.model.vocab.size;
  }
  /** Most tokens of one text. */
  get contextLength(): number {
    return this.engine.contextLength;
  }
  get embeddingLength(): number {
    return this.model.outputEmbeddingLength;
  }
  /** The text that {@link eval} goes on with: of what was generated or evaluated last, as far as it was computed. */
  get tokens(): Int32Array {
    this.#assertOpen();
    return this.#stepper.tokens;
  }
  /** Logits behind the last token that {@link eval} computed. Shape [vocabulary]. @throws RequestError where there are none. */
  get logits(): Float32Array {
    this.#assertOpen();
    return this.#stepper.logits;
  }

  tokenize(text: string | Uint8Array, options?: TokenizeOptions): Int32Array {
    return this.model.vocab.tokenize(text, options);
  }

  detokenize(tokens: ArrayLike<number>, options?: { removeSpecial?: boolean; special?: boolean }): string {
    return this.model.vocab.detokenize(tokens, options);
  }

  /** The prompt text of a chat. */
  applyChatTemplate(params: ChatCompletionParams): string {
    return renderChat(this.chatTemplate, params).prompt;
  }

  /** Makes {@link tokens} empty. What was computed stays in the cache: see `engine.clearCache`. */
  reset(): void {
    this.#assertOpen();
    this.#stepper.take(new Int32Array(0));
  }

  /** Computes tokens behind {@link tokens}. @throws RequestError where they do not fit the context. */
  async eval(tokens: ArrayLike<number>, options: { signal?: AbortSignal } = {}): Promise<void> {
    this.#assertOpen();
    await this.#stepper.eval(tokens, options);
  }

  /**
   * Chooses a token from {@link logits}. The same `params` object keeps its sampler, with what it remembers (penalties,
   * random state), from call to call.
   */
  sample(params: SamplingParams = {}): number {
    this.#assertOpen();
    return this.#stepper.sample(params);
  }

  /**
   * Generates token ids from a prompt, computing only what is not in the cache already. Ends after the token that ends a
   * text, at `max_tokens`, or when the context is full.
   */
  generate(prompt: Prompt, params: GenerationParams = {}): TokenStream {
    return new TokenStream(this.#parts, prompt, params);
  }

  createCompletion(params: CompletionParams & { stream: true }): AsyncGenerator<CompletionChunk, void>;
  createCompletion(params: CompletionParams & { stream?: false | null | undefined }): Promise<Completion>;
  /** Continues text, like OpenAI's `/v1/completions`. */
  createCompletion(params: CompletionParams): AsyncGenerator<CompletionChunk, void> | Promise<Completion> {
    return params.stream ? streamCompletion(this.#parts, params) : completeAtOnce(this.#parts, params);
  }

  createChatCompletion<Schema extends ZodType>(
    params: ChatCompletionParams & { response_format: Schema; stream?: false | null | undefined },
  ): Promise<ChatCompletion<output<Schema>>>;
  createChatCompletion(
    params: ChatCompletionParams & { stream: true },
  ): AsyncGenerator<ChatCompletionChunk, void>;
  createChatCompletion(
    params: ChatCompletionParams & { stream?: false | null | undefined },
  ): Promise<ChatCompletion>;
  /**
   * Answers a chat, like OpenAI's `/v1/chat/completions`. With a zod schema as `response_format`, `message.parsed` is what it makes of
   * the answer.
   */
  createChatCompletion(
    params: ChatCompletionParams,
  ): AsyncGenerator<ChatCompletionChunk, void> | Promise<ChatCompletion> {
    return params.stream
      ? streamChat(this.#parts, this.chatTemplate, params)
      : chatAtOnce(this.#parts, this.chatTemplate, params);
  }

  /**
   * Answers a chat with tools: calls those that the model asks for, tells it their results, and goes on until it answers.
   * @throws RequestError, TypeError naming the field.
   */
  runTools<Schemas extends ToolSchemas>(params: RunToolsParams<Schemas>): ToolRun {
    return new ToolRun((given) => this.createChatCompletion(given), params as unknown as RunToolsParams);
  }

  /** Embeddings of texts, like OpenAI's `/v1/embeddings`; computed in a context of its own, made on first use. */
  createEmbedding(params: EmbeddingParams): Promise<EmbeddingResponse> {
    return createEmbedding(this.engine, params);
  }

  /**
   * Changes how much memory is used for what left the context; undefined for none. A folder that the model was loaded with
   * stays in use.
   * @throws TypeError for a folder that it was not loaded with, RangeError for more memory than then: pass `cache` to
   *   {@link Llama.load}.
   */
  async setCache(cache: LlamaCache | undefined): Promise<void> {
    this.#assertOpen();
    await changeCache(this.engine, cache);
  }

  /**
   * {@link tokens} and their cache, to go on from later; also written to a file where a path is given, which appears whole or
   * not at all. The file has the tokens in the clear, and says which model it is of.
   * @throws RequestError where the model's files were replaced since they were loaded; what the file system does.
   */
  async saveState(path?: string): Promise<LlamaState> {
    this.#assertOpen();
    const state = await this.#stepper.save();
    if (path !== undefined) await writeState(path, state);
    return state;
  }

  /**
   * Goes on from what {@link saveState} gave, or from its file, in any later process.
   * @throws RequestError naming what differs where it was saved with another model, other adapters, cache types or release;
   *   CriaError where it is damaged or does not fit. Unless it could not be read, {@link tokens} are empty then.
   */
  async loadState(source: LlamaState | string): Promise<void> {
    this.#assertOpen();
    const state = typeof source === "string" ? await readState(source) : source;
    if (state.tokens.length > this.contextLength) {
      throw new RequestError(
        `the state has ${state.tokens.length} tokens, the context holds ${this.contextLength}; load with a larger contextLength`,
      );
    }
    this.#stepper.take(new Int32Array(0));
    if (state.tokens.length > 0) await this.engine.loadState(state);
    this.#stepper.take(state.tokens);
  }

  /** Frees everything; what is running ends with `DisposedError`. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stepper.dispose();
    await this.engine.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw new DisposedError("Llama");
  }
}
