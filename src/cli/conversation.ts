import type { ChatMessage } from "../chat/index.ts";
import type { ChatCompletionParams, Timings } from "../llama/types.ts";
import type { Llama } from "../llama.ts";
import { explain } from "./explain.ts";
import { print } from "./output.ts";

export interface ConversationOptions {
  readonly system: string | undefined;
  /** How to sample, and how to think. */
  readonly params: Omit<ChatCompletionParams, "messages" | "stream">;
  /** Most tokens of an answer, negative for no limit. */
  readonly predict: number;
}

/** A chat whose answers go to standard output as they come; what is no answer goes to standard error. */
export class Conversation {
  readonly #llama: Llama;
  readonly #options: ConversationOptions;
  #messages: ChatMessage[] = [];
  #timings: Timings | undefined;
  #running: AbortController | undefined;

  constructor(llama: Llama, options: ConversationOptions) {
    this.#llama = llama;
    this.#options = options;
    this.reset(options.system);
  }

  get messages(): readonly ChatMessage[] {
    return this.#messages;
  }

  /** What the last answer took. */
  get timings(): Timings | undefined {
    return this.#timings;
  }

  /** Forgets all but the system message, or starts with another one; "" for none. */
  reset(system?: string): void {
    const [first] = this.#messages;
    const text = system ?? (first?.role === "system" ? first.content : "");
    this.#messages = text === "" ? [] : [{ role: "system", content: text }];
  }

  /** @returns whether there was an answer to stop. */
  interrupt(): boolean {
    this.#running?.abort();
    return this.#running !== undefined;
  }

  /** Answers a message. @returns false where that failed; then the message is forgotten. */
  async say(text: string): Promise<boolean> {
    this.#messages.push({ role: "user", content: text });
    const answered = await this.#answer();
    if (!answered) this.#messages.pop();
    return answered;
  }

  /** Answers the last message again. @returns false where that failed, undefined where there is none. */
  async retry(): Promise<boolean | undefined> {
    if (this.#messages.at(-1)?.role === "assistant") this.#messages.pop();
    return this.#messages.at(-1)?.role === "user" ? this.#answer() : undefined;
  }

  async #answer(): Promise<boolean> {
    const controller = new AbortController();
    this.#running = controller;
    let answer = "";
    let cut = false;
    try {
      const chunks = this.#llama.createChatCompletion({
        ...this.#options.params,
        messages: this.#messages,
        max_tokens: this.#options.predict,
        signal: controller.signal,
        stream: true,
        stream_options: { include_usage: true },
      });
      for await (const { choices, timings } of chunks) {
        const piece = choices[0]?.delta.content ?? "";
        answer += piece;
        await print(piece);
        cut ||= choices[0]?.finish_reason === "length";
        if (timings) this.#timings = timings;
      }
      if (cut && this.#timings?.predicted_n !== this.#options.predict) {
        process.stderr.write(" [the context is full; /reset starts anew, -c makes it larger]");
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EPIPE") throw error;
      if (!controller.signal.aborted) {
        process.stderr.write(
          `${answer === "" ? "" : "\n"}cria: ${explain(error as Error).message}; /reset starts anew\n`,
        );
        return false;
      }
      process.stderr.write(" [stopped]");
    } finally {
      this.#running = undefined;
    }
    this.#messages.push({ role: "assistant", content: answer });
    await print("\n");
    return true;
  }
}
