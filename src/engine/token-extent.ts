import type { TokenOwner } from "../../lib/radix-tree.ts";
import type { TokenMemory } from "../../lib/token-memory.ts";

/** Gives bytes of the token memory back to whoever hands them out. */
export type ReleaseBytes = (byteOffset: number, byteLength: number) => void;

/** Ranges are given back in whole units of the arena's alignment. */
const alignment = 64;

/**
 * The place of one request's tokens: its prompt, then what it generates. It outlives the request for as long as the prefix
 * tree refers to it.
 */
export class TokenExtent implements TokenOwner {
  readonly byteOffset: number;
  /** Tokens there is room for. */
  readonly capacity: number;
  /** All its places. One view, rather than another for each token of each step. */
  #places: Int32Array;
  /** Places before the first token. */
  #base = 0;
  readonly #release: ReleaseBytes;
  #ended = false;
  #from: number;
  #to: number;

  constructor(memory: TokenMemory, byteOffset: number, capacity: number, release: ReleaseBytes) {
    this.#places = memory.view(byteOffset, capacity);
    this.byteOffset = byteOffset;
    this.capacity = capacity;
    this.#release = release;
    this.#from = byteOffset;
    this.#to = byteOffset + Math.ceil((4 * capacity) / alignment) * alignment;
  }

  /** Begins at another place: what was before is no token of the request any longer. */
  beginAt(place: number): void {
    this.#base += place;
    this.#places = this.#places.subarray(place);
  }

  view(length: number): Int32Array {
    return this.#places.subarray(0, length);
  }

  at(index: number): number {
    return this.#places[index]!;
  }

  write(index: number, token: number): void {
    if (index >= this.#places.length)
      throw new RangeError(`token ${index} lies outside an extent of ${this.capacity}`);
    this.#places[index] = token;
  }

  /** Called by the tree when it no longer refers to any of these tokens. */
  drop(): void {
    if (this.#ended) this.#give(this.#from, this.#to);
  }

  /** The request is over: gives back all but what the tree refers to, of tokens [from, to); undefined for nothing. */
  end(referred: { from: number; to: number } | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    const edge = (token: number, round: (value: number) => number) =>
      this.byteOffset + round((4 * (this.#base + token)) / alignment) * alignment;
    const first = referred ? edge(referred.from, Math.floor) : this.#to;
    const last = referred ? edge(referred.to, Math.ceil) : this.#to;
    this.#give(this.#from, first);
    this.#give(last, this.#to);
    [this.#from, this.#to] = [first, last];
  }

  #give(from: number, to: number): void {
    if (to > from) this.#release(from, to - from);
  }
}
