import { checksum } from "../state-seal.ts";
import type { BlockEntry } from "./block.ts";
import { type FileName, nonceLimit } from "./block-folder.ts";
import type { SqlRow } from "./sqlite.ts";

/** A block on disk, as the index knows it. */
export interface DiskEntry extends BlockEntry {
  /** Of the block's data. */
  readonly byteLength: number;
  /** Of its file. */
  readonly fileLength: number;
  /** Of its file's name. */
  readonly nonce: number;
}

/** Columns of a row that its checksum is over, and the checksum. */
export const entryColumns = "first, parent, key, start, tokens, data, bytes, nonce, sum";
export type EntryValues = readonly [
  first: Uint8Array,
  parent: Uint8Array,
  key: Uint8Array,
  start: number,
  tokens: Uint8Array,
  data: number,
  bytes: number,
  nonce: number,
  sum: number,
];

export function digestBytes(digest: string): Uint8Array {
  return Buffer.from(digest, "hex");
}

export function digestText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

/** What {@link entryColumns} are for a block. */
export function valuesOf(namespace: string, entry: DiskEntry): EntryValues {
  const { start, byteLength, fileLength, nonce } = entry;
  const first = digestBytes(entry.first);
  const parent = digestBytes(entry.parent);
  const key = digestBytes(entry.key);
  // A copy: not every runtime binds shared memory.
  const tokens = new Uint8Array(entry.tokens.slice().buffer);
  const sum = sumOf(namespace, [first, parent, key, tokens], [start, byteLength, fileLength, nonce]);
  return [first, parent, key, start, tokens, byteLength, fileLength, nonce, sum];
}

/** The block of a row; undefined where the row has been damaged, which databases do not notice by themselves. */
export function entryOf(namespace: string, row: SqlRow): DiskEntry | undefined {
  const { first, parent, key, tokens } = row;
  const { start, data, bytes, nonce, sum } = row as Readonly<Record<string, number>>;
  if (![first, parent, key, tokens].every((value) => value instanceof Uint8Array)) return undefined;
  const blobs = [first, parent, key, tokens] as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  if (sumOf(namespace, blobs, [start!, data!, bytes!, nonce!]) !== sum) return undefined;
  return {
    first: digestText(blobs[0]),
    parent: digestText(blobs[1]),
    key: digestText(blobs[2]),
    start: start!,
    tokens: new Int32Array(blobs[3].slice().buffer),
    byteLength: data!,
    fileLength: bytes!,
    nonce: nonce!,
  };
}

function sumOf(namespace: string, blobs: readonly Uint8Array[], numbers: readonly number[]): number {
  const parts = [digestBytes(namespace), ...blobs, new Uint8Array(Float64Array.from(numbers).buffer)];
  return parts.reduce((sum, part) => checksum(part, sum), 0);
}

/** The file of a row with `digest` (of the namespace), `first`, `length` and `nonce`; undefined where these are damaged. */
export function fileOf({ digest, first, length, nonce }: SqlRow): FileName | undefined {
  if (!isDigest(digest) || !isDigest(first) || !isCount(length) || !isCount(nonce)) return undefined;
  if (nonce >= nonceLimit) return undefined;
  return { namespace: digestText(digest), first: digestText(first), length, nonce };
}

export function isDigest(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.length === 32;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** What a block costs to compute, per token: attention makes a token dearer the deeper it is. */
export function costOf(start: number): number {
  return 1 + start / 4096;
}
