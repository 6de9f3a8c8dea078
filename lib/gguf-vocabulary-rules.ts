import { firstDuplicate } from "./gguf-duplicates.ts";
import { type GgufHeader, metadataArray, metadataNumber, metadataString } from "./gguf-header.ts";

/** What libllama assumes for a kind of tokenizer: special tokens by id, and which it adds to a text. */
interface Assumptions {
  readonly bos?: number;
  readonly eos?: number;
  readonly seperator?: number;
  readonly adds: readonly SpecialToken[];
}
type SpecialToken = "bos" | "eos" | "seperator";

const bpe: Assumptions = { bos: 11, eos: 11, adds: [] };
const assumptions = new Map<string, Assumptions>([
  ["llama", { bos: 1, eos: 2, adds: ["bos"] }],
  ["gpt2", bpe],
  ["hybriddna", bpe],
  ["whitespace", bpe],
  ["bert", { bos: 101, seperator: 102, adds: ["bos", "seperator"] }],
  ["t5", { eos: 1, adds: ["eos"] }],
  ["gemma4", { adds: ["bos"] }],
]);

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
  const missing = missingSpecialToken(header, tokens.length);
  return (
    missing &&
    `the tokenizer adds tokenizer.ggml.${missing}_token_id to every text, but the model names no such token`
  );
}

function missingSpecialToken(header: GgufHeader, size: number): SpecialToken | undefined {
  const model = metadataString(header, "tokenizer.ggml.model") ?? "";
  const assumed = assumptions.get(model);
  if (assumed === undefined) return undefined;
  return (["bos", "eos", "seperator"] as const).find(
    (token) => adds(header, model, assumed, token) && !known(header, assumed, token, size),
  );
}

function adds(header: GgufHeader, model: string, assumed: Assumptions, token: SpecialToken): boolean {
  const assumedTo = assumed.adds.includes(token);
  // WordPiece frames every text whatever the flags say, and never adds an end token; others know no separator.
  if (model === "bert") return assumedTo;
  if (token === "seperator") return false;
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
