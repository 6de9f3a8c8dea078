import { logitsScanWasm } from "./logits-scan.generated.ts";
import { TokenArena } from "./token-arena.ts";
import { instantiateKernel } from "./wasm-kernel.ts";

interface LogitsKernel {
  largest(byteOffset: number, length: number): number;
  indexOf(byteOffset: number, length: number, value: number): number;
  countFrom(byteOffset: number, length: number, threshold: number): number;
  gatherFrom(byteOffset: number, length: number, threshold: number, to: number, most: number): number;
}

/** Words of an entry: token, logit, and a 0 for a probability, as in libllama's `llama_token_data`. */
export const entryWords = 3;

/** The kernel works on whole blocks of this many floats. */
const block = 16;

/**
 * One memory for the logits of all contexts of this thread: each memory takes address space, of which some engines have
 * little, and a vocabulary's logits are small.
 */
let arena: { readonly bytes: TokenArena; readonly kernel: LogitsKernel | undefined } | undefined;
const vectorised = new WeakSet<Float32Array>();

function logitsArena() {
  if (!arena) {
    const bytes = new TokenArena({ initialTokens: 2 ** 18 });
    arena = { bytes, kernel: instantiateKernel<LogitsKernel>(logitsScanWasm, bytes.memory) };
  }
  return arena;
}

/** Room for logits, over which scans are vectorised, until it is released. */
export interface LogitsRoom {
  /** Shape [size]; -Infinity at first. */
  readonly view: Float32Array;
  release(): void;
}

export function allocateLogits(size: number): LogitsRoom {
  const { bytes, kernel } = logitsArena();
  const padded = Math.ceil(size / block) * block;
  const place = bytes.allocateBytes(Math.max(4, 4 * padded));
  const whole = new Float32Array(place.view.buffer, place.byteOffset, padded).fill(Number.NEGATIVE_INFINITY);
  const view = whole.subarray(0, size);
  if (kernel) vectorised.add(view);
  const release = () => {
    vectorised.delete(view);
    place.release();
  };
  return { view, release };
}

/**
 * Index of the largest logit, of equals the first; undefined where all are -Infinity. Fast for the view of a
 * {@link LogitsRoom}.
 * @throws RangeError for NaN and +Infinity.
 */
export function argmax(logits: Float32Array): number | undefined {
  const kernel = vectorised.has(logits) ? arena?.kernel : undefined;
  if (!kernel) return argmaxNaive(logits);
  const padded = paddedLength(logits);
  const largest = kernel.largest(logits.byteOffset, padded);
  if (largest === Number.NEGATIVE_INFINITY) return undefined;
  if (!(largest < Number.POSITIVE_INFINITY)) return argmaxNaive(logits);
  return kernel.indexOf(logits.byteOffset, padded, largest);
}

/** Logit by logit: the reference that {@link argmax} is tested against. */
export function argmaxNaive(logits: Float32Array): number | undefined {
  let best: number | undefined;
  let largest = Number.NEGATIVE_INFINITY;
  for (let token = 0; token < logits.length; token++) {
    const logit = logits[token]!;
    if (logit <= largest) continue;
    if (!(logit < Number.POSITIVE_INFINITY))
      throw new RangeError(`the logit of token ${token} is ${logit}; the model's file may be broken`);
    best = token;
    largest = logit;
  }
  return best;
}

/** The largest logit, NaN where there is any; undefined where scans of this view are not vectorised. */
export function largestLogit(logits: Float32Array): number | undefined {
  const kernel = vectorised.has(logits) ? arena?.kernel : undefined;
  return kernel?.largest(logits.byteOffset, paddedLength(logits));
}

/** How many logits are not less than `threshold`, which is more than -Infinity. */
export function countFrom(logits: Float32Array, threshold: number): number {
  const kernel = vectorised.has(logits) ? arena?.kernel : undefined;
  if (kernel) return kernel.countFrom(logits.byteOffset, paddedLength(logits), threshold);
  const least = Math.fround(threshold);
  return logits.reduce((count, logit) => (logit >= least ? count + 1 : count), 0);
}

/** Room for entries in the memory of the logits. */
export interface EntryRoom {
  /** Shape [capacity, {@link entryWords}]. */
  readonly words: Int32Array;
  readonly capacity: number;
  release(): void;
}

export function allocateEntries(capacity: number): EntryRoom {
  const { bytes } = logitsArena();
  const place = bytes.allocateBytes(4 * entryWords * capacity);
  const words = new Int32Array(place.view.buffer, place.byteOffset, entryWords * capacity);
  return { words, capacity, release: place.release };
}

/**
 * Writes an entry for each logit that is not less than `threshold`, which is more than -Infinity, in the order of tokens.
 * @returns how many there are; of more than the room holds the first ones are written.
 */
export function gatherFrom(logits: Float32Array, threshold: number, { words, capacity }: EntryRoom): number {
  const kernel = vectorised.has(logits) ? arena?.kernel : undefined;
  if (kernel)
    return kernel.gatherFrom(logits.byteOffset, paddedLength(logits), threshold, words.byteOffset, capacity);
  const values = new Float32Array(words.buffer, words.byteOffset, words.length);
  const least = Math.fround(threshold);
  let count = 0;
  for (const [token, logit] of logits.entries()) {
    if (!(logit >= least)) continue;
    if (count < capacity) {
      words[entryWords * count] = token;
      values[entryWords * count + 1] = logit;
      values[entryWords * count + 2] = 0;
    }
    count++;
  }
  return count;
}

function paddedLength({ length }: Float32Array): number {
  return Math.ceil(length / block) * block;
}
