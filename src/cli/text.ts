import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";

/** Where a command takes its text from. */
export interface TextFlags {
  prompt?: string;
  file?: string;
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file; check the path",
  EISDIR: "it is a folder; name a file in it",
  EACCES: "permission denied; change its permissions or copy it",
};

const nameOf = (file: string) => (file === "-" ? "standard input" : file);

/** The bytes of a file that a flag names, "-" for standard input. @throws Error naming the flag and the file. */
function readBytes(file: string, flag: string): Buffer {
  try {
    return readFileSync(file === "-" ? 0 : file);
  } catch (cause) {
    const { code = "", message } = cause as NodeJS.ErrnoException;
    // Standard input that was closed before the start holds nothing.
    if (file === "-" && code === "EOF") return Buffer.alloc(0);
    throw new Error(`${flag}: ${nameOf(file)} cannot be read: ${reasons[code] ?? message}`, { cause });
  }
}

/** The text of a file that a flag names, without its byte order mark; says so where it is not UTF-8. */
export function readText(file: string, flag: string): string {
  const bytes = readBytes(file, flag);
  if (!isUtf8(bytes)) {
    process.stderr.write(`cria: ${nameOf(file)} is not valid UTF-8; wrong bytes are read as U+FFFD\n`);
  }
  return new TextDecoder().decode(bytes);
}

/** What -p gives, or the file to read. @throws TypeError for both, or for none at a terminal. */
function source({ prompt, file }: TextFlags): { text: string } | { file: string } {
  if (prompt !== undefined && file !== undefined) {
    throw new TypeError("give either --prompt or --file, not both");
  }
  if (prompt !== undefined) return { text: prompt };
  if (file === undefined && process.stdin.isTTY) {
    throw new TypeError("there is no prompt; give one with -p, a file with -f, or pipe it in");
  }
  return { file: file ?? "-" };
}

/** What -p gives, else the file of -f, else standard input, without the line break that ends the last line of a file. */
export function readPrompt(flags: TextFlags): string {
  const from = source(flags);
  return "text" in from ? from.text : readText(from.file, "--file").replace(/\r?\n$/, "");
}

/** The same, byte for byte. @throws Error for bytes that are no UTF-8: they have no tokens. */
export function readPromptBytes(flags: TextFlags): Uint8Array {
  const from = source(flags);
  if ("text" in from) return Buffer.from(from.text);
  const bytes = readBytes(from.file, "--file");
  if (!isUtf8(bytes)) throw new Error(`${nameOf(from.file)} is not valid UTF-8; convert it first`);
  return bytes;
}

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/** Replaces \n, \r, \t, \xHH, \', \" and \\, as llama.cpp's tools do; other backslashes stay. */
export function unescapeText(text: string): string {
  return text.replace(/\\(?:x([0-9a-fA-F]{2})|([nrt'"\\]))/g, (_, hex?: string, letter = "") =>
    hex === undefined ? (escapes[letter] ?? letter) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
