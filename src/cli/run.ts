import type { Command } from "commander";
import type { GenerationParams, Timings, Usage } from "../llama/types.ts";
import type { Llama } from "../llama.ts";
import { addModelOptions, collect, integer, loadLlama, type ModelFlags, readText } from "./options.ts";
import { addSamplingOptions, type SamplingFlags, samplingParams } from "./sampling.ts";

interface RunFlags extends ModelFlags, SamplingFlags {
  prompt?: string;
  file?: string;
  systemPrompt?: string;
  predict?: number;
  stop?: string[];
  chat?: boolean;
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
    .option("--sys, --system-prompt <text>", "system message, with --chat")
    .option("-n, --predict <n>", "most tokens to generate, -1 for no limit", integer)
    .option("-r, --stop <text>", "stop at this text; may be repeated", collect)
    .option("--json", "print the whole response as JSON instead")
    .option("-v, --verbose", "print timings on standard error");
  addSamplingOptions(addModelOptions(command)).action((flags: RunFlags) => runOnce(flags));
}

/** @throws TypeError for flags that exclude each other, Error for a file that cannot be read. */
function readPrompt(flags: RunFlags): string {
  if (flags.prompt !== undefined && flags.file !== undefined)
    throw new TypeError("give either --prompt or --file, not both");
  if (flags.prompt !== undefined) return flags.prompt;
  if (flags.file === undefined && process.stdin.isTTY)
    throw new TypeError("there is no prompt; give one with -p, a file with -f, or pipe it in");
  return readText(flags.file ?? "-", "--file");
}

async function runOnce(flags: RunFlags): Promise<void> {
  const prompt = readPrompt(flags);
  if (flags.systemPrompt !== undefined && !flags.chat) throw new TypeError("--system-prompt needs --chat");
  const controller = new AbortController();
  const interrupt = () => controller.abort();
  process.once("SIGINT", interrupt);
  try {
    await using llama = await loadLlama(flags);
    const params: GenerationParams = {
      ...samplingParams(flags),
      max_tokens: flags.predict ?? -1,
      signal: controller.signal,
    };
    const stop = flags.stop ?? null;
    if (flags.json) await printJson(llama, flags, prompt, { ...params, stop });
    else await stream(llama, flags, prompt, { ...params, stop });
  } finally {
    process.off("SIGINT", interrupt);
  }
}

type Params = GenerationParams & { stop: string[] | null };

function messages(flags: RunFlags, prompt: string) {
  const system =
    flags.systemPrompt === undefined ? [] : [{ role: "system" as const, content: flags.systemPrompt }];
  return [...system, { role: "user" as const, content: prompt }];
}

async function printJson(llama: Llama, flags: RunFlags, prompt: string, params: Params): Promise<void> {
  const response = flags.chat
    ? await llama.createChatCompletion({ ...params, messages: messages(flags, prompt) })
    : await llama.createCompletion({ ...params, prompt });
  process.stdout.write(`${JSON.stringify(response, null, 2)}\n`);
}

async function stream(llama: Llama, flags: RunFlags, prompt: string, params: Params): Promise<void> {
  const options = { ...params, stream: true as const, stream_options: { include_usage: true } };
  let last: { usage?: Usage | null; timings?: Timings } = {};
  if (flags.chat) {
    for await (const chunk of llama.createChatCompletion({ ...options, messages: messages(flags, prompt) })) {
      process.stdout.write(chunk.choices[0]?.delta.content ?? "");
      last = chunk;
    }
  } else {
    for await (const chunk of llama.createCompletion({ ...options, prompt })) {
      process.stdout.write(chunk.choices[0]?.text ?? "");
      last = chunk;
    }
  }
  process.stdout.write("\n");
  if (flags.verbose && last.timings) process.stderr.write(`${summary(last.timings)}\n`);
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
