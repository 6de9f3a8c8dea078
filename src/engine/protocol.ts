import {
  AbiMismatchError,
  ContextInitError,
  CriaError,
  DecodeError,
  GrammarError,
  LibraryLoadError,
  ModelLoadError,
  RequestError,
  TemplateError,
} from "../../lib/errors.ts";
import type { SampledToken } from "./request.ts";

/** Records that the calling side writes; all words are 32-bit integers. */
export const Command = {
  /** slot, byteOffset, byteLength: a request as JSON in the token memory. */
  submit: 1,
  /** id, count */
  resume: 2,
  /** call, byteOffset, byteLength: method and arguments as JSON in the token memory. */
  call: 3,
  /** id, byteOffset, capacity, length */
  move: 4,
  close: 5,
} as const;

/** Records that the decoding side writes. */
export const Event = {
  /** id, token, logprob, count, then count times token and logprob */
  token: 1,
  /** id, computed, cached */
  progress: 2,
  /** id, position, then as `token` */
  promptToken: 3,
  /** id */
  logits: 4,
  /** id, text: reason and stats */
  end: 5,
  /** id, text: an error */
  error: 6,
  /** byteOffset, byteLength */
  release: 7,
  /** call, text: the answer */
  answer: 8,
  /** call, text: an error */
  failure: 9,
  /** id */
  wantsRoom: 10,
  /** fraction */
  loading: 11,
  /** text: what was loaded */
  ready: 12,
  /** text: an error that ended the decoding side */
  fatal: 13,
  closed: 14,
} as const;

/**
 * The control block: a bell that the calling side changes whenever there is something to see; the byte that aborts the
 * running decode; the id of the one request that this decode is for, 0 where it is for several; then two words for each
 * request: whether it is given up, and how many tokens its consumer has taken.
 */
export const bell = 0;
export const abortWord = 1;
export const soleRequest = 2;
export const slotAborted = 0;
export const slotAcknowledged = 1;
const firstSlot = 4;
const slotWords = 2;

export function controlBytes(slots: number): number {
  return 4 * slotIndex(slots);
}
/** Where the words of a slot begin. */
export function slotIndex(slot: number): number {
  return firstSlot + slotWords * slot;
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

export function floatToBits(value: number): number {
  float[0] = value;
  return bits[0]!;
}
export function bitsToFloat(word: number): number {
  bits[0] = word;
  return float[0]!;
}

/** Text as words: its length in bytes, then UTF-8 padded to whole words. */
export function textToWords(text: string): Int32Array {
  const bytes = new TextEncoder().encode(text);
  const words = new Int32Array(1 + Math.ceil(bytes.length / 4));
  words[0] = bytes.length;
  new Uint8Array(words.buffer, 4).set(bytes);
  return words;
}
export function wordsToText(words: Int32Array): string {
  const copy = words.slice(1);
  return new TextDecoder().decode(new Uint8Array(copy.buffer, 0, words[0]));
}

export function sampledToWords({ token, logprob, top }: SampledToken): number[] {
  const words = [token, floatToBits(logprob), top.length];
  for (const entry of top) words.push(entry.token, floatToBits(entry.logprob));
  return words;
}
export function wordsToSampled(words: Int32Array): SampledToken {
  const [token = 0, logprob = 0, count = 0] = words;
  const top = Array.from({ length: count }, (_, index) => ({
    token: words[3 + 2 * index]!,
    logprob: bitsToFloat(words[4 + 2 * index]!),
  }));
  return { token, logprob: bitsToFloat(logprob), top };
}

/** JSON that keeps numbers which are not finite, undefined in lists aside. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === "number" && !Number.isFinite(item) ? { $number: String(item) } : item,
  );
}
export function fromJson<T>(text: string): T {
  return JSON.parse(text, (_, item: unknown) =>
    typeof item === "object" && item !== null && "$number" in item ? Number(item.$number) : item,
  ) as T;
}

interface WireError {
  readonly name: string;
  readonly message: string;
  readonly code?: CriaError["code"];
  readonly field?: string;
  readonly status?: number;
  readonly line?: number;
  readonly column?: number;
}

/** Longest error message that travels; libllama's can quote a whole grammar. */
const longestMessage = 4000;

export function errorToJson(error: unknown): string {
  const { name, message, code, field, status, line, column } = (
    error instanceof Error ? error : new Error(String(error))
  ) as Error & Partial<WireError>;
  return toJson({ name, message: message.slice(0, longestMessage), code, field, status, line, column });
}

const classes = {
  TypeError,
  RangeError,
  LibraryLoadError,
  AbiMismatchError,
  ModelLoadError,
  ContextInitError,
  TemplateError,
} as const;

/** The error that {@link errorToJson} wrote, of the same class. */
export function errorFromJson(text: string): Error {
  const { name, message, code, field, status, line, column } = fromJson<WireError>(text);
  if (name in classes) return new classes[name as keyof typeof classes](message);
  if (name === "RequestError") return new RequestError(message, field);
  if (name === "DecodeError") return new DecodeError(message, status ?? 0);
  if (name === "GrammarError") return new GrammarError(message, line ?? 1, column ?? 1);
  return code === undefined ? new Error(message) : new CriaError(code, message);
}
