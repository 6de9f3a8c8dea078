import { DisposedError } from "./errors.ts";
import { FreeList } from "./free-list.ts";
import type { PrefixKernel } from "./prefix-match.ts";
import { TokenMemory } from "./token-memory.ts";

const pageBytes = 65536;
const alignment = 64;

export interface TokenArenaOptions {
  /** Tokens to make room for at once. Default 16,384. */
  initialTokens?: number;
  /** Most tokens the arena may ever hold; address space is reserved for them, memory is not. Default 64 Mi. */
  maxTokens?: number;
}

/** Bytes of the arena, lent until {@link release}. */
export interface ArenaBytes {
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly view: Uint8Array;
  release(): void;
}

/**
 * One shared memory for all tokens: JavaScript sees them as `Int32Array`, the wasm kernel compares them in place, C
 * reads them by address, and Workers share them. Addresses stay valid when the memory grows.
 */
export class TokenArena {
  /** The same memory as other threads see it: they are given `memory`, and make a `TokenMemory` of it. */
  readonly tokens: TokenMemory;
  readonly maxTokens: number;
  readonly #free: FreeList;
  #pages: number;
  readonly #maxPages: number;

  constructor({ initialTokens = 16384, maxTokens = 2 ** 26 }: TokenArenaOptions = {}) {
    for (const [name, value] of Object.entries({ initialTokens, maxTokens })) {
      if (!Number.isInteger(value) || value < 1)
        throw new RangeError(`${name} must be a positive integer, got ${value}`);
    }
    this.maxTokens = maxTokens;
    this.#maxPages = Math.min(65536, Math.ceil((4 * maxTokens) / pageBytes) + 1);
    this.#pages = Math.min(this.#maxPages, Math.ceil((4 * initialTokens) / pageBytes) + 1);
    this.tokens = new TokenMemory(
      new WebAssembly.Memory({ initial: this.#pages, maximum: this.#maxPages, shared: true }),
    );
    // Offset 0 is kept unused, so that no view of ours begins where a NULL offset would point.
    this.#free = new FreeList(alignment, this.#pages * pageBytes);
  }

  get memory(): WebAssembly.Memory {
    return this.tokens.memory;
  }

  /** Undefined where the engine has no wasm SIMD. */
  get kernel(): PrefixKernel | undefined {
    return this.tokens.kernel;
  }

  /** An empty buffer for tokens. @throws RangeError where the arena is full. */
  allocate(capacity: number): TokenBuffer {
    if (!Number.isInteger(capacity) || capacity < 0)
      throw new RangeError(`capacity must be 0 or more, got ${capacity}`);
    return new TokenBuffer(this, capacity);
  }

  /** Zeroed raw bytes, aligned to 64. */
  allocateBytes(byteLength: number): ArenaBytes {
    const size = roundUp(byteLength);
    const byteOffset = this.take(size);
    const view = new Uint8Array(this.memory.buffer, byteOffset, byteLength).fill(0);
    let released = false;
    const release = () => {
      if (!released) this.give(byteOffset, size);
      released = true;
    };
    return { byteOffset, byteLength, view, release };
  }

  /** Length of the common prefix of two buffers of this arena, compared in place. */
  commonPrefix(a: TokenBuffer, b: TokenBuffer): number {
    return a.commonPrefix(b);
  }

  /** Reserves a range; for buffers of this module. */
  take(byteLength: number): number {
    const offset = this.#free.take(byteLength);
    if (offset !== undefined) return offset;
    const wanted = Math.min(
      this.#maxPages,
      Math.max(this.#pages * 2, this.#pages + Math.ceil(byteLength / pageBytes)),
    );
    if (wanted * pageBytes - this.#pages * pageBytes >= byteLength) {
      this.memory.grow(wanted - this.#pages);
      this.#free.give(this.#pages * pageBytes, (wanted - this.#pages) * pageBytes);
      this.#pages = wanted;
      const grown = this.#free.take(byteLength);
      if (grown !== undefined) return grown;
    }
    throw new RangeError(
      `the token arena is full (maxTokens ${this.maxTokens}); release buffers or raise maxTokens`,
    );
  }

  /** Gives a range back; for buffers of this module. */
  give(byteOffset: number, byteLength: number): void {
    this.#free.give(byteOffset, byteLength);
  }
}

function roundUp(byteLength: number): number {
  return Math.max(alignment, Math.ceil(byteLength / alignment) * alignment);
}

/** A growing list of tokens in an arena. */
export class TokenBuffer implements Disposable {
  readonly #arena: TokenArena;
  #byteOffset: number;
  #byteLength: number;
  #storage: Int32Array;
  #length = 0;
  #released = false;

  /** Made by {@link TokenArena.allocate}. */
  constructor(arena: TokenArena, capacity: number) {
    this.#arena = arena;
    this.#byteLength = roundUp(4 * capacity);
    this.#byteOffset = arena.take(this.#byteLength);
    this.#storage = new Int32Array(arena.memory.buffer, this.#byteOffset, this.#byteLength / 4);
  }

  /** Offset of the first token in the arena's memory; changes when the buffer outgrows its place. */
  get byteOffset(): number {
    this.#assertLive();
    return this.#byteOffset;
  }

  get capacity(): number {
    return this.#storage.length;
  }

  /** The whole capacity, whatever its content. */
  get storage(): Int32Array {
    this.#assertLive();
    return this.#storage;
  }

  get length(): number {
    return this.#length;
  }

  set length(length: number) {
    this.#assertLive();
    if (!Number.isInteger(length) || length < 0 || length > this.capacity) {
      throw new RangeError(`length must be between 0 and ${this.capacity}, got ${length}`);
    }
    this.#length = length;
  }

  /** The tokens from `start` to `end`; borrowed until the buffer changes. */
  view(start = 0, end = this.#length): Int32Array {
    this.#assertLive();
    return this.#storage.subarray(start, Math.min(end, this.#length));
  }

  /** Length of the common prefix with a buffer of the same arena. */
  commonPrefix(other: TokenBuffer): number {
    this.#assertLive();
    other.#assertLive();
    if (this.#arena !== other.#arena) throw new TypeError("the buffers belong to different arenas");
    return this.#arena.tokens.commonPrefix(this.view(), other.view());
  }

  append(token: number): void {
    if (this.#length === this.#storage.length) this.reserve(this.#length + 1);
    this.#assertLive();
    this.#storage[this.#length++] = token;
  }

  truncate(length: number): void {
    if (length < this.#length) this.length = length;
  }

  /** Makes room for `count` tokens, doubling so that appending stays cheap. */
  reserve(count: number): void {
    this.#assertLive();
    if (count <= this.#storage.length) return;
    const byteLength = roundUp(4 * Math.max(count, 2 * this.#storage.length));
    const byteOffset = this.#arena.take(byteLength);
    const storage = new Int32Array(this.#arena.memory.buffer, byteOffset, byteLength / 4);
    storage.set(this.#storage.subarray(0, this.#length));
    this.#arena.give(this.#byteOffset, this.#byteLength);
    this.#byteOffset = byteOffset;
    this.#byteLength = byteLength;
    this.#storage = storage;
  }

  /**
   * Gives up its place, cut to a capacity of `capacity` tokens: whoever takes it must give the `byteLength` bytes at
   * `byteOffset` back to the arena. The buffer is then as good as released.
   */
  surrender(capacity: number): { byteOffset: number; byteLength: number } {
    this.reserve(capacity);
    const byteOffset = this.#byteOffset;
    const byteLength = roundUp(4 * capacity);
    if (byteLength < this.#byteLength)
      this.#arena.give(byteOffset + byteLength, this.#byteLength - byteLength);
    this.#released = true;
    this.#storage = new Int32Array(0);
    this.#length = 0;
    return { byteOffset, byteLength };
  }

  /** Gives the place back; idempotent. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#arena.give(this.#byteOffset, this.#byteLength);
    this.#storage = new Int32Array(0);
    this.#length = 0;
  }

  [Symbol.dispose](): void {
    this.release();
  }

  #assertLive(): void {
    if (this.#released) throw new DisposedError("TokenBuffer");
  }
}
