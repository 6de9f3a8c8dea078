import { createInterface, type Interface } from "node:readline";
import type { Command } from "commander";
import { Conversation } from "./conversation.ts";
import { integer } from "./numbers.ts";
import { addModelOptions, loadLlama, type ModelFlags } from "./options.ts";
import { print } from "./output.ts";
import { addReasoningOptions, type ReasoningFlags, reasoningParams } from "./reasoning.ts";
import { summary } from "./run.ts";
import { addSamplingOptions, type SamplingFlags, samplingParams } from "./sampling.ts";
import { addSystemOptions, type SystemFlags, systemPrompt } from "./system-prompt.ts";

interface ChatFlags extends ModelFlags, SamplingFlags, ReasoningFlags, SystemFlags {
  predict?: number;
}

export function addChatCommand(program: Command): void {
  const command = program
    .command("chat")
    .description("Talk with a model. Ctrl-C stops an answer, /help lists the commands.")
    .option("-n, --predict <n>", "most tokens of an answer, -1 for no limit (default: -1)", integer(-2));
  addReasoningOptions(addSamplingOptions(addModelOptions(addSystemOptions(command)))).action(
    (flags: ChatFlags) => chat(flags),
  );
}

const help = `/help            this list
/system TEXT     set the system message and start anew; without TEXT, remove it
/reset           forget the conversation
/retry           answer the last message again
/history         show the conversation
/timings         show what the last answer computed and reused
/exit            leave (also Ctrl-D)
`;

/** Carries out a `/` command. @returns "leave", or whether it went well. */
async function carryOut(conversation: Conversation, line: string): Promise<boolean | "leave"> {
  const [, name = "", rest = ""] = /^\/(\S*)\s*(.*)$/.exec(line) ?? [];
  switch (name) {
    case "exit":
    case "quit":
      return "leave";
    case "help":
      await print(help);
      return true;
    case "reset":
      conversation.reset();
      await print("forgotten\n");
      return true;
    case "system":
      conversation.reset(rest);
      await print(`system message ${rest === "" ? "removed" : "set"}\n`);
      return true;
    case "retry": {
      const answered = await conversation.retry();
      if (answered === undefined) await print("there is nothing to answer again\n");
      return answered ?? true;
    }
    case "history":
      for (const { role, content } of conversation.messages) await print(`${role}: ${content}\n`);
      return true;
    case "timings":
      await print(conversation.timings ? `${summary(conversation.timings)}\n` : "no answer yet\n");
      return true;
    default:
      process.stderr.write(`unknown command /${name}; /help lists the commands\n`);
      return false;
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
  const options = {
    system: systemPrompt(flags),
    params: { ...samplingParams(flags), ...reasoningParams(flags) },
    predict: flags.predict ?? -1,
  };
  await using llama = await loadLlama(flags);
  const conversation = new Conversation(llama, options);
  const terminal = process.stdin.isTTY === true;
  const readline = createInterface({
    input: process.stdin,
    output: process.stdout,
    terminal,
    prompt: terminal ? "> " : "",
  });
  const interrupt = () => {
    if (conversation.interrupt()) return;
    if (terminal) {
      const typed = readline.line !== "";
      process.stderr.write(typed ? "\n" : "\n(/exit or Ctrl-D leaves)\n");
      // Each key draws the line anew, hence only where there is something to clear.
      if (typed) readline.write(null, { ctrl: true, name: "u" });
      readline.prompt();
    } else {
      // Whoever writes into the pipe may never end it.
      process.exitCode = 130;
      readline.close();
    }
  };
  readline.on("SIGINT", interrupt);
  process.on("SIGINT", interrupt);
  if (terminal) process.stderr.write("/help lists the commands, Ctrl-C stops an answer, Ctrl-D leaves\n");
  try {
    await converse(conversation, readline, { terminal });
  } finally {
    process.off("SIGINT", interrupt);
    readline.close();
  }
}

async function converse(
  conversation: Conversation,
  readline: Interface,
  { terminal }: { terminal: boolean },
): Promise<void> {
  let open = true;
  readline.once("close", () => {
    open = false;
  });
  readline.prompt();
  for await (const raw of lines(readline)) {
    const line = raw.trim();
    let outcome: boolean | "leave" = true;
    if (line.startsWith("/")) outcome = await carryOut(conversation, line);
    else if (line !== "") outcome = await conversation.say(line);
    if (outcome === "leave") return;
    // At a terminal somebody has seen it; a script asks for the status.
    if (!outcome && !terminal) process.exitCode = 1;
    if (open) readline.prompt();
  }
  // After Ctrl-D the shell's own prompt would follow ours.
  if (terminal) await print("\n");
}
