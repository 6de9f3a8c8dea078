import { logitsScanWasm } from "./logits-scan.generated.ts";
import { TokenArena } from "./token-arena.ts";
import { instantiateKernel } from "./wasm-kernel.ts";

interface LogitsKernel {
  largest(byteOffset: number, length: number): number;
  indexOf(byteOffset: number, length: number, value: number): number;
}

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
  const padded = Math.ceil(logits.length / block) * block;
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
