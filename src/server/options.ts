import type { AdapterScale } from "../engine/request.ts";
import type { ChatCompletionParams, GenerationParams } from "../llama/types.ts";
import type { LlamaOptions } from "../llama.ts";

/** What the server reports about itself; the application decides where it goes. */
export interface ServerLog {
  /** A request was answered. Never with its content. */
  request(entry: RequestEntry): void;
  /** Something failed that is no fault of the client's. */
  failure(error: unknown, entry: { readonly method: string; readonly path: string }): void;
}

export interface RequestEntry {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly milliseconds: number;
}

/** What only chats take. */
export type ChatDefaults = Pick<
  ChatCompletionParams,
  "reasoning_format" | "reasoning_budget_tokens" | "reasoning_budget_message" | "chat_template_kwargs"
>;

export interface ServerOptions extends Pick<LlamaOptions, "chatTemplate" | "chatTemplateName"> {
  /** Name that the model goes by. Default: its own. */
  readonly alias?: string | undefined;
  /** Any of these opens the server; without any it is open to all. */
  readonly apiKeys?: readonly string[] | undefined;
  /** Origins of pages that may read answers. Default "*"; false for none. */
  readonly cors?: string | readonly string[] | false | undefined;
  /** Most bytes of a request's body. Default 64 MiB. */
  readonly bodyLimit?: number | undefined;
  /** Milliseconds of silence in a stream after which a comment keeps the connection alive. Default 5000. */
  readonly keepAliveMs?: number | undefined;
  /** Requests side by side, as `/slots` and `/props` tell. Default 4; the engine has the last word. */
  readonly parallel?: number | undefined;
  /** Serve `/metrics`. Default false. */
  readonly metrics?: boolean | undefined;
  /** Serve `GET /slots`. Default true. */
  readonly slots?: boolean | undefined;
  /** Take `POST /lora-adapters`, which changes the scales for everybody. Default true. */
  readonly loraChanges?: boolean | undefined;
  /** Folder that slots are saved in and restored from; without one they cannot be. */
  readonly slotSavePath?: string | undefined;
  /** Requests that wait or run at once; more are refused with 503. Default: the engine's. */
  readonly maxRequests?: number | undefined;
  /** For requests that say nothing else; a shape of the answer gives way to any other, and `grammar` also to tools. */
  readonly defaults?: GenerationParams | undefined;
  /** For chats that say nothing else; of `chat_template_kwargs` each by itself. */
  readonly chatDefaults?: ChatDefaults | undefined;
  /** Drop the middle of a text that fills the context, instead of ending it. Default false. */
  readonly contextShift?: boolean | undefined;
  /** LoRA adapters of the engine, in its order. */
  readonly adapters?: readonly { readonly path: string; readonly scale?: number | undefined }[] | undefined;
  /** Scales of adapters for requests that name none. Default: those they were loaded with. */
  readonly lora?: readonly AdapterScale[] | undefined;
  readonly log?: ServerLog | undefined;
}
