// Checked by `tsc`: requests made for the `openai` package are taken as they are, and answers can be used as its own.
import type OpenAI from "openai";
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionParams,
  Completion,
  CompletionChunk,
  CompletionParams,
  EmbeddingParams,
  EmbeddingResponse,
  Llama,
} from "../../src/index.ts";

type Chat = OpenAI.Chat.Completions.ChatCompletionCreateParams;
type Text = OpenAI.Completions.CompletionCreateParams;

declare const llama: Llama;
declare const chat: Chat;
// A missing prompt is the start of a new document there; here it must be said.
declare const text: Text & { prompt: NonNullable<Text["prompt"]> };
declare const embedding: OpenAI.EmbeddingCreateParams;

chat satisfies ChatCompletionParams;
text satisfies CompletionParams;
embedding satisfies EmbeddingParams;

declare const chatAnswer: ChatCompletion;
declare const chatChunk: ChatCompletionChunk;
declare const textAnswer: Completion;
declare const textChunk: CompletionChunk;
declare const embeddings: EmbeddingResponse;

chatAnswer satisfies OpenAI.Chat.Completions.ChatCompletion;
chatChunk satisfies OpenAI.Chat.Completions.ChatCompletionChunk;
textAnswer satisfies OpenAI.Completions.Completion;
// In a stream, `finish_reason` is null until the last chunk; the package's type does not say so.
textChunk.choices[0]!.text satisfies OpenAI.Completions.Completion["choices"][0]["text"];
textChunk.usage satisfies OpenAI.Completions.Completion["usage"] | null;
embeddings satisfies OpenAI.CreateEmbeddingResponse;

// What `stream` says decides what comes back.
llama.createChatCompletion({ messages: [] }) satisfies Promise<OpenAI.Chat.Completions.ChatCompletion>;
llama.createChatCompletion({
  messages: [],
  stream: true,
}) satisfies AsyncIterable<OpenAI.Chat.Completions.ChatCompletionChunk>;
llama.createCompletion({ prompt: "" }) satisfies Promise<OpenAI.Completions.Completion>;
llama.createCompletion({ prompt: "", stream: true }) satisfies AsyncIterable<CompletionChunk>;
// @ts-expect-error a whole answer is no stream
llama.createChatCompletion({ messages: [] }) satisfies AsyncIterable<unknown>;
// @ts-expect-error an unknown role
({ messages: [{ role: "wizard", content: "" }] }) satisfies ChatCompletionParams;
