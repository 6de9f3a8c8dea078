import { type Command, InvalidArgumentError, Option } from "commander";

/** Flags of llama-server that make no sense here, and why. */
const refused: readonly (readonly [flags: string, reason: string])[] = [
  ["--props", "properties cannot be changed while the server runs"],
  ["--webui", "there is no web page; use any client of OpenAI's API"],
  ["--no-jinja", "chats are always rendered by Jinja templates"],
  ["--no-cont-batching", "requests are always batched as they come"],
  ["--path <folder>", "no files are served; put a web server in front"],
  ["--threads-http <n>", "requests are served by one event loop, which computes nothing"],
  ["--cache-reuse <n>", "chunks behind a difference are not shifted; equal prefixes are always reused"],
  [
    "--sps, --slot-prompt-similarity <s>",
    "there are no slots to choose from; every request finds the longest prefix",
  ],
  ["--mmproj <file>", "images and audio are not supported"],
  ["--md, --model-draft <file>", "speculative decoding is not supported"],
  ["--draft-max <n>", "speculative decoding is not supported"],
  ["--draft-min <n>", "speculative decoding is not supported"],
  ["--hf-repo <name>", "models are not downloaded; give a file with -m"],
  ["--model-url <url>", "models are not downloaded; give a file with -m"],
  ["--rpc <servers>", "other machines are not used yet"],
  ["--sleep-idle-seconds <n>", "the server does not sleep; an idle one computes nothing"],
];

/** Makes a command know these flags, so that it can say why it does not take them. */
export function addRefusedFlags(command: Command): void {
  for (const [flags, reason] of refused) {
    const option = new Option(flags, `not taken: ${reason}`);
    const name = option.long ?? flags;
    option.argParser(() => {
      throw new InvalidArgumentError(`is not taken: ${reason}.`);
    });
    if (!flags.includes("<")) {
      // Commander parses no value of a flag that has none.
      command.on(`option:${option.name()}`, () => {
        command.error(`error: ${name} is not taken: ${reason}`, { exitCode: 2, code: "cria.refused" });
      });
    }
    command.addOption(option.hideHelp());
  }
}
