import { fromJson, textToWords, toJson, wordsToText } from "./protocol.ts";

/** What a block is found by, and where it belongs. */
export interface WireEntry {
  readonly first: string;
  readonly parent: string;
  readonly key: string;
  readonly start: number;
  readonly tokens: readonly number[];
}

/** A block as it was found, and where to. */
export interface WantedBlock extends Pick<WireEntry, "first" | "key"> {
  readonly offset: number;
  readonly byteLength: number;
}

/** What the decoding side tells the thread of the disk store. */
export type StoreCommand =
  /** How the bytes of all blocks to come are made up: words. */
  | { readonly kind: "shape"; readonly words: readonly number[] }
  /** To write a block, whose bytes stay in host memory until it is `stored`. */
  | { readonly kind: "put"; readonly offset: number; readonly byteLength: number; readonly entry: WireEntry }
  /** To look for the blocks that some tokens begin with; answered by `found`. */
  | { readonly kind: "look"; readonly id: number; readonly root: string; readonly tokens: readonly number[] }
  /** To look for the first there is of blocks that stand alone; answered by `found`. */
  | { readonly kind: "seek"; readonly id: number; readonly firsts: readonly string[] }
  /** To read blocks into host memory, each at its offset; answered by `loaded`. */
  | { readonly kind: "load"; readonly id: number; readonly blocks: readonly WantedBlock[] }
  | { readonly kind: "close" };

/** What that thread answers. */
export type StoreEvent =
  | { readonly kind: "stored"; readonly offset: number }
  | {
      readonly kind: "found";
      readonly id: number;
      readonly shape: readonly number[];
      readonly blocks: readonly (WireEntry & { readonly byteLength: number })[];
      /** Milliseconds that a byte takes to be read, as measured; 0 for unknown. */
      readonly msPerByte: number;
    }
  /** The first `count` of the blocks are there. */
  | { readonly kind: "loaded"; readonly id: number; readonly count: number }
  /** What the store holds and has done. */
  | { readonly kind: "state"; readonly disk: DiskSnapshot };

/** What the disk store holds of this model and has done; lengths in tokens. */
export interface DiskSnapshot {
  readonly blocks: number;
  readonly tokens: number;
  /** Of all models. */
  readonly bytes: number;
  readonly hits: number;
  readonly misses: number;
  readonly readTokens: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly dropped: number;
  readonly damaged: number;
  /** Blocks that could not be written. */
  readonly skipped: number;
}

export const storeRingWords = 2 ** 18;

export const toRecord = (message: StoreCommand | StoreEvent): Int32Array => textToWords(toJson(message));
export const fromRecord = <T extends StoreCommand | StoreEvent>(record: Int32Array): T =>
  fromJson<T>(wordsToText(record));
