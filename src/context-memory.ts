import { checkInteger, type Native, type Pointer } from "../ffi/index.ts";

/** What {@link ContextMemory} needs to know of its context. */
export interface MemoryOwner {
  readonly native: Native;
  /** @throws DisposedError */
  readonly memoryPointer: Pointer<"llama_memory_i">;
  readonly maxSequences: number;
  readonly unifiedCache: boolean;
  /** Whether the model gives each position several indices (M-RoPE), which rules out shifting. */
  readonly multiPosition: boolean;
}

/** A range of positions: `from` inclusive, `to` exclusive; left out, it reaches to that end. */
export interface PositionRange {
  from?: number;
  to?: number;
}

/**
 * The KV cache or recurrent state of a context, by sequence. libllama asserts on a sequence out of range, and an assert
 * ends the process: every argument is checked here first.
 *
 * Source: the `llama_memory_*` functions of llama.h.
 */
export class ContextMemory {
  readonly #owner: MemoryOwner;

  constructor(owner: MemoryOwner) {
    this.#owner = owner;
  }

  /** Forgets everything; `data` also zeroes the buffers. */
  clear({ data = false } = {}): void {
    this.#c.llama_memory_clear(this.#owner.memoryPointer, data);
  }

  /**
   * Removes a range of a sequence.
   * @returns false where the memory cannot drop part of a sequence (recurrent and hybrid models): nothing was removed.
   */
  remove(sequence: number, range: PositionRange = {}): boolean {
    const [from, to] = this.#range(range);
    return this.#c.llama_memory_seq_rm(
      this.#owner.memoryPointer,
      this.#sequence(sequence, "sequence"),
      from,
      to,
    );
  }

  /**
   * Lets `target` share a range of `source`: metadata only with a unified cache.
   * @throws RangeError for a partial range without a unified cache, on which libllama asserts.
   */
  copy(source: number, target: number, range: PositionRange = {}): void {
    const [from, to] = this.#range(range);
    const pointer = this.#owner.memoryPointer;
    this.#sequence(source, "source");
    this.#sequence(target, "target");
    if (
      !this.#owner.unifiedCache &&
      source !== target &&
      (from > 0 || (to >= 0 && to <= this.positionMax(source)))
    ) {
      throw new RangeError(
        "copying part of a sequence needs unifiedCache: true; copy it whole, or move it by its state",
      );
    }
    this.#c.llama_memory_seq_cp(pointer, source, target, from, to);
  }

  /** Removes every other sequence. */
  keep(sequence: number): void {
    this.#c.llama_memory_seq_keep(this.#owner.memoryPointer, this.#sequence(sequence, "sequence"));
  }

  /** Shifts the positions of a range by `delta`. @throws TypeError where the memory cannot shift. */
  shift(sequence: number, delta: number, range: PositionRange = {}): void {
    const [from, to] = this.#range(range);
    this.#requireShift();
    const pointer = this.#owner.memoryPointer;
    this.#c.llama_memory_seq_add(
      pointer,
      this.#sequence(sequence, "sequence"),
      from,
      to,
      checkInteger(delta, "i32", "delta"),
    );
  }

  /** Divides the positions of a range by `divisor`, at least 2 (self-extend). */
  divide(sequence: number, divisor: number, range: PositionRange = {}): void {
    const [from, to] = this.#range(range);
    this.#requireShift();
    if (checkInteger(divisor, "i32", "divisor") < 2)
      throw new RangeError(`divisor must be at least 2, got ${divisor}`);
    this.#c.llama_memory_seq_div(
      this.#owner.memoryPointer,
      this.#sequence(sequence, "sequence"),
      from,
      to,
      divisor,
    );
  }

  /** Smallest position held, above 0 where a sliding window dropped cells; -1 for an empty sequence. */
  positionMin(sequence: number): number {
    return this.#c.llama_memory_seq_pos_min(this.#owner.memoryPointer, this.#sequence(sequence, "sequence"));
  }

  /** Largest position held; -1 for an empty sequence. */
  positionMax(sequence: number): number {
    return this.#c.llama_memory_seq_pos_max(this.#owner.memoryPointer, this.#sequence(sequence, "sequence"));
  }

  get canShift(): boolean {
    return !this.#owner.multiPosition && this.#c.llama_memory_can_shift(this.#owner.memoryPointer);
  }

  get #c() {
    return this.#owner.native.c;
  }

  #requireShift(): void {
    if (!this.canShift)
      throw new TypeError("the memory of this model cannot shift positions (canShift is false)");
  }

  #sequence(sequence: number, what: string): number {
    const { maxSequences } = this.#owner;
    if (!Number.isInteger(sequence) || sequence < 0 || sequence >= maxSequences) {
      throw new RangeError(
        `${what} must be between 0 and ${maxSequences - 1} (maxSequences), got ${sequence}`,
      );
    }
    return sequence;
  }

  #range({ from = 0, to }: PositionRange): [from: number, to: number] {
    const start = checkInteger(from, "i32", "range.from");
    const end = to === undefined ? -1 : checkInteger(to, "i32", "range.to");
    if (start < 0 || (to !== undefined && end < start)) {
      throw new RangeError(`range must have 0 <= from <= to, got from ${from}, to ${to}`);
    }
    return [start, end];
  }
}
