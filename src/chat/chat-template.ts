import { RequestError, TemplateError } from "../../lib/errors.ts";
import { probeCapabilities, type TemplateCapabilities } from "./capabilities.ts";
import { type CheckedMessage, checkMessages, checkToolChoice, checkTools } from "./check-request.ts";
import { LimitExceeded } from "./jinja/budget.ts";
import { type ParsedTemplate, parseTemplate } from "./jinja/template-source.ts";
import { copyJson, describe, isPlainObject } from "./json-copy.ts";
import { normalizeMessages } from "./normalize-messages.ts";
import { RaisedByTemplate, RESERVED_VARIABLES, runTemplate } from "./run-template.ts";
import type { ChatMessage, ChatTemplateOptions, Json, RenderLimits, RenderOptions } from "./types.ts";

/**
 * A Jinja chat template, run in bounds: it sees only the data it is given, and work and output have limits.
 *
 * The syntax and the helpers (`raise_exception`, `strftime_now`, `tojson`) are those of Hugging Face's templates.
 * Text of messages is data: nothing in it is ever read as Jinja.
 */
export class ChatTemplate {
  readonly name: string;
  readonly source: string;
  readonly bosToken: string;
  readonly eosToken: string;
  readonly #limits: Partial<RenderLimits>;
  readonly #parsed: ParsedTemplate;
  #capabilities: TemplateCapabilities | undefined;

  /**
   * @throws TypeError when `source` is not a string.
   * @throws TemplateError when it is not a Jinja template, or is longer than 262,144 characters.
   */
  constructor(source: string, options: ChatTemplateOptions = {}) {
    if (typeof source !== "string") {
      throw new TypeError(`source is ${describe(source)}; pass the text of a Jinja chat template`);
    }
    this.source = source;
    this.name = options.name ?? "unnamed";
    this.bosToken = options.bosToken ?? "";
    this.eosToken = options.eosToken ?? "";
    this.#limits = options.limits ?? {};
    this.#parsed = this.#guard(CANNOT_PARSE, () => parseTemplate(source));
  }

  /** What the template supports, found at the first use by rendering about a dozen tiny chats. */
  get capabilities(): TemplateCapabilities {
    this.#capabilities ??= probeCapabilities((variables) => {
      try {
        return this.#run(variables, new Date(0));
      } catch (error) {
        if (error instanceof TemplateError) return undefined;
        throw error;
      }
    }, this.#parsed.words);
    return this.#capabilities;
  }

  /**
   * Writes the prompt for a chat; it starts with `bosToken` only if the template writes it.
   *
   * @throws RequestError when messages, tools or variables are wrong, with the path in `field`.
   * @throws TemplateError when the template fails, refuses the messages, or passes its limits.
   */
  render(messages: readonly ChatMessage[], options: RenderOptions = {}): string {
    const checked = checkMessages(messages);
    const tools = checkTools(options.tools);
    const toolChoice = checkToolChoice(options.toolChoice, tools);
    const continued = options.continueFinalMessage === true;
    const marker = continued ? openFinalMessage(checked, options) : undefined;
    const showsTools = tools.length > 0 && toolChoice !== "none";
    if (showsTools && !this.capabilities.tools) {
      throw new RequestError(
        `tools are given, but chat template "${this.name}" has no place for them; leave them out, ` +
          'set tool_choice to "none", or choose a template with tools',
        "tools",
      );
    }
    const text = this.#run(
      {
        ...this.#extraVariables(options.chatTemplateKwargs),
        messages: normalizeMessages(checked, this.capabilities),
        tools: showsTools ? tools : null,
        ...(toolChoice === undefined ? {} : { tool_choice: toolChoice }),
        add_generation_prompt: options.addGenerationPrompt ?? !continued,
      },
      options.now,
    );
    return marker === undefined ? text : this.#cutAt(text, marker);
  }

  #extraVariables(given: unknown): Record<string, Json> {
    if (given === undefined || given === null) return {};
    const field = "chat_template_kwargs";
    if (!isPlainObject(given))
      throw new RequestError(`${field} is ${describe(given)}; pass an object`, field);
    for (const name of Object.keys(given)) {
      if (!RESERVED_VARIABLES.has(name)) continue;
      throw new RequestError(
        `${field}.${name} is reserved; use the request's own parameter`,
        `${field}.${name}`,
      );
    }
    return copyJson(given, field) as Record<string, Json>;
  }

  #cutAt(text: string, marker: string): string {
    const end = text.lastIndexOf(marker);
    if (end !== -1) return text.slice(0, end);
    throw new TemplateError(
      `chat template "${this.name}" does not print the final message, so that it cannot be continued; ` +
        "use addGenerationPrompt instead",
    );
  }

  #run(variables: Record<string, Json>, now: Date | undefined): string {
    const all = {
      bos_token: this.bosToken,
      eos_token: this.eosToken,
      ...this.#oldTools(variables),
      ...variables,
    };
    return this.#guard("failed", () => runTemplate(this.#parsed, all, { now, limits: this.#limits }));
  }

  /** Some templates take their tools as JSON text by another name. */
  #oldTools({ tools }: Record<string, Json>): Record<string, Json> {
    const { names } = this.#parsed;
    if (!Array.isArray(tools) || names.has("tools") || !names.has("functions")) return {};
    return {
      functions: JSON.stringify(
        tools.map((tool) => (tool as Record<string, Json>).function),
        null,
        4,
      ),
    };
  }

  #guard<T>(what: string, action: () => T): T {
    try {
      return action();
    } catch (cause) {
      throw new TemplateError(`chat template "${this.name}" ${explain(what, cause)}`, { cause });
    }
  }
}

const CANNOT_PARSE = "cannot be parsed";

function explain(what: string, cause: unknown): string {
  if (cause instanceof RaisedByTemplate) return `refused the messages: ${cause.message}`;
  if (cause instanceof LimitExceeded) return `was stopped: ${cause.message}`;
  // Engines report an exhausted stack and an oversized string as RangeError, some as InternalError.
  if (cause instanceof RangeError) return `was stopped: ${cause.message}`;
  // The parser reads past its last token.
  if (what === CANNOT_PARSE && cause instanceof TypeError)
    return `${what}: it ends inside a tag or block that is open`;
  const message = cause instanceof Error ? cause.message : String(cause);
  if (message.startsWith("strftime_now is not")) return `${what}: it asks for the date; pass \`now\``;
  return `${what}: ${message}`;
}

/** Puts a marker behind the final message's text, where the prompt is cut later. */
function openFinalMessage(messages: CheckedMessage[], options: RenderOptions): string {
  if (options.addGenerationPrompt) {
    const field = "add_generation_prompt";
    throw new RequestError(`${field} and continue_final_message exclude each other; set one of them`, field);
  }
  const last = messages.at(-1);
  if (last?.role !== "assistant" || last.content === null || last.toolCalls.length > 0) {
    const field = `messages[${messages.length - 1}]`;
    throw new RequestError(
      `${field} cannot be continued; it must be the assistant's, with content and no tool calls`,
      field,
    );
  }
  const content = Array.isArray(last.content) ? last.content : [last.content];
  let marker = "[end-of-final-message]";
  const everything = JSON.stringify(messages);
  while (everything.includes(marker)) marker = `[${marker}]`;
  last.content = Array.isArray(last.content)
    ? [...content.slice(0, -1), (content.at(-1) ?? "") + marker]
    : `${last.content}${marker}`;
  return marker;
}
