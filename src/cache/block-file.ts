import { checksum } from "../state-seal.ts";
import { type Block, type BlockEntry, unitLength } from "./block.ts";

// The file of one block, little endian:
//
//   0   magic, format version, start, count of tokens, length of the shape (u32 each)
//   20  length of the data (u64)
//   28  namespace, first, parent, key (32 bytes each)
//   156 shape, tokens (i32 each), zeros, CRC-32 of all before (u32); together a multiple of 16
//       data, CRC-32 of all before but the other one (u32)

/** Files of another version are none of ours. */
export const fileVersion = 1;
const magic = 0x766b7263; // "crkv"
const fixedLength = 156;
const digestLength = 32;
/** Data begin at a multiple of it, so that numbers of any size can be read in place. */
const alignment = 16;
const sumLength = 4;
/** Longest header that is believed, in bytes. */
export const mostHeaderBytes = 2 ** 20;

/** What a file says of itself. */
export interface BlockHeader extends BlockEntry {
  readonly namespace: string;
  readonly shape: Uint8Array;
  readonly headerLength: number;
  readonly headerSum: number;
  readonly dataLength: number;
  readonly fileLength: number;
}

/** What a file must hold: blocks of another namespace or of other tokens are not taken for it. */
export interface Expected extends BlockEntry {
  readonly namespace: string;
}

export type Decoded = { readonly block: Block } | { readonly block?: undefined; readonly reason: string };

function headerLengthOf(tokenCount: number, shapeLength: number): number {
  const length = fixedLength + shapeLength + 4 * tokenCount + sumLength;
  return Math.ceil(length / alignment) * alignment;
}

/** Bytes of a block's file. */
export function fileLengthOf({ tokens, shape, data }: Pick<Block, "tokens" | "shape" | "data">): number {
  return headerLengthOf(tokens.length, shape.length) + data.length + sumLength;
}

/** The bytes of a block's file, in parts; the data are borrowed. @param namespace a digest in hexadecimal. */
export function encodeBlock(block: Block, namespace: string): readonly Uint8Array[] {
  const { start, tokens, shape, data } = block;
  const header = new Uint8Array(headerLengthOf(tokens.length, shape.length));
  const view = new DataView(header.buffer);
  for (const [index, word] of [magic, fileVersion, start, tokens.length, shape.length].entries())
    view.setUint32(4 * index, word, true);
  view.setBigUint64(20, BigInt(data.length), true);
  for (const [index, digest] of [namespace, block.first, block.parent, block.key].entries())
    header.set(Buffer.from(digest, "hex"), 28 + digestLength * index);
  header.set(shape, fixedLength);
  for (const [index, token] of tokens.entries())
    view.setInt32(fixedLength + shape.length + 4 * index, token, true);
  const end = header.length - sumLength;
  const sum = checksum(header.subarray(0, end));
  view.setUint32(end, sum, true);
  // A CRC over bytes and their CRC is always the same: carried on from there, it would go with any header.
  return [header, data, sumBytes(checksum(data, sum))];
}

function sumBytes(sum: number): Uint8Array {
  const bytes = new Uint8Array(sumLength);
  new DataView(bytes.buffer).setUint32(0, sum, true);
  return bytes;
}

/**
 * Reads the header alone, of which there must be all; what follows may be missing from `bytes`.
 * @returns why it is none, where it is none.
 */
export function decodeHeader(bytes: Uint8Array): BlockHeader | string {
  if (bytes.length < fixedLength) return "it is too short";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== magic) return "it is no file of a block";
  if (view.getUint32(4, true) !== fileVersion) return "it is of another format version";
  const start = view.getUint32(8, true);
  const tokenCount = view.getUint32(12, true);
  const shapeLength = view.getUint32(16, true);
  const dataLength = Number(view.getBigUint64(20, true));
  const headerLength = headerLengthOf(tokenCount, shapeLength);
  if (headerLength > Math.min(bytes.length, mostHeaderBytes)) return "its header is cut";
  const end = headerLength - sumLength;
  const headerSum = checksum(bytes.subarray(0, end));
  if (view.getUint32(end, true) !== headerSum) return "its header has been changed";
  if (tokenCount < unitLength || start % unitLength !== 0 || dataLength % tokenCount !== 0)
    return "its lengths do not fit each other";
  const [namespace, first, parent, key] = [0, 1, 2, 3].map((index) => {
    const from = 28 + digestLength * index;
    return Buffer.from(bytes.subarray(from, from + digestLength)).toString("hex");
  }) as [string, string, string, string];
  const tokens = new Int32Array(tokenCount);
  const tokensStart = fixedLength + shapeLength;
  for (let index = 0; index < tokenCount; index++)
    tokens[index] = view.getInt32(tokensStart + 4 * index, true);
  const shape = bytes.slice(fixedLength, tokensStart);
  const fileLength = headerLength + dataLength + sumLength;
  return {
    namespace,
    first,
    parent,
    key,
    start,
    tokens,
    shape,
    headerLength,
    headerSum,
    dataLength,
    fileLength,
  };
}

/** Reads a whole file; the data are a view of it. @returns the reason where it is damaged or not what is expected. */
export function decodeBlock(bytes: Uint8Array, expected: Expected): Decoded {
  const header = decodeHeader(bytes);
  if (typeof header === "string") return { reason: header };
  if (header.fileLength !== bytes.length) return { reason: "it is cut, or too long" };
  const end = bytes.length - sumLength;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { headerLength, headerSum } = header;
  if (view.getUint32(end, true) !== checksum(bytes.subarray(headerLength, end), headerSum))
    return { reason: "its data have been changed" };
  if (header.namespace !== expected.namespace) return { reason: "it is of another namespace" };
  if (!sameEntry(header, expected)) return { reason: "it holds another block" };
  const { first, parent, key, start, tokens, shape } = header;
  const data = bytes.subarray(headerLength, end);
  return { block: { first, parent, key, start, tokens, shape, data } };
}

function sameEntry(a: BlockEntry, b: BlockEntry): boolean {
  return (
    a.first === b.first &&
    a.parent === b.parent &&
    a.key === b.key &&
    a.start === b.start &&
    a.tokens.length === b.tokens.length &&
    a.tokens.every((token, index) => token === b.tokens[index])
  );
}
