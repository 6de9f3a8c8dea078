import type { Command } from "commander";
import type { GenerationParams, Timings } from "../llama/types.ts";
import type { Llama } from "../llama.ts";
import type { ChatDefaults } from "../server/options.ts";
import { integer } from "./numbers.ts";
import { addModelOptions, collect, loadLlama, type ModelFlags } from "./options.ts";
import { print } from "./output.ts";
import { addReasoningOptions, type ReasoningFlags, reasoningParams } from "./reasoning.ts";
import { addSamplingOptions, type SamplingFlags, samplingParams } from "./sampling.ts";
import { addSystemOptions, type SystemFlags, systemPrompt } from "./system-prompt.ts";
import { readPrompt, type TextFlags, unescapeText } from "./text.ts";

interface RunFlags extends ModelFlags, SamplingFlags, ReasoningFlags, TextFlags, SystemFlags {
  predict?: number;
  stop?: string[];
  chat?: boolean;
  escape?: boolean;
  json?: boolean;
  verbose?: boolean;
}

export function addRunCommand(program: Command): void {
  const command = program
    .command("run")
    .description("Generate text once; standard output carries only the text.")
    .option("-p, --prompt <text>", "the prompt (default: standard input)")
    .option("-f, --file <file>", "read the prompt from a file, - for standard input")
    .option("--chat", "answer the prompt as a chat message, through the model's chat template")
    .option("-n, --predict <n>", "most tokens to generate, -1 for no limit (default: -1)", integer(-2))
    .option("-r, --stop <text>", "stop at this text; may be repeated", collect)
    .option("-e, --escape", "read \\n, \\t, \\x0a and the like in the prompts and -r as what they stand for")
    .option("--json", "print the whole response as JSON instead")
    .option("-v, --verbose", "print timings on standard error");
  addReasoningOptions(addSamplingOptions(addModelOptions(addSystemOptions(command)))).action(
    (flags: RunFlags) => runOnce(flags),
  );
}

interface Task {
  readonly prompt: string;
  readonly system: string | undefined;
  readonly chat: boolean;
  readonly reasoning: ChatDefaults;
  readonly params: GenerationParams & { stop: string[] | null };
}

/** What to do, read and checked before the model is loaded. */
function readTask(flags: RunFlags, signal: AbortSignal): Task {
  const system = systemPrompt(flags);
  if (system !== undefined && !flags.chat) throw new TypeError("--system-prompt needs --chat");
  const reasoning = reasoningParams(flags);
  if (Object.keys(reasoning).length > 0 && !flags.chat)
    throw new TypeError("--chat-template-kwargs and the flags of reasoning need --chat");
  const final = flags.escape ? unescapeText : (text: string) => text;
  return {
    prompt: final(readPrompt(flags)),
    system: system === undefined ? undefined : final(system),
    chat: flags.chat ?? false,
    reasoning,
    params: {
      ...samplingParams(flags),
      max_tokens: flags.predict ?? -1,
      signal,
      stop: flags.stop?.map(final) ?? null,
    },
  };
}

async function runOnce(flags: RunFlags): Promise<void> {
  const controller = new AbortController();
  const task = readTask(flags, controller.signal);
  const interrupt = () => controller.abort();
  process.once("SIGINT", interrupt);
  try {
    await using llama = await loadLlama(flags);
    const timings = flags.json ? await printJson(llama, task) : await stream(llama, task);
    if (flags.verbose && timings) process.stderr.write(`${summary(timings)}\n`);
  } finally {
    process.off("SIGINT", interrupt);
  }
}

function messages({ system, prompt }: Task) {
  const before = system === undefined ? [] : [{ role: "system" as const, content: system }];
  return [...before, { role: "user" as const, content: prompt }];
}

async function printJson(llama: Llama, task: Task): Promise<Timings> {
  const { params, prompt } = task;
  const response = task.chat
    ? await llama.createChatCompletion({ ...params, ...task.reasoning, messages: messages(task) })
    : await llama.createCompletion({ ...params, prompt });
  await print(`${JSON.stringify(response, null, 2)}\n`);
  return response.timings;
}

async function stream(llama: Llama, task: Task): Promise<Timings | undefined> {
  const params = { ...task.params, stream: true as const, stream_options: { include_usage: true } };
  let timings: Timings | undefined;
  if (task.chat) {
    const chat = { ...params, ...task.reasoning, messages: messages(task) };
    for await (const chunk of llama.createChatCompletion(chat)) {
      await print(chunk.choices[0]?.delta.content ?? "");
      timings = chunk.timings;
    }
  } else {
    for await (const chunk of llama.createCompletion({ ...params, prompt: task.prompt })) {
      await print(chunk.choices[0]?.text ?? "");
      timings = chunk.timings;
    }
  }
  await print("\n");
  return timings;
}

/** Timings in one line. */
export function summary({
  cache_n,
  prompt_n,
  prompt_ms,
  predicted_n,
  predicted_per_second,
}: Timings): string {
  return (
    `prompt: ${prompt_n} tokens computed, ${cache_n} from the cache, ${prompt_ms.toFixed(1)} ms; ` +
    `answer: ${predicted_n} tokens, ${predicted_per_second.toFixed(1)} per second`
  );
}
