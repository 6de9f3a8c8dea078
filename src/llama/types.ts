import type { ChatFunctionTool, ChatMessage, ChatTool, ChatToolChoice } from "../chat/index.ts";
import type { AdapterScale } from "../engine/request.ts";
import type { SamplingParams } from "../sampling-params.ts";
import type { ReasoningFormat } from "../tools/answer-parser.ts";
import type { AnswerShape } from "./response-format.ts";

/** Called with the tokens so far (prompt included) and the logits of the next; true ends the text. */
export type StoppingCriterion = (tokens: Int32Array, logits: Float32Array) => boolean;

/** What a generation may be told, beside how to sample. */
export interface GenerationParams extends SamplingParams, AnswerShape {
  /** Most tokens to generate; undefined, null or a negative number: until the context is full. */
  max_tokens?: number | null | undefined;
  signal?: AbortSignal | undefined;
  stopping_criteria?: StoppingCriterion | readonly StoppingCriterion[] | undefined;
  /** Take what is computed already. Default true; false computes the whole prompt anew. */
  cache_prompt?: boolean | undefined;
  /** Generate past tokens that end a text. Default false. */
  ignore_eos?: boolean | undefined;
  /** Requests of different salts share nothing of the cache. */
  cache_salt?: string | undefined;
  /** Adapters of the engine to use, by their number. Default: all, with the scales they were loaded with. */
  lora?: readonly AdapterScale[] | undefined;
  /** Larger goes first where others wait. Default 0. */
  priority?: number | undefined;
  /** Milliseconds after which it fails, waiting included. */
  timeout_ms?: number | undefined;
  /** Milliseconds after the first token after which the text ends. */
  t_max_predict_ms?: number | undefined;
  /** When the context is full, drop half of what is behind the first `n_keep` tokens and go on. Default false. */
  context_shift?: boolean | undefined;
  /** Tokens that a context shift keeps, -1 for the whole prompt. Default 0. */
  n_keep?: number | undefined;
  /** Called after each chunk of the prompt. */
  onPromptProgress?: ((progress: PromptProgress) => void) | undefined;
}

/** How far a prompt has been computed; lengths in tokens. */
export interface PromptProgress {
  readonly totalLength: number;
  readonly cachedLength: number;
  readonly computedLength: number;
}

/** Times in milliseconds, under the names llama-server uses. */
export interface Timings {
  /** Prompt tokens taken from the cache. */
  cache_n: number;
  /** Prompt tokens computed. */
  prompt_n: number;
  prompt_ms: number;
  prompt_per_token_ms: number;
  prompt_per_second: number;
  /** Tokens generated. */
  predicted_n: number;
  predicted_ms: number;
  predicted_per_token_ms: number;
  predicted_per_second: number;
}

/** How far a prompt is, under the names llama-server uses: tokens, of which `cache` were held already. */
export interface WireProgress {
  total: number;
  cache: number;
  processed: number;
  time_ms: number;
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details: { cached_tokens: number };
}

export type FinishReason = "stop" | "length";

export interface ChatToolCallAnswer {
  id: string;
  type: "function";
  /** `arguments` is JSON text. */
  function: { name: string; arguments: string };
}

/** A piece of a call in a stream: id and name first, then more of the arguments. */
export interface ChatToolCallDelta {
  index: number;
  id?: string;
  type?: "function";
  function: { name?: string; arguments: string };
}

/** What a stream reports beside its text. */
export interface StreamReports {
  /** How far the prompt is, as `prompt_progress` of chunks. */
  return_progress?: boolean | undefined;
  /** `timings` so far, with each chunk. */
  timings_per_token?: boolean | undefined;
}

interface CommonParams extends GenerationParams, StreamReports {
  model?: string | undefined;
  n?: number | null | undefined;
  stop?: string | readonly string[] | null | undefined;
  stream_options?: { include_usage?: boolean | undefined } | null | undefined;
  user?: string | undefined;
}

export interface CompletionParams extends CommonParams {
  /** Text, several texts, token ids, or several lists of token ids. */
  prompt: string | readonly string[] | readonly number[] | readonly (readonly number[])[] | Int32Array;
  stream?: boolean | null | undefined;
  echo?: boolean | null | undefined;
  /** Text after the gap, for models with fill-in-the-middle tokens. */
  suffix?: string | null | undefined;
  /** Most likely tokens to report at each position. */
  logprobs?: number | null | undefined;
}

export interface CompletionLogprobs {
  text_offset: number[];
  token_logprobs: number[];
  tokens: string[];
  top_logprobs: Record<string, number>[];
}

export interface CompletionChoice {
  index: number;
  text: string;
  finish_reason: FinishReason;
  logprobs: CompletionLogprobs | null;
}

export interface Completion {
  id: string;
  object: "text_completion";
  created: number;
  model: string;
  choices: CompletionChoice[];
  usage: Usage;
  timings: Timings;
}

export interface CompletionChunk {
  id: string;
  object: "text_completion";
  created: number;
  model: string;
  choices: (Omit<CompletionChoice, "finish_reason"> & { finish_reason: FinishReason | null })[];
  usage?: Usage | null;
  timings?: Timings;
  prompt_progress?: WireProgress;
}

export interface ChatCompletionParams extends CommonParams {
  messages: readonly ChatMessage[];
  stream?: boolean | null | undefined;
  tools?: readonly ChatTool[] | undefined;
  /** Default "auto". */
  tool_choice?: ChatToolChoice | null | undefined;
  /** Whether there may be several calls, where the model's format has them and its template can write them again. Default true. */
  parallel_tool_calls?: boolean | null | undefined;
  /** The older spelling of `tools` and `tool_choice`. */
  functions?: readonly ChatFunctionTool["function"][] | undefined;
  function_call?: "none" | "auto" | { name: string } | null | undefined;
  /** Tokens that a thought may have before it is ended, or all thoughts of an answer made of messages; -1 or nothing for no limit. */
  reasoning_budget_tokens?: number | null | undefined;
  /** Written into a thought before it is ended so. */
  reasoning_budget_message?: string | null | undefined;
  /** Told to the template, where it knows of it; "none" as `enable_thinking: false`. */
  reasoning_effort?: string | null | undefined;
  /** How the model writes calls and thoughts, by name; by default its template tells. */
  tool_format?: string | null | undefined;
  /** Where thoughts go; the names are llama-server's. Default "auto": apart, as `reasoning_content`. */
  reasoning_format?: ReasoningFormat | null | undefined;
  max_completion_tokens?: number | null | undefined;
  logprobs?: boolean | null | undefined;
  top_logprobs?: number | null | undefined;
  chat_template_kwargs?: Record<string, unknown> | undefined;
  /** Start the answer anew (default), or let the model go on with the last message. */
  add_generation_prompt?: boolean | undefined;
}

export interface ChatTokenLogprob {
  token: string;
  bytes: number[] | null;
  logprob: number;
  top_logprobs: { token: string; bytes: number[] | null; logprob: number }[];
}

export interface ChatLogprobs {
  content: ChatTokenLogprob[] | null;
  refusal: null;
}

export interface ChatCompletionChoice<Parsed = unknown> {
  index: number;
  message: {
    role: "assistant";
    /** Null where there are calls and no text. */
    content: string | null;
    refusal: null;
    /** What the model thought before it answered. */
    reasoning_content?: string;
    tool_calls?: ChatToolCallAnswer[];
    /** The call, where it was asked for by `functions`. */
    function_call?: { name: string; arguments: string };
    /** The answer as the zod schema that it was asked for with gives it; null where it was cut off, or is calls (`finish_reason`). */
    parsed?: Parsed | null;
  };
  finish_reason: FinishReason | "tool_calls" | "function_call";
  logprobs: ChatLogprobs | null;
}

export interface ChatCompletion<Parsed = unknown> {
  id: string;
  object: "chat.completion";
  created: number;
  model: string;
  choices: ChatCompletionChoice<Parsed>[];
  usage: Usage;
  timings: Timings;
}

export interface ChatCompletionChunk {
  id: string;
  object: "chat.completion.chunk";
  created: number;
  model: string;
  choices: {
    index: number;
    delta: {
      role?: "assistant";
      content?: string;
      reasoning_content?: string;
      tool_calls?: ChatToolCallDelta[];
      function_call?: { name?: string; arguments: string };
    };
    finish_reason: ChatCompletionChoice["finish_reason"] | null;
    logprobs: ChatLogprobs | null;
  }[];
  usage?: Usage | null;
  timings?: Timings;
  prompt_progress?: WireProgress;
}

export interface EmbeddingParams {
  input: string | readonly string[] | readonly number[] | readonly (readonly number[])[];
  model?: string | undefined;
  dimensions?: number | undefined;
  encoding_format?: "float" | "base64" | undefined;
  user?: string | undefined;
  /** Larger goes first where others wait. Default 0. */
  priority?: number | undefined;
  /** Milliseconds after which an input fails, waiting included. */
  timeout_ms?: number | undefined;
  signal?: AbortSignal | undefined;
}

export interface Embedding {
  index: number;
  object: "embedding";
  embedding: number[];
}

export interface EmbeddingResponse {
  object: "list";
  data: Embedding[];
  model: string;
  usage: { prompt_tokens: number; total_tokens: number };
}
