#!/usr/bin/env node
import { CommanderError } from "commander";
import { normaliseArguments } from "./options.ts";
import { buildProgram } from "./program.ts";

/** Runs one command. @returns the exit status: 0, 1 for a failure, 2 for wrong usage, 130 when interrupted. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    await buildProgram().parseAsync(normaliseArguments(argv), { from: "user" });
    return process.exitCode === undefined ? 0 : Number(process.exitCode);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if ((error as Error).name === "AbortError") return 130;
    // Whoever read the output has seen enough.
    if ((error as NodeJS.ErrnoException).code === "EPIPE") return 0;
    process.stderr.write(`cria: ${(error as Error).message}\n`);
    if (process.env.CRIA_DEBUG) process.stderr.write(`${(error as Error).stack}\n`);
    return error instanceof TypeError || error instanceof RangeError ? 2 : 1;
  }
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : 1);
});
process.exitCode = await main(process.argv.slice(2));
