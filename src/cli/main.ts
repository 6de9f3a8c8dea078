#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { addChatCommand } from "./chat.ts";
import { addDoctorCommand } from "./doctor.ts";
import { addInspectCommand } from "./inspect.ts";
import { normaliseArguments } from "./options.ts";
import { addRunCommand } from "./run.ts";
import { addTokenizeCommand } from "./tokenize.ts";

function packageVersion(): string {
  for (const place of ["../../package.json", "../../../package.json"]) {
    try {
      return (JSON.parse(readFileSync(new URL(place, import.meta.url), "utf8")) as { version: string })
        .version;
    } catch {
      // The sources and the built package lie at different depths.
    }
  }
  return "unknown";
}

/** The whole command line, without running it. */
export function buildProgram(): Command {
  const program = new Command("cria")
    .description("Run GGUF models from JavaScript: llama.cpp through FFI, nothing to compile.")
    .version(packageVersion())
    .showHelpAfterError("(add --help for all options)")
    .exitOverride();
  addRunCommand(program);
  addChatCommand(program);
  addTokenizeCommand(program);
  addInspectCommand(program);
  addDoctorCommand(program);
  return program;
}

/** Runs one command. @returns the exit status: 0, 1 for a failure, 2 for wrong usage, 130 when interrupted. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    await buildProgram().parseAsync(normaliseArguments(argv), { from: "user" });
    return process.exitCode === undefined ? 0 : Number(process.exitCode);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if ((error as Error).name === "AbortError") return 130;
    process.stderr.write(`cria: ${(error as Error).message}\n`);
    if (process.env.CRIA_DEBUG) process.stderr.write(`${(error as Error).stack}\n`);
    return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
