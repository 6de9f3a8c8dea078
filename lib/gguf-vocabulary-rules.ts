import { firstDuplicate } from "./gguf-duplicates.ts";
import { type GgufHeader, metadataArray, metadataNumber, metadataString } from "./gguf-header.ts";
import type { GgufArray } from "./gguf-value.ts";

/** What libllama assumes for a kind of tokenizer: special tokens by id, and which it adds to a text. */
interface Assumptions {
  readonly bos?: number;
  readonly eos?: number;
  readonly seperator?: number;
  readonly unknown?: number;
  readonly adds: readonly SpecialToken[];
}
type SpecialToken = "bos" | "eos" | "seperator" | "unknown";

const bpe: Assumptions = { bos: 11, eos: 11, adds: [] };
const assumptions = new Map<string, Assumptions>([
  ["llama", { bos: 1, eos: 2, adds: ["bos"] }],
  ["gpt2", bpe],
  ["hybriddna", bpe],
  ["whitespace", bpe],
  ["bert", { bos: 101, seperator: 102, unknown: 100, adds: ["bos", "seperator", "unknown"] }],
  ["t5", { eos: 1, unknown: 2, adds: ["eos", "unknown"] }],
  ["gemma4", { adds: ["bos"] }],
]);

/** `LLAMA_TOKEN_TYPE_BYTE`. */
const byteType = 6;
/** Dummy tokens libllama creates for a model without a tokenizer; each costs memory at once. */
const maxVocabulary = 1 << 24;

/** Says why the vocabulary would end the process; `undefined` where it would not. */
export function vocabularyProblem(header: GgufHeader): string | undefined {
  const sizeKey = `${metadataString(header, "general.architecture")}.vocab_size`;
  const size = metadataNumber(header, sizeKey) ?? 0;
  if (size > maxVocabulary) return `${sizeKey} is ${size}, more than ${maxVocabulary}`;
  const tokens = metadataArray(header, "tokenizer.ggml.tokens");
  if (tokens?.elementType !== "string") return undefined;
  const duplicate = firstDuplicate(tokens);
  if (duplicate !== undefined) {
    const { first, second, text } = duplicate;
    return `tokenizer.ggml.tokens holds ${JSON.stringify(text)} twice, as ${first} and ${second}`;
  }
  const model = metadataString(header, "tokenizer.ggml.model");
  if (model === "llama") {
    const byte = missingByte(tokens);
    if (byte !== undefined) return `tokenizer.ggml.tokens has no token for ${byte}, which texts may need`;
  }
  if (model === "bert" && metadataArray(header, "tokenizer.ggml.token_type")?.toArray().includes(byteType)) {
    return "tokenizer.ggml.token_type holds byte tokens, which a WordPiece tokenizer has not";
  }
  const missing = missingSpecialToken(header, tokens.length);
  return (
    missing &&
    `the tokenizer puts tokenizer.ggml.${missing}_token_id into texts, but the model names no such token`
  );
}

/** SentencePiece spells what it has no piece for in bytes; libllama ends the process where one is missing. */
function missingByte(tokens: GgufArray): string | undefined {
  const found = new Uint8Array(256);
  for (let index = 0; index < tokens.length; index++) {
    const bytes = tokens.stringBytes(index);
    if (bytes.length === 1) found[bytes[0]!] = 1;
    // "<0x41>" is for 65; the second character tells most tokens apart without decoding them.
    if (bytes.length !== 6 || bytes[1] !== 0x30) continue;
    const digits = /^<0x([0-9A-F]{2})>$/.exec(String.fromCharCode(...bytes))?.[1];
    if (digits !== undefined) found[Number.parseInt(digits, 16)] = 1;
  }
  const missing = found.indexOf(0);
  return missing < 0 ? undefined : `<0x${missing.toString(16).toUpperCase().padStart(2, "0")}>`;
}

function missingSpecialToken(header: GgufHeader, size: number): SpecialToken | undefined {
  const model = metadataString(header, "tokenizer.ggml.model") ?? "";
  const assumed = assumptions.get(model);
  if (assumed === undefined) return undefined;
  return (["bos", "eos", "seperator", "unknown"] as const).find(
    (token) => adds(header, model, assumed, token) && !known(header, assumed, token, size),
  );
}

function adds(header: GgufHeader, model: string, assumed: Assumptions, token: SpecialToken): boolean {
  const assumedTo = assumed.adds.includes(token);
  // WordPiece frames every text whatever the flags say, and never adds an end token; others know no separator.
  if (model === "bert") return assumedTo;
  if (token === "seperator") return false;
  if (token === "unknown") return assumedTo;
  // libllama overrides the flag of this tokenizer.
  if (model === "gemma4" && token === "bos") return true;
  const flag = header.metadata.get(`tokenizer.ggml.add_${token}_token`)?.value;
  return typeof flag === "boolean" ? flag : assumedTo;
}

function known(header: GgufHeader, assumed: Assumptions, token: SpecialToken, size: number): boolean {
  const named = metadataNumber(header, `tokenizer.ggml.${token}_token_id`);
  if (named !== undefined && named < size) return true;
  const fallback = assumed[token];
  return fallback !== undefined && fallback < size;
}
