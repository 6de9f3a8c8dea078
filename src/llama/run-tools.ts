import { type output, toJSONSchema, type ZodType } from "zod";
import { RequestError } from "../../lib/errors.ts";
import type { ChatFunctionTool, ChatMessage } from "../chat/index.ts";
import { addDelta } from "./answer-pieces.ts";
import { isZod, type JsonSchema } from "./response-format.ts";
import type {
  ChatCompletionChoice,
  ChatCompletionChunk,
  ChatCompletionParams,
  ChatToolCallAnswer,
} from "./types.ts";

/** What a tool is told beside its arguments. */
export interface ToolContext {
  /** Id of the call. */
  readonly id: string;
  /** That of the run. */
  readonly signal: AbortSignal | undefined;
}

/** A function that a model may call. */
export interface Tool<Parameters> {
  description?: string | undefined;
  /** Zod schema, by which arguments are parsed, or JSON schema; without, there are no arguments. */
  parameters?: Parameters | undefined;
  /** Its result is told to the model, as text or JSON; so is what it throws. */
  execute(args: Parameters extends ZodType ? output<Parameters> : unknown, context: ToolContext): unknown;
}

/** Schemas of the tools' arguments, by name. */
export type ToolSchemas = Readonly<Record<string, ZodType | JsonSchema>>;

export interface RunToolsParams<Schemas extends ToolSchemas = ToolSchemas>
  extends Omit<ChatCompletionParams, "tools" | "stream" | "n"> {
  tools: { readonly [Name in keyof Schemas]: Tool<Schemas[Name]> };
  /** Answers that may be asked for, the last included. Default 10. */
  max_rounds?: number | undefined;
}

export type ToolRunEvent =
  /** A piece of an answer. */
  | { readonly type: "chunk"; readonly chunk: ChatCompletionChunk }
  | { readonly type: "call"; readonly id: string; readonly name: string; readonly arguments: string }
  /** What the model is told of a call. */
  | {
      readonly type: "result";
      readonly id: string;
      readonly name: string;
      readonly content: string;
      readonly failed: boolean;
    };

export interface ToolRunResult {
  /** Text of the last answer; null where it was nothing but calls. */
  readonly text: string | null;
  /** All messages: those given, answers and results. */
  readonly messages: readonly ChatMessage[];
  /** Of the last answer; "tool_calls" where the limit of rounds ended the run. */
  readonly finish_reason: ChatCompletionChoice["finish_reason"];
}

type Stream = (params: ChatCompletionParams & { stream: true }) => AsyncGenerator<ChatCompletionChunk, void>;

const usualRounds = 10;

/**
 * Answers a chat, calls the tools that the model asks for, tells it their results, and goes on until it answers without a call or
 * `max_rounds` answers were given. Events come while it runs; {@link result} runs what is left.
 */
export class ToolRun implements AsyncIterable<ToolRunEvent> {
  readonly #events: AsyncGenerator<ToolRunEvent, ToolRunResult>;
  #result: ToolRunResult | undefined;

  /** @throws RequestError, TypeError naming the field. */
  constructor(stream: Stream, params: RunToolsParams) {
    const { max_rounds: rounds = usualRounds } = params;
    if (!Number.isInteger(rounds) || rounds < 1)
      throw new RequestError(`max_rounds must be a positive integer, got ${rounds}`, "max_rounds");
    this.#events = run(stream, params, describe(params.tools), rounds);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ToolRunEvent, void> {
    try {
      for (;;) {
        const step = await this.#events.next();
        if (step.done) {
          this.#result ??= step.value;
          return;
        }
        yield step.value;
      }
    } finally {
      await this.#events.return(undefined as never);
    }
  }

  /** Runs what is left. @throws what a generation does; an error where whoever read the events left before the end. */
  async result(): Promise<ToolRunResult> {
    for await (const _ of this);
    if (this.#result) return this.#result;
    throw new RequestError("the run was left before its end", "runTools");
  }
}

function describe(tools: RunToolsParams["tools"]): ChatFunctionTool[] {
  return Object.entries(tools).map(([name, { description, parameters, execute }]) => {
    if (typeof execute !== "function") throw new TypeError(`tools.${name}.execute must be a function`);
    const schema = isZod(parameters) ? toJSONSchema(parameters, { io: "input" }) : parameters;
    return {
      type: "function",
      function: {
        name,
        ...(description !== undefined && { description }),
        ...(schema !== undefined && { parameters: schema as Record<string, unknown> }),
      },
    };
  });
}

async function* run(
  stream: Stream,
  { tools, max_rounds: _, ...params }: RunToolsParams,
  described: ChatFunctionTool[],
  rounds: number,
): AsyncGenerator<ToolRunEvent, ToolRunResult> {
  const messages: ChatMessage[] = [...params.messages];
  for (let round = 1; ; round++) {
    const message: ChatCompletionChoice["message"] = { role: "assistant", content: "", refusal: null };
    let reason: ChatCompletionChoice["finish_reason"] = "stop";
    // Whoever must be called has been called then.
    const tool_choice = round === 1 ? params.tool_choice : "auto";
    for await (const chunk of stream({ ...params, tool_choice, messages, tools: described, stream: true })) {
      const [choice] = chunk.choices;
      if (choice) addDelta(message, choice.delta);
      reason = choice?.finish_reason ?? reason;
      yield { type: "chunk", chunk };
    }
    const calls = message.tool_calls ?? [];
    const text = message.content === "" && calls.length > 0 ? null : message.content;
    const { reasoning_content } = message;
    messages.push({
      role: "assistant",
      content: text,
      // Templates that keep thoughts between calls look for them here.
      ...(reasoning_content !== undefined && { reasoning_content }),
      ...(calls.length > 0 && { tool_calls: calls }),
    });
    if (reason !== "tool_calls" || round === rounds) return { text, messages, finish_reason: reason };
    for (const call of calls) {
      const { name, arguments: given } = call.function;
      yield { type: "call", id: call.id, name, arguments: given };
      const { content, failed } = await execute(tools[name], call, params.signal);
      messages.push({ role: "tool", tool_call_id: call.id, content });
      yield { type: "result", id: call.id, name, content, failed };
    }
  }
}

/** What the model is told of a call. */
async function execute(
  called: Tool<unknown> | undefined,
  { id, function: { name, arguments: text } }: ChatToolCallAnswer,
  signal: AbortSignal | undefined,
): Promise<{ content: string; failed: boolean }> {
  signal?.throwIfAborted();
  try {
    if (!called) throw new Error(`there is no function ${name}`);
    const given: unknown = text.trim() === "" ? {} : JSON.parse(text);
    const args = isZod(called.parameters) ? await called.parameters.parseAsync(given) : given;
    const value = await called.execute(args, { id, signal });
    return { content: typeof value === "string" ? value : (JSON.stringify(value) ?? "null"), failed: false };
  } catch (error) {
    signal?.throwIfAborted();
    const message = error instanceof Error ? error.message : String(error);
    return { content: JSON.stringify({ error: message }), failed: true };
  }
}
