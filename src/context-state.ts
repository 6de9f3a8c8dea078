import { existsSync } from "node:fs";
import { checkInteger, type Native, type Pointer } from "../ffi/index.ts";
import { CriaError } from "../lib/errors.ts";

/** What {@link ContextState} needs to know of its context. */
export interface StateOwner {
  readonly native: Native;
  /** @throws DisposedError */
  readonly pointer: Pointer<"llama_context">;
  readonly maxSequences: number;
  readonly contextLength: number;
}

const partialOnly = 1; // LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY

export interface SequenceStateOptions {
  /** Only what cannot be rebuilt by removing a tail: sliding-window cells and recurrent state. */
  partialOnly?: boolean;
}

/**
 * Saves and restores what a context computed, whole or by sequence, in memory or in libllama's own session files.
 *
 * Source: the `llama_state_*` functions of llama.h. A state fits the model, cache types and release that wrote it.
 */
export class ContextState {
  readonly #owner: StateOwner;

  constructor(owner: StateOwner) {
    this.#owner = owner;
  }

  /** Bytes of outputs and memory of all sequences. */
  save(): Uint8Array {
    const { c, memory } = this.#native;
    const bytes = memory.allocate(c.llama_state_get_size(this.#pointer));
    const written = c.llama_state_get_data(this.#pointer, memory.addressOf(bytes), bytes.length);
    return bytes.subarray(0, written);
  }

  /** Puts back what {@link save} gave. @throws CriaError where the bytes do not fit this context. */
  restore(bytes: Uint8Array): void {
    const { c, memory } = this.#native;
    const read = c.llama_state_set_data(this.#pointer, memory.addressOf(nonEmpty(bytes)), bytes.length);
    if (read === 0) throw refused("state");
  }

  /** Bytes of one sequence. */
  saveSequence(sequence: number, options: SequenceStateOptions = {}): Uint8Array {
    const { c, memory } = this.#native;
    const flags = options.partialOnly ? partialOnly : 0;
    this.#sequence(sequence);
    const bytes = memory.allocate(c.llama_state_seq_get_size_ext(this.#pointer, sequence, flags));
    const written = c.llama_state_seq_get_data_ext(
      this.#pointer,
      memory.addressOf(bytes),
      bytes.length,
      sequence,
      flags,
    );
    return bytes.subarray(0, written);
  }

  /** Fills a sequence, dropping what it held, with what {@link saveSequence} gave. */
  restoreSequence(sequence: number, bytes: Uint8Array, options: SequenceStateOptions = {}): void {
    const { c, memory } = this.#native;
    const flags = options.partialOnly ? partialOnly : 0;
    const address = memory.addressOf(nonEmpty(bytes));
    const read = c.llama_state_seq_set_data_ext(
      this.#pointer,
      address,
      bytes.length,
      this.#sequence(sequence),
      flags,
    );
    if (read === 0) throw refused("sequence state");
  }

  /** Writes a session file with the tokens it belongs to. */
  saveFile(path: string, tokens: Int32Array): void {
    const { c, memory } = this.#native;
    const name = memory.string(path, "path");
    const ok = c.llama_state_save_file(this.#pointer, name.address, memory.addressOf(tokens), tokens.length);
    if (!ok)
      throw new CriaError(
        "REQUEST",
        `the state could not be written to ${path}; check that the folder can be written to`,
      );
  }

  /** Loads a session file. @returns the tokens it was saved with. */
  loadFile(path: string): Int32Array {
    const { c, memory } = this.#native;
    return this.#load(path, (name, tokens, capacity, count) =>
      c.llama_state_load_file(this.#pointer, name, memory.addressOf(tokens), capacity, count) ? 1 : 0,
    );
  }

  saveSequenceFile(path: string, sequence: number, tokens: Int32Array): void {
    const { c, memory } = this.#native;
    const name = memory.string(path, "path");
    const address = memory.addressOf(tokens);
    this.#sequence(sequence);
    const written = c.llama_state_seq_save_file(
      this.#pointer,
      name.address,
      sequence,
      address,
      tokens.length,
    );
    if (written === 0)
      throw new CriaError(
        "REQUEST",
        `the state could not be written to ${path}; check that the folder can be written to`,
      );
  }

  loadSequenceFile(path: string, sequence: number): Int32Array {
    const { c, memory } = this.#native;
    this.#sequence(sequence);
    return this.#load(path, (name, tokens, capacity, count) =>
      c.llama_state_seq_load_file(this.#pointer, name, sequence, memory.addressOf(tokens), capacity, count),
    );
  }

  #load(
    path: string,
    read: (name: Pointer, tokens: Int32Array, capacity: number, count: Pointer) => number,
  ): Int32Array {
    const { memory } = this.#native;
    const name = memory.string(path, "path");
    if (!existsSync(path)) throw new CriaError("REQUEST", `there is no state file ${path}`);
    const capacity = this.#owner.contextLength;
    const tokens = new Int32Array(new ArrayBuffer(4 * capacity));
    const count = new BigUint64Array(new ArrayBuffer(8));
    if (read(name.address, tokens, capacity, memory.addressOf(count)) === 0)
      throw refused(`state file ${path}`);
    return tokens.slice(0, Number(count[0]));
  }

  get #native(): Native {
    return this.#owner.native;
  }

  get #pointer(): Pointer<"llama_context"> {
    return this.#owner.pointer;
  }

  #sequence(sequence: number): number {
    checkInteger(sequence, "i32", "sequence");
    const { maxSequences } = this.#owner;
    if (sequence < 0 || sequence >= maxSequences) {
      throw new RangeError(
        `sequence must be between 0 and ${maxSequences - 1} (maxSequences), got ${sequence}`,
      );
    }
    return sequence;
  }
}

function nonEmpty(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) throw new RangeError("the state is empty");
  return bytes;
}

function refused(what: string): CriaError {
  return new CriaError(
    "REQUEST",
    `the ${what} does not fit this context; it belongs to another model, cache type or release, or is damaged`,
  );
}
