import { readFileSync } from "node:fs";
import { Command } from "commander";
import { addCacheCommand } from "./cache.ts";
import { addChatCommand } from "./chat.ts";
import { addDoctorCommand } from "./doctor.ts";
import { addInspectCommand } from "./inspect.ts";
import { addRunCommand } from "./run.ts";
import { addServeCommand } from "./serve.ts";
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
    .configureOutput({
      outputError: (text, write) =>
        write(text.replace(/^error: /, "cria: ").replace(/is invalid\. (must|is not)/, "is invalid: it $1")),
    })
    .showHelpAfterError("(add --help for all options)")
    .exitOverride();
  addRunCommand(program);
  addChatCommand(program);
  addServeCommand(program);
  addTokenizeCommand(program);
  addInspectCommand(program);
  addCacheCommand(program);
  addDoctorCommand(program);
  return program;
}
