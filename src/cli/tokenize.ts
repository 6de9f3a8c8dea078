import type { Command } from "commander";
import { embeddedModelPath } from "../embedded-model.ts";
import { Model } from "../model.ts";
import { readText } from "./options.ts";

interface TokenizeFlags {
  model?: string;
  prompt?: string;
  file?: string;
  ids?: boolean;
  showCount?: boolean;
  bos: boolean;
  parseSpecial: boolean;
}

export function addTokenizeCommand(program: Command): void {
  program
    .command("tokenize")
    .description("Show the tokens of a text: one id and its text per line.")
    .option("-m, --model <file>", "GGUF file (default: the tiny model that comes with cria)")
    .option("-p, --prompt <text>", "the text (default: standard input)")
    .option("-f, --file <file>", "read the text from a file")
    .option("--ids", "print the ids alone, as a JSON list")
    .option("--show-count", "print the number of tokens last")
    .option("--no-bos", "add no BOS or other special tokens")
    .option("--no-parse-special", "treat text such as <|im_end|> as plain text")
    .action(tokenize);
}

async function tokenize(flags: TokenizeFlags): Promise<void> {
  const text = flags.prompt ?? readText(flags.file ?? "-", "--file");
  using model = await Model.load(flags.model ?? embeddedModelPath(), { vocabOnly: true });
  const tokens = model.vocab.tokenize(text, { addSpecial: flags.bos, parseSpecial: flags.parseSpecial });
  if (flags.ids) {
    process.stdout.write(`[${Array.from(tokens).join(", ")}]\n`);
  } else {
    for (const token of tokens) {
      const piece = new TextDecoder().decode(model.vocab.pieceBytes(token, { special: true }));
      process.stdout.write(`${String(token).padStart(6)} -> ${JSON.stringify(piece)}\n`);
    }
  }
  if (flags.showCount) process.stdout.write(`Total number of tokens: ${tokens.length}\n`);
}
