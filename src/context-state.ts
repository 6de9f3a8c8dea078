import { existsSync } from "node:fs";
import { checkInteger, type Native, type Pointer } from "../ffi/index.ts";
import { CriaError } from "../lib/errors.ts";
import { readSealedFile, writeSealedFile } from "./state-file.ts";
import { checksum, makeSeal, type StateKind, sealLength, unseal } from "./state-seal.ts";
import { restream } from "./state-streams.ts";

/** What {@link ContextState} needs to know of its context. */
export interface StateOwner {
  readonly native: Native;
  /** @throws DisposedError */
  readonly pointer: Pointer<"llama_context">;
  readonly maxSequences: number;
  readonly contextLength: number;
  /** Whether all sequences draw from one stream of cells; else each has a stream of its own. */
  readonly unifiedCache: boolean;
}

const partialOnly = 1; // LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY

export interface SequenceStateOptions {
  /** Only what cannot be rebuilt by removing a tail: sliding-window cells and recurrent state. */
  partialOnly?: boolean;
}

export interface StateFileOptions {
  /**
   * Whether the file is cria's own, with a checksum. Default true. With false it is a session file of libllama, for
   * exchange with other programs; libllama trusts it: a damaged one may be restored wrongly or exhaust the memory.
   */
  sealed?: boolean;
}

/**
 * Saves and restores what a context computed, whole or by sequence, in memory or in files. What is saved ends with a
 * checksum, since libllama trusts every count it reads.
 *
 * Source: the `llama_state_*` functions of llama.h. A state fits the model, cache types and release that wrote it.
 */
export class ContextState {
  readonly #owner: StateOwner;
  /** Where {@link copySequence} keeps its bytes, from call to call. */
  #buffer: Uint8Array = new Uint8Array(0);

  constructor(owner: StateOwner) {
    this.#owner = owner;
  }

  /** Bytes of outputs and memory of all sequences. */
  save(): Uint8Array {
    const { c } = this.#native;
    return this.#save("state", c.llama_state_get_size(this.#pointer), (address, size) =>
      c.llama_state_get_data(this.#pointer, address, size),
    );
  }

  /** Puts back what {@link save} gave. @throws CriaError where the bytes are damaged or do not fit this context. */
  restore(bytes: Uint8Array): void {
    const { c, memory } = this.#native;
    const pointer = this.#pointer;
    const state = unseal(bytes, "state");
    const read = c.llama_state_set_data(pointer, memory.addressOf(state), state.length);
    if (read === 0) throw refused("state");
  }

  /** Bytes of one sequence. */
  saveSequence(sequence: number, options: SequenceStateOptions = {}): Uint8Array {
    const { c } = this.#native;
    const [flags, kind] = sequenceKind(options);
    this.#sequence(sequence);
    const size = c.llama_state_seq_get_size_ext(this.#pointer, sequence, flags);
    return this.#save(kind, size, (address, room) =>
      c.llama_state_seq_get_data_ext(this.#pointer, address, room, sequence, flags),
    );
  }

  /**
   * Fills a sequence, dropping what it held, with what {@link saveSequence} gave.
   * @throws CriaError where the bytes are damaged or do not fit this context.
   */
  restoreSequence(sequence: number, bytes: Uint8Array, options: SequenceStateOptions = {}): void {
    const { c, memory } = this.#native;
    const [flags, kind] = sequenceKind(options);
    const pointer = this.#pointer;
    this.#sequence(sequence);
    const state = unseal(bytes, kind);
    // Of an empty state libllama restores nothing, not even the emptiness.
    const cache = c.llama_get_memory(pointer);
    if (flags === 0 && cache !== 0) c.llama_memory_seq_rm(cache, sequence, -1, -1);
    const read = c.llama_state_seq_set_data_ext(
      pointer,
      memory.addressOf(state),
      state.length,
      sequence,
      flags,
    );
    if (read === 0) throw refused(kind);
  }

  /**
   * Copies a whole sequence over another one of the same context, through its state: what `seq_cp` cannot do in part
   * between streams. The bytes never leave this object, so they need no checksum.
   * @throws CriaError where there is no room; the target is then empty.
   */
  copySequence(source: number, target: number): void {
    const { c, memory } = this.#native;
    const pointer = this.#pointer;
    this.#sequence(source);
    this.#sequence(target);
    if (source === target) return;
    c.llama_memory_seq_rm(c.llama_get_memory(pointer), target, -1, -1);
    const size = c.llama_state_seq_get_size(pointer, source);
    if (this.#buffer.length < size) this.#buffer = memory.allocate(size + (size >> 1));
    const address = memory.addressOf(this.#buffer);
    const written = c.llama_state_seq_get_data(pointer, address, this.#buffer.length, source);
    if (written > 0 && c.llama_state_seq_set_data(pointer, address, written, target) > 0) return;
    c.llama_memory_seq_rm(c.llama_get_memory(pointer), target, -1, -1);
    throw new CriaError("REQUEST", `sequence ${source} could not be copied; there is no room for it`);
  }

  /**
   * A sequence's state without a seal, for bytes that do not leave the engine.
   * @returns a view that is good until the next call on this object.
   */
  readSequence(sequence: number): Uint8Array {
    const { c, memory } = this.#native;
    const pointer = this.#pointer;
    this.#sequence(sequence);
    const size = c.llama_state_seq_get_size(pointer, sequence);
    if (this.#buffer.length < size) this.#buffer = memory.allocate(size + (size >> 1));
    const address = memory.addressOf(this.#buffer);
    return this.#buffer.subarray(
      0,
      c.llama_state_seq_get_data(pointer, address, this.#buffer.length, sequence),
    );
  }

  /**
   * Fills a sequence with what {@link readSequence} of a context that lays its cells out alike would have given; the bytes
   * must be sound, as libllama believes them.
   * @returns false where they do not fit this context, or it has no room: the sequence is then empty.
   */
  writeSequence(sequence: number, state: Uint8Array): boolean {
    const { c, memory } = this.#native;
    const pointer = this.#pointer;
    this.#sequence(sequence);
    const cache = c.llama_get_memory(pointer);
    c.llama_memory_seq_rm(cache, sequence, -1, -1);
    if (c.llama_state_seq_set_data(pointer, memory.addressOf(state), state.length, sequence) > 0) return true;
    c.llama_memory_seq_rm(cache, sequence, -1, -1);
    return false;
  }

  /**
   * Copies a whole sequence from another context of the same model and cache types, which may lay its cells out otherwise.
   * @throws CriaError where it does not fit; the target is then empty.
   */
  copyFrom(other: ContextState, source: number, target: number): void {
    const { c, memory } = this.#native;
    const pointer = this.#pointer;
    other.#sequence(source);
    this.#sequence(target);
    const size = c.llama_state_seq_get_size(other.#pointer, source);
    const bytes = memory.allocate(size);
    const written = c.llama_state_seq_get_data(other.#pointer, memory.addressOf(bytes), size, source);
    const from = { streams: other.#streams, stream: other.#streams > 1 ? source : 0 };
    const state = restream(bytes.subarray(0, written), from, this.#streams);
    c.llama_memory_seq_rm(c.llama_get_memory(pointer), target, -1, -1);
    if (c.llama_state_seq_set_data(pointer, memory.addressOf(state), state.length, target) === 0)
      throw refused("sequence state");
  }

  /** Writes a file of everything, with the tokens it belongs to. @throws CriaError where it cannot be written. */
  saveFile(path: string, tokens: Int32Array, options: StateFileOptions = {}): void {
    const { c, memory } = this.#native;
    this.#saveFile(path, tokens, options, {
      kind: "state file",
      state: () => this.save(),
      foreign: (name) =>
        Number(c.llama_state_save_file(this.#pointer, name, memory.addressOf(tokens), tokens.length)),
    });
  }

  /** Restores what {@link saveFile} wrote. @returns its tokens. @throws CriaError where it is damaged or does not fit. */
  loadFile(path: string, options: StateFileOptions = {}): Int32Array {
    const { c } = this.#native;
    return this.#loadFile(path, options, {
      kind: "state file",
      restore: (state) => this.restore(state),
      foreign: (name, tokens, capacity, count) =>
        Number(c.llama_state_load_file(this.#pointer, name, tokens, capacity, count)),
    });
  }

  /** Writes a file of one sequence, as {@link saveFile} does of all. */
  saveSequenceFile(path: string, sequence: number, tokens: Int32Array, options: StateFileOptions = {}): void {
    const { c, memory } = this.#native;
    this.#sequence(sequence);
    this.#saveFile(path, tokens, options, {
      kind: "sequence state file",
      state: () => this.saveSequence(sequence),
      foreign: (name) =>
        c.llama_state_seq_save_file(this.#pointer, name, sequence, memory.addressOf(tokens), tokens.length),
    });
  }

  /** Restores what {@link saveSequenceFile} wrote into any sequence. @returns its tokens. */
  loadSequenceFile(path: string, sequence: number, options: StateFileOptions = {}): Int32Array {
    const { c } = this.#native;
    this.#sequence(sequence);
    return this.#loadFile(path, options, {
      kind: "sequence state file",
      restore: (state) => this.restoreSequence(sequence, state),
      foreign: (name, tokens, capacity, count) =>
        c.llama_state_seq_load_file(this.#pointer, name, sequence, tokens, capacity, count),
    });
  }

  #save(kind: StateKind, size: number, write: (address: Pointer, size: number) => number): Uint8Array {
    const { memory } = this.#native;
    const bytes = memory.allocate(size + sealLength);
    const written = write(memory.addressOf(bytes), size);
    bytes.set(makeSeal(kind, written, checksum(bytes.subarray(0, written))), written);
    return bytes.subarray(0, written + sealLength);
  }

  #saveFile(
    path: string,
    tokens: Int32Array,
    { sealed = true }: StateFileOptions,
    save: { kind: StateKind; state: () => Uint8Array; foreign: (name: Pointer) => number },
  ): void {
    const name = this.#native.memory.string(path, "path");
    if (!(tokens instanceof Int32Array)) throw new TypeError("tokens must be an Int32Array");
    const failed = (cause?: unknown) =>
      new CriaError(
        "REQUEST",
        `the ${save.kind} could not be written to ${path}; check that the folder can be written to`,
        { cause },
      );
    if (!sealed) {
      if (save.foreign(name.address) === 0) throw failed();
      return;
    }
    const state = save.state();
    try {
      writeSealedFile(path, save.kind, tokens, state);
    } catch (error) {
      throw failed(error);
    }
  }

  #loadFile(
    path: string,
    { sealed = true }: StateFileOptions,
    load: {
      kind: StateKind;
      restore: (state: Uint8Array) => void;
      foreign: (name: Pointer, tokens: Pointer, capacity: number, count: Pointer) => number;
    },
  ): Int32Array {
    const { memory } = this.#native;
    const name = memory.string(path, "path");
    if (!existsSync(path)) throw new CriaError("REQUEST", `there is no state file ${path}`);
    if (sealed) {
      const { tokens, state } = readSealedFile(path, load.kind);
      load.restore(state);
      return tokens;
    }
    const capacity = this.#owner.contextLength;
    const tokens = new Int32Array(new ArrayBuffer(4 * capacity));
    const count = new BigUint64Array(new ArrayBuffer(8));
    if (load.foreign(name.address, memory.addressOf(tokens), capacity, memory.addressOf(count)) === 0) {
      throw refused(`${load.kind} ${path}`);
    }
    return tokens.slice(0, Number(count[0]));
  }

  /** Streams of cells in the memory. */
  get #streams(): number {
    const { unifiedCache, maxSequences } = this.#owner;
    return unifiedCache ? 1 : maxSequences;
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

function sequenceKind({ partialOnly: partial = false }: SequenceStateOptions): [flags: number, StateKind] {
  return partial ? [partialOnly, "partial sequence state"] : [0, "sequence state"];
}

function refused(what: string): CriaError {
  return new CriaError(
    "REQUEST",
    `the ${what} does not fit this context; it belongs to another model, cache type or release, or is damaged`,
  );
}
