import type { HeaderCursor } from "./gguf-source.ts";
import { type GgufValueType, ggufValueBytes, ggufValueTypes } from "./gguf-types.ts";

export type GgufScalar = number | bigint | boolean | string;
type NumericType = Exclude<GgufValueType, "string" | "array">;

const utf8 = new TextDecoder();

/**
 * An array of the metadata, kept as the file's bytes: elements become JavaScript values only when asked for.
 *
 * 64-bit integers beyond 2^53 are `bigint`, all other numbers `number`.
 */
export class GgufArray {
  readonly elementType: Exclude<GgufValueType, "array">;
  readonly length: number;
  /** The elements as in the file; a string is a u64 length and its UTF-8 bytes. */
  readonly bytes: Uint8Array;
  #starts: Float64Array | undefined;

  constructor(elementType: Exclude<GgufValueType, "array">, length: number, bytes: Uint8Array) {
    this.elementType = elementType;
    this.length = length;
    this.bytes = bytes;
  }

  /** The element at `index`, `undefined` outside [0, length). */
  at(index: number): GgufScalar | undefined {
    if (!Number.isInteger(index) || index < 0 || index >= this.length) return undefined;
    if (this.elementType === "string") return utf8.decode(this.stringBytes(index));
    return readScalar(this.bytes, index * ggufValueBytes[this.elementType], this.elementType);
  }

  /** UTF-8 bytes of a string element. */
  stringBytes(index: number): Uint8Array {
    this.#starts ??= stringStarts(this.bytes, this.length);
    return this.bytes.subarray(this.#starts[index]! + 8, this.#starts[index + 1]!);
  }

  /** All elements. */
  toArray(): GgufScalar[] {
    return Array.from({ length: this.length }, (_, index) => this.at(index)!);
  }
}

function stringStarts(bytes: Uint8Array, length: number): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const starts = new Float64Array(length + 1);
  for (let index = 0, start = 0; index < length; index++) {
    start += 8 + Number(view.getBigUint64(start, true));
    starts[index + 1] = start;
  }
  return starts;
}

function readScalar(bytes: Uint8Array, offset: number, type: NumericType): GgufScalar {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (type) {
    case "u8":
      return view.getUint8(offset);
    case "i8":
      return view.getInt8(offset);
    case "u16":
      return view.getUint16(offset, true);
    case "i16":
      return view.getInt16(offset, true);
    case "u32":
      return view.getUint32(offset, true);
    case "i32":
      return view.getInt32(offset, true);
    case "f32":
      return view.getFloat32(offset, true);
    case "f64":
      return view.getFloat64(offset, true);
    case "bool":
      return view.getUint8(offset) !== 0;
    case "u64":
      return narrow(view.getBigUint64(offset, true));
    case "i64":
      return narrow(view.getBigInt64(offset, true));
  }
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** One metadata value with its type in the file. */
export interface GgufEntry {
  readonly type: GgufValueType;
  readonly value: GgufScalar | GgufArray;
}

/** Reads the value of `key` at the cursor. */
export function readEntry(cursor: HeaderCursor, key: string): GgufEntry {
  const what = `the value of ${key}`;
  const type = readType(cursor, key);
  if (type === "array") return { type, value: readArray(cursor, key) };
  if (type === "string") return { type, value: cursor.string(what) };
  const start = cursor.take(ggufValueBytes[type], what);
  return { type, value: readScalar(cursor.slice(start, cursor.position), 0, type) };
}

function readType(cursor: HeaderCursor, key: string): GgufValueType {
  const id = cursor.u32(`the type of ${key}`);
  const type = ggufValueTypes[id];
  if (type === undefined) {
    throw cursor.error(
      `${key} has the unknown type ${id}`,
      "the file is damaged or newer than this reader: download it again",
    );
  }
  return type;
}

function readArray(cursor: HeaderCursor, key: string): GgufArray {
  const what = `the array ${key}`;
  const type = readType(cursor, key);
  if (type === "array")
    throw cursor.error(`${key} is an array of arrays`, "libllama cannot read it: convert the model again");
  const length = cursor.count(`the length of ${what}`);
  // A string takes at least the 8 bytes of its length, so an absurd count is refused before any work.
  const least = length * (type === "string" ? 8 : ggufValueBytes[type]);
  const start = cursor.position;
  cursor.take(least, what);
  if (type === "string") {
    cursor.position = start;
    for (let index = 0; index < length; index++)
      cursor.take(cursor.count(`the length of a string in ${key}`), what);
  }
  return new GgufArray(type, length, cursor.slice(start, cursor.position));
}
