/** Tokens that are hashed together: blocks begin, and are cut, at multiples of so many. */
export const unitLength = 16;
/** Most tokens of a block; fewest are {@link unitLength}. */
export const blockLength = 256;

/** What a block is of, without its bytes. Digests are SHA-256 in hexadecimal, see `chain.ts`. */
export interface BlockEntry {
  /** Digest of everything up to and with the block's first unit: what it is found by. */
  readonly first: string;
  /** Digest of everything before the block. */
  readonly parent: string;
  /** Digest of everything up to the block's end: what follows has it as `parent`. */
  readonly key: string;
  /** Position of its first token, a multiple of {@link unitLength}. */
  readonly start: number;
  /** {@link unitLength} to {@link blockLength} of them. */
  readonly tokens: Int32Array;
}

/**
 * The KV cache of consecutive tokens. `data` has the same number of bytes for each token, one token after the other, so
 * that a block is cut by cutting `data`.
 */
export interface Block extends BlockEntry {
  /** How a token's bytes are made up; the same for all blocks of a store. */
  readonly shape: Uint8Array;
  readonly data: Uint8Array;
}

/** Where blocks are kept, by the digest of their first unit. */
export interface BlockStore {
  has(first: string): boolean;
  /** The block, sound and with the tokens it was stored with; undefined where there is none. */
  get(first: string): Block | undefined;
  /** Keeps a block, or what of it is not kept yet. */
  put(block: Block): void;
}
