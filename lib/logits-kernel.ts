import { logitsScanWasm } from "./logits-scan.generated.ts";
import { instantiateKernel } from "./wasm-kernel.ts";

/** Floats of a block: what scans leave out or look at as a whole. */
export const blockLength = 64;
/** Words of an entry: token, logit, and a 0 for a probability, as in libllama's `llama_token_data`. */
export const entryWords = 3;

/** Scans over floats in one memory, at byte offsets; what each does is said beside it in logits-scan.wat. */
export interface LogitsKernel {
  blockMaxima(at: number, blocks: number, to: number): number;
  indexOf(at: number, length: number, value: number): number;
  countFrom(at: number, maxima: number, blocks: number, threshold: number): number;
  gatherFrom(at: number, maxima: number, blocks: number, threshold: number, to: number, most: number): number;
  sumExp(at: number, maxima: number, blocks: number, largest: number, least: number): number;
}

/** The vectorised kernel; undefined where the engine has no wasm SIMD. */
export function vectorisedLogitsKernel(memory: WebAssembly.Memory): LogitsKernel | undefined {
  return instantiateKernel<LogitsKernel>(logitsScanWasm, memory);
}

/** Float by float: the reference that the vectorised kernel is tested against. */
export class NaiveLogitsKernel implements LogitsKernel {
  readonly #memory: WebAssembly.Memory;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
  }

  blockMaxima(at: number, blocks: number, to: number): number {
    const maxima = this.#floats(to, blocks);
    for (let block = 0; block < blocks; block++)
      maxima[block] = Math.max(...this.#floats(at + 4 * blockLength * block, blockLength));
    return maxima.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  }

  indexOf(at: number, length: number, value: number): number {
    const index = this.#floats(at, length).indexOf(value);
    return index < 0 ? length : index;
  }

  countFrom(at: number, _maxima: number, blocks: number, threshold: number): number {
    const least = Math.fround(threshold);
    return this.#floats(at, blocks * blockLength).reduce(
      (count, logit) => (logit >= least ? count + 1 : count),
      0,
    );
  }

  gatherFrom(
    at: number,
    _maxima: number,
    blocks: number,
    threshold: number,
    to: number,
    most: number,
  ): number {
    const words = new Int32Array(this.#memory.buffer, to, entryWords * most);
    const values = this.#floats(to, entryWords * most);
    const least = Math.fround(threshold);
    let count = 0;
    for (const [token, logit] of this.#floats(at, blocks * blockLength).entries()) {
      if (!(logit >= least)) continue;
      if (count < most) {
        words[entryWords * count] = token;
        values[entryWords * count + 1] = logit;
        values[entryWords * count + 2] = 0;
      }
      count++;
    }
    return count;
  }

  sumExp(at: number, _maxima: number, blocks: number, largest: number, threshold: number): number {
    const least = Math.fround(threshold);
    return this.#floats(at, blocks * blockLength).reduce(
      (sum, logit) => (logit >= least ? sum + Math.exp(logit - largest) : sum),
      0,
    );
  }

  #floats(at: number, length: number): Float32Array {
    return new Float32Array(this.#memory.buffer, at, length);
  }
}
