import { type GgufSource, HeaderCursor, memorySource } from "./gguf-source.ts";
import { readTensors, type TensorInfo } from "./gguf-tensors.ts";
import type { GgufArray, GgufEntry, GgufScalar } from "./gguf-value.ts";
import { readEntry } from "./gguf-value.ts";

/** What stands before the weights of a GGUF file. */
export interface GgufHeader {
  /** Named in errors, usually the path. */
  readonly name: string;
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufEntry>;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Tensor data starts at multiples of this many bytes. */
  readonly alignment: number;
  /** Where tensor data begins, in bytes from the start of the file. */
  readonly dataOffset: number;
  /** Bytes of the tensor data, the last tensor's padding left out. */
  readonly dataSize: number;
  /** Least bytes of a whole file: `dataOffset + dataSize`. */
  readonly expectedSize: number;
  readonly fileSize: number;
}

/** libllama compares every key and name with all before it, so a file with millions would hang it. */
const entryLimit = 65_536;
const alignmentKey = "general.alignment";
const damaged = "it is damaged: download it again";

/**
 * Reads the header of a GGUF file, version 2 or 3, little-endian.
 *
 * Safe on hostile files: nothing is believed before it is compared with the size of the file. Arrays keep the file's
 * bytes, see {@link GgufArray}. Layout: the GGUF specification of the ggml project, and `gguf_init_from_file`.
 *
 * @throws ModelLoadError naming the file, what is wrong with it and what to do.
 */
export function readGgufHeader(input: GgufSource | Uint8Array): GgufHeader {
  const source = input instanceof Uint8Array ? memorySource(input) : input;
  const cursor = new HeaderCursor(source);
  const version = readVersion(cursor);
  const tensorCount = readCount(cursor, "the number of tensors");
  const entryCount = readCount(cursor, "the number of metadata entries");
  const metadata = readMetadata(cursor, entryCount);
  const alignment = readAlignment(cursor, metadata.get(alignmentKey));
  const tensors = readTensors(cursor, { count: tensorCount, alignment });
  // Without tensors there is no data section and no padding before it.
  const dataOffset = tensorCount === 0 ? cursor.position : Math.ceil(cursor.position / alignment) * alignment;
  let dataSize = 0;
  for (const tensor of tensors.values()) dataSize = tensor.offset + tensor.byteLength;
  const expectedSize = dataOffset + dataSize;
  if (expectedSize > source.size) {
    throw cursor.error(
      `${expectedSize - source.size} of ${expectedSize} bytes are missing at the end`,
      "the download is incomplete: download it again",
    );
  }
  return {
    name: source.name,
    version,
    metadata,
    tensors,
    alignment,
    dataOffset,
    dataSize,
    expectedSize,
    fileSize: source.size,
  };
}

function readVersion(cursor: HeaderCursor): number {
  if (cursor.source.size === 0) throw cursor.error("the file is empty", "download it again");
  const start = cursor.take(4, "the magic number");
  if (new TextDecoder("latin1").decode(cursor.slice(start, cursor.position)) !== "GGUF") {
    throw cursor.error(
      "this is no GGUF file (it does not begin with GGUF)",
      "name a model converted to GGUF, or download it again",
    );
  }
  const version = cursor.u32("the version");
  if (version === 2 || version === 3) return version;
  if ((version & 0xffff) === 0 && version !== 0) {
    throw cursor.error("the file is big-endian", "download or convert a little-endian one");
  }
  throw cursor.error(
    `GGUF version ${version} is not supported, only 2 and 3`,
    "convert the model again with a current converter",
  );
}

function readCount(cursor: HeaderCursor, what: string): number {
  const count = cursor.count(what);
  if (count > entryLimit) throw cursor.error(`${what} is ${count}, more than ${entryLimit}`, damaged);
  return count;
}

function readMetadata(cursor: HeaderCursor, count: number): Map<string, GgufEntry> {
  const metadata = new Map<string, GgufEntry>();
  for (let index = 0; index < count; index++) {
    const key = cursor.string(`the key of metadata entry ${index}`);
    // C compares keys up to the first NUL: two keys that differ behind it would be one there.
    if (key === "" || key.includes("\0"))
      throw cursor.error(`the key of metadata entry ${index} is empty or holds a NUL`, damaged);
    if (metadata.has(key)) throw cursor.error(`the metadata key ${key} appears twice`, damaged);
    metadata.set(key, readEntry(cursor, key));
  }
  return metadata;
}

function readAlignment(cursor: HeaderCursor, entry: GgufEntry | undefined): number {
  if (entry === undefined) return 32;
  const { type, value } = entry;
  if (type !== "u32" || typeof value !== "number" || value === 0 || (value & (value - 1)) !== 0) {
    throw cursor.error(
      `${alignmentKey} must be a power of two of type u32, got ${String(value)} of type ${type}`,
      damaged,
    );
  }
  return value;
}

/** The string at `key`; `undefined` where it is missing or no string. */
export function metadataString(header: GgufHeader, key: string): string | undefined {
  const value = header.metadata.get(key)?.value;
  return typeof value === "string" ? value : undefined;
}

/** The number at `key`; `undefined` where it is missing or no number. */
export function metadataNumber(header: GgufHeader, key: string): number | undefined {
  const value = header.metadata.get(key)?.value;
  return typeof value === "number" ? value : undefined;
}

/** The array at `key`; `undefined` where it is missing or no array. */
export function metadataArray(header: GgufHeader, key: string): GgufArray | undefined {
  const value: GgufScalar | GgufArray | undefined = header.metadata.get(key)?.value;
  return typeof value === "object" ? value : undefined;
}
