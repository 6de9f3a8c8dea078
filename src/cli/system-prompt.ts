import type { Command } from "commander";
import { readText } from "./text.ts";

export interface SystemFlags {
  systemPrompt?: string;
  systemPromptFile?: string;
}

export function addSystemOptions(command: Command): Command {
  return command
    .option("--sys, --system-prompt <text>", "system message of the chat")
    .option("--sysf, --system-prompt-file <file>", "file with the system message");
}

/** @throws TypeError where both flags are given, Error naming a file that cannot be read. */
export function systemPrompt({
  systemPrompt: text,
  systemPromptFile: file,
}: SystemFlags): string | undefined {
  if (text !== undefined && file !== undefined) {
    throw new TypeError("give either --system-prompt or --system-prompt-file, not both");
  }
  return file === undefined ? text : readText(file, "--system-prompt-file").replace(/\r?\n$/, "");
}
