/** Any value that JSON can carry. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export interface ChatTextPart {
  type: "text";
  text: string;
}

export interface ChatRefusalPart {
  type: "refusal";
  refusal: string;
}

/** Accepted by the type, refused by {@link ChatTemplate}: templates here render text only. */
export interface ChatMediaPart {
  type: "image_url" | "input_audio" | "file";
}

export interface ChatFunctionToolCall {
  id: string;
  type: "function";
  /** `arguments` is JSON text, as the model wrote it. */
  function: { name: string; arguments: string };
}

/** Accepted by the type, refused by {@link ChatTemplate}. */
export interface ChatCustomToolCall {
  id: string;
  type: "custom";
  custom: { name: string; input: string };
}

export type ChatToolCall = ChatFunctionToolCall | ChatCustomToolCall;

export interface ChatSystemMessage {
  role: "system";
  content: string | ChatTextPart[];
  name?: string;
}

export interface ChatDeveloperMessage {
  role: "developer";
  content: string | ChatTextPart[];
  name?: string;
}

export interface ChatUserMessage {
  role: "user";
  content: string | (ChatTextPart | ChatMediaPart)[];
  name?: string;
}

export interface ChatAssistantMessage {
  role: "assistant";
  content?: string | (ChatTextPart | ChatRefusalPart)[] | null;
  name?: string;
  tool_calls?: ChatToolCall[] | null;
  /** The older spelling of one tool call, without an id. */
  function_call?: { name: string; arguments: string } | null;
  refusal?: string | null;
  /** The model's thinking, for templates that keep it. */
  reasoning_content?: string | null;
}

export interface ChatToolMessage {
  role: "tool";
  content: string | ChatTextPart[];
  tool_call_id: string;
  name?: string;
}

/** The older spelling of {@link ChatToolMessage}. */
export interface ChatFunctionMessage {
  role: "function";
  content: string | null;
  name: string;
}

/** One message of a chat, shaped like `ChatCompletionMessageParam` of the `openai` package. */
export type ChatMessage =
  | ChatSystemMessage
  | ChatDeveloperMessage
  | ChatUserMessage
  | ChatAssistantMessage
  | ChatToolMessage
  | ChatFunctionMessage;

export type ChatRole = ChatMessage["role"];

export interface ChatFunctionTool {
  type: "function";
  function: {
    name: string;
    description?: string;
    /** JSON schema of the arguments. */
    parameters?: Record<string, unknown>;
    strict?: boolean | null;
  };
}

/** Accepted by the type, refused by {@link ChatTemplate}. */
export interface ChatCustomTool {
  type: "custom";
  custom: { name: string };
}

/** Shaped like `ChatCompletionTool` of the `openai` package. */
export type ChatTool = ChatFunctionTool | ChatCustomTool;

/** `"none"` hides the tools from the template; forcing a call is the grammar's work, not the template's. */
export type ChatToolChoice =
  | "none"
  | "auto"
  | "required"
  | { type: "function"; function: { name: string } }
  /** Accepted by the type, refused: there are no custom tools. */
  | { type: "custom"; custom: { name: string } }
  | {
      type: "allowed_tools";
      allowed_tools: {
        mode: "auto" | "required";
        /** Each names a tool: `{ type: "function", function: { name } }`. */
        tools: { [key: string]: unknown }[];
      };
    };

export interface ChatTemplateOptions {
  /** Text of the model's beginning-of-sequence token, for templates that write it; default `""`. */
  bosToken?: string;
  /** Text of the model's end-of-sequence token; default `""`. */
  eosToken?: string;
  /** Shown in errors; default `"unnamed"`. */
  name?: string;
  /** Replaces the computed limits; see {@link RenderLimits}. */
  limits?: Partial<RenderLimits>;
}

export interface RenderOptions {
  /** Ends the prompt where the assistant's answer starts; default true, false with `continueFinalMessage`. */
  addGenerationPrompt?: boolean;
  tools?: readonly ChatTool[];
  toolChoice?: ChatToolChoice;
  /** Extra template variables, such as `enable_thinking`; JSON values only. */
  chatTemplateKwargs?: Readonly<Record<string, unknown>>;
  /** Leaves the last message, which must be the assistant's, open so that the model goes on writing it. */
  continueFinalMessage?: boolean;
  /** What `strftime_now` answers, in local time; without it templates do not see `strftime_now`. */
  now?: Date;
}

/** What one render may cost. The defaults grow with the size of the messages. */
export interface RenderLimits {
  /** Evaluation steps: nodes evaluated, plus the elements and characters that an operation walks over. */
  steps: number;
  /** Characters (UTF-16 code units) in any one string, and in all that is written. */
  characters: number;
}
