#!/usr/bin/env node
import { CommanderError } from "commander";
import { normaliseArguments } from "./arguments.ts";
import { explain } from "./explain.ts";
import { buildProgram } from "./program.ts";

/** Runs one command. @returns the exit status: 0, 1 for a failure, 2 for wrong usage, 130 when interrupted. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    const program = buildProgram();
    await program.parseAsync(normaliseArguments(program, argv), { from: "user" });
    return process.exitCode === undefined ? 0 : Number(process.exitCode);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if ((error as Error).name === "AbortError") return 130;
    // Whoever read the output has seen enough.
    if ((error as NodeJS.ErrnoException).code === "EPIPE") return 0;
    const { message, status } = explain(error as Error);
    process.stderr.write(`cria: ${message}\n`);
    if (process.env.CRIA_DEBUG) process.stderr.write(`${(error as Error).stack}\n`);
    return status;
  }
}

// Who writes learns of it from `print`, and frees what it holds before the end.
process.stdout.on("error", () => {});
process.exitCode = await main(process.argv.slice(2));
