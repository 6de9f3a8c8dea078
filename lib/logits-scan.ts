import { logitsScanWasm } from "./logits-scan.generated.ts";
import { instantiateKernel } from "./wasm-kernel.ts";

interface LogitsKernel {
  largest(byteOffset: number, length: number): number;
  indexOf(byteOffset: number, length: number, value: number): number;
}

const pageBytes = 65536;
/** The kernel works on whole blocks of this many floats. */
const block = 16;

/** The kernel over each memory that {@link allocateLogits} made. */
const kernels = new WeakMap<ArrayBufferLike, LogitsKernel>();

/** Room for logits, which scans over it are vectorised for. Shape [size]; filled with -Infinity. */
export function allocateLogits(size: number): Float32Array {
  const padded = Math.ceil(size / block) * block;
  const pages = Math.max(1, Math.ceil((4 * padded) / pageBytes));
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const kernel = instantiateKernel<LogitsKernel>(logitsScanWasm, memory);
  if (kernel) kernels.set(memory.buffer, kernel);
  return new Float32Array(memory.buffer).fill(Number.NEGATIVE_INFINITY).subarray(0, size);
}

/**
 * Index of the largest logit, of equals the first; undefined where all are -Infinity.
 * @throws RangeError for NaN and +Infinity.
 */
export function argmax(logits: Float32Array): number | undefined {
  const kernel = logits.byteOffset === 0 ? kernels.get(logits.buffer) : undefined;
  if (!kernel) return argmaxNaive(logits);
  const padded = Math.ceil(logits.length / block) * block;
  const largest = kernel.largest(0, padded);
  if (largest === Number.NEGATIVE_INFINITY) return undefined;
  if (!(largest < Number.POSITIVE_INFINITY)) return argmaxNaive(logits);
  return kernel.indexOf(0, padded, largest);
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
