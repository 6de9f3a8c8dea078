import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";

/** Bytes that are read or written at once. */
const chunkLength = 2 ** 24;

/** Writes all parts to an open file, which is closed then. @throws Error of the file system. */
export function writeAndClose(file: number, parts: readonly Uint8Array[]): void {
  try {
    for (const part of parts) {
      for (let start = 0; start < part.length; )
        start += writeSync(file, part, start, Math.min(chunkLength, part.length - start));
    }
  } finally {
    closeSync(file);
  }
}

/**
 * Reads a file, or its first `most` bytes, into memory of its own, so that numbers of any size are aligned in it as they are
 * in the file. `readFileSync` stops at 2 GiB on Node. @throws Error of the file system.
 */
export function readBytes(path: string, most = Number.POSITIVE_INFINITY): Uint8Array {
  const file = openSync(path, "r");
  try {
    const bytes = new Uint8Array(new ArrayBuffer(Math.min(most, fstatSync(file).size)));
    let length = 0;
    while (length < bytes.length) {
      const count = readSync(file, bytes, length, Math.min(chunkLength, bytes.length - length), length);
      if (count === 0) break;
      length += count;
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
}
