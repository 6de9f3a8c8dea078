import { isUtf8 } from "node:buffer";
import type { Command } from "commander";
import { embeddedModelPath } from "../embedded-model.ts";
import { Model } from "../model.ts";
import { print } from "./output.ts";
import { readPromptBytes, type TextFlags } from "./text.ts";

interface TokenizeFlags extends TextFlags {
  model?: string;
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
    .option("-f, --file <file>", "read the text from a file, - for standard input")
    .option("--ids", "print the ids alone, as a JSON list")
    .option("--show-count", "print the number of tokens last")
    .option("--no-bos", "add no BOS or other special tokens")
    .option("--no-parse-special", "treat text such as <|im_end|> as plain text")
    .action(tokenize);
}

/** A piece as JSON text; bytes that are no whole character as \xHH, as llama-tokenize shows them. */
function showPiece(bytes: Uint8Array): string {
  if (isUtf8(bytes)) return JSON.stringify(new TextDecoder().decode(bytes));
  return `"${Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}"`;
}

async function tokenize(flags: TokenizeFlags): Promise<void> {
  const text = readPromptBytes(flags);
  using model = await Model.load(flags.model ?? embeddedModelPath(), { vocabOnly: true });
  const tokens = model.vocab.tokenize(text, { addSpecial: flags.bos, parseSpecial: flags.parseSpecial });
  if (flags.ids) {
    await print(`[${Array.from(tokens).join(", ")}]\n`);
  } else {
    const lines = Array.from(tokens, (token) => {
      const piece = showPiece(model.vocab.pieceBytes(token, { special: true }));
      return `${String(token).padStart(6)} -> ${piece}\n`;
    });
    await print(lines.join(""));
  }
  if (flags.showCount) await print(`Total number of tokens: ${tokens.length}\n`);
}
