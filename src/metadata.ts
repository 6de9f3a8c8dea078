import type { Native, Pointer } from "../ffi/index.ts";

/** The C functions that give key and value number `index`, with the length the text has. */
export interface MetadataReader {
  key(index: number, buffer: Pointer, size: number): number;
  value(index: number, buffer: Pointer, size: number): number;
}

/** Reads all scalar metadata of a model or adapter; libllama leaves arrays out. */
export function readMetadata(
  native: Native,
  count: number,
  reader: MetadataReader,
): ReadonlyMap<string, string> {
  let buffer = native.memory.allocate(1024);
  const text = (read: (buffer: Pointer, size: number) => number): string => {
    let length = read(native.memory.addressOf(buffer), buffer.length);
    if (length >= buffer.length) {
      buffer = native.memory.allocate(length + 1);
      length = read(native.memory.addressOf(buffer), buffer.length);
    }
    return new TextDecoder().decode(buffer.subarray(0, Math.max(0, length)));
  };
  const metadata = new Map<string, string>();
  for (let index = 0; index < count; index++) {
    const key = text((address, size) => reader.key(index, address, size));
    metadata.set(
      key,
      text((address, size) => reader.value(index, address, size)),
    );
  }
  return metadata;
}
