import { createInterface, type Interface } from "node:readline";
import type { Command } from "commander";
import type { ChatMessage } from "../chat/index.ts";
import type { Timings } from "../llama/types.ts";
import type { Llama } from "../llama.ts";
import { addModelOptions, integer, loadLlama, type ModelFlags } from "./options.ts";
import { summary } from "./run.ts";
import { addSamplingOptions, type SamplingFlags, samplingParams } from "./sampling.ts";

interface ChatFlags extends ModelFlags, SamplingFlags {
  systemPrompt?: string;
  predict?: number;
}

export function addChatCommand(program: Command): void {
  const command = program
    .command("chat")
    .description("Talk with a model. Ctrl-C stops an answer, /help lists the commands.")
    .option("--sys, --system-prompt <text>", "system message")
    .option("-n, --predict <n>", "most tokens of an answer, -1 for no limit", integer);
  addSamplingOptions(addModelOptions(command)).action((flags: ChatFlags) => chat(flags));
}

const help = `/help            this list
/system TEXT     set the system message and start anew
/reset           forget the conversation
/retry           answer the last message again
/history         show the conversation
/timings         show what the last answer computed and reused
/exit            leave (also Ctrl-D)
`;

class Conversation {
  readonly #llama: Llama;
  readonly #flags: ChatFlags;
  messages: ChatMessage[] = [];
  #timings: Timings | undefined;
  #running: AbortController | undefined;

  constructor(llama: Llama, flags: ChatFlags) {
    this.#llama = llama;
    this.#flags = flags;
    this.reset(flags.systemPrompt);
  }

  reset(system?: string): void {
    const kept = this.messages[0]?.role === "system" ? (this.messages[0].content as string) : undefined;
    const text = system ?? kept;
    this.messages = text ? [{ role: "system", content: text }] : [];
  }

  /** @returns whether there was an answer to stop. */
  interrupt(): boolean {
    this.#running?.abort();
    return this.#running !== undefined;
  }

  async say(text: string): Promise<void> {
    this.messages.push({ role: "user", content: text });
    await this.answer();
  }

  async answer(): Promise<void> {
    const controller = new AbortController();
    this.#running = controller;
    let answer = "";
    try {
      const chunks = this.#llama.createChatCompletion({
        ...samplingParams(this.#flags),
        messages: this.messages,
        max_tokens: this.#flags.predict ?? -1,
        signal: controller.signal,
        stream: true,
        stream_options: { include_usage: true },
      });
      for await (const chunk of chunks) {
        const piece = chunk.choices[0]?.delta.content ?? "";
        answer += piece;
        process.stdout.write(piece);
        if (chunk.timings) this.#timings = chunk.timings;
      }
    } catch (error) {
      if (!controller.signal.aborted) {
        this.messages.pop();
        process.stdout.write("\n");
        process.stderr.write(`cria: ${(error as Error).message}\n`);
        return;
      }
      process.stderr.write(" [stopped]");
    } finally {
      this.#running = undefined;
    }
    this.messages.push({ role: "assistant", content: answer });
    process.stdout.write("\n");
  }

  async retry(): Promise<void> {
    if (this.messages.at(-1)?.role === "assistant") this.messages.pop();
    if (this.messages.at(-1)?.role === "user") await this.answer();
    else process.stdout.write("there is nothing to answer again\n");
  }

  /** Carries out a `/` command. @returns false to leave. */
  async command(line: string): Promise<boolean> {
    const [name, ...rest] = line.slice(1).split(" ");
    switch (name) {
      case "exit":
      case "quit":
        return false;
      case "help":
        process.stdout.write(help);
        break;
      case "reset":
        this.reset();
        process.stdout.write("forgotten\n");
        break;
      case "system":
        this.reset(rest.join(" "));
        process.stdout.write("system message set\n");
        break;
      case "retry":
        await this.retry();
        break;
      case "history":
        for (const { role, content } of this.messages) process.stdout.write(`${role}: ${content}\n`);
        break;
      case "timings":
        process.stdout.write(this.#timings ? `${summary(this.#timings)}\n` : "no answer yet\n");
        break;
      default:
        process.stdout.write(`unknown command /${name}; /help lists the commands\n`);
    }
    return true;
  }
}

/** Lines as they come; ends at the end of input. Lines typed during an answer wait. */
async function* lines(readline: Interface): AsyncGenerator<string> {
  const waiting: string[] = [];
  let wake: (() => void) | undefined;
  let closed = false;
  readline.on("line", (line) => {
    waiting.push(line);
    wake?.();
  });
  readline.on("close", () => {
    closed = true;
    wake?.();
  });
  for (;;) {
    const line = waiting.shift();
    if (line !== undefined) yield line;
    else if (closed) return;
    else
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  }
}

async function chat(flags: ChatFlags): Promise<void> {
  await using llama = await loadLlama(flags);
  const conversation = new Conversation(llama, flags);
  const terminal = process.stdin.isTTY === true;
  const readline = createInterface({
    input: process.stdin,
    output: process.stdout,
    terminal,
    prompt: terminal ? "> " : "",
  });
  const interrupt = () => {
    if (conversation.interrupt()) return;
    process.stdout.write("\n(/exit or Ctrl-D leaves)\n");
    readline.prompt();
  };
  readline.on("SIGINT", interrupt);
  process.on("SIGINT", interrupt);
  if (terminal) process.stderr.write("/help lists the commands, Ctrl-C stops an answer, Ctrl-D leaves\n");
  let open = true;
  readline.once("close", () => {
    open = false;
  });
  const ready = () => {
    if (open) readline.prompt();
  };
  ready();
  for await (const raw of lines(readline)) {
    const line = raw.trim();
    if (line.startsWith("/")) {
      if (!(await conversation.command(line))) break;
    } else if (line !== "") {
      await conversation.say(line);
    }
    ready();
  }
  process.off("SIGINT", interrupt);
  readline.close();
  if (terminal) process.stdout.write("\n");
}
