import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { checksum, makeSeal, type StateKind, unseal } from "./state-seal.ts";

const chunkLength = 2 ** 24;

/**
 * Writes tokens and a state with a seal. Layout: token count (u32), tokens, state, seal; little endian.
 * The file appears whole or not at all. @throws Error of the file system.
 */
export function writeSealedFile(path: string, kind: StateKind, tokens: Int32Array, state: Uint8Array): void {
  const parts = [
    new Uint8Array(Uint32Array.of(tokens.length).buffer),
    new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength),
    state,
  ];
  let [crc, length] = [0, 0];
  for (const part of parts) {
    crc = checksum(part, crc);
    length += part.length;
  }
  const partial = `${path}.${process.pid}.partial`;
  try {
    writeAll(partial, [...parts, makeSeal(kind, length, crc)]);
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

/** Reads what {@link writeSealedFile} wrote; the state is a view. @throws CriaError where the file is damaged. */
export function readSealedFile(path: string, kind: StateKind): { tokens: Int32Array; state: Uint8Array } {
  const content = unseal(readWhole(path), kind, `${kind} ${path}`);
  const count = new DataView(content.buffer, content.byteOffset).getUint32(0, true);
  const start = 4 + 4 * count;
  return {
    tokens: new Int32Array(content.slice(4, start).buffer as ArrayBuffer),
    state: content.subarray(start),
  };
}

function writeAll(path: string, parts: readonly Uint8Array[]): void {
  const file = openSync(path, "w");
  try {
    for (const part of parts) {
      for (let start = 0; start < part.length; ) {
        start += writeSync(file, part, start, Math.min(chunkLength, part.length - start));
      }
    }
  } finally {
    closeSync(file);
  }
}

/** `readFileSync` stops at 2 GiB on Node. */
function readWhole(path: string): Uint8Array {
  const file = openSync(path, "r");
  try {
    const bytes = new Uint8Array(new ArrayBuffer(fstatSync(file).size));
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
