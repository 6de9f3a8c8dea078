import { openSync, renameSync, rmSync } from "node:fs";
import { readBytes, writeAndClose } from "./file-bytes.ts";
import { checksum, makeSeal, type StateKind, unseal } from "./state-seal.ts";

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
    writeAndClose(openSync(partial, "w"), [...parts, makeSeal(kind, length, crc)]);
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

/** Reads what {@link writeSealedFile} wrote; the state is a view. @throws CriaError where the file is damaged. */
export function readSealedFile(path: string, kind: StateKind): { tokens: Int32Array; state: Uint8Array } {
  const content = unseal(readBytes(path), kind, `${kind} ${path}`);
  const count = new DataView(content.buffer, content.byteOffset).getUint32(0, true);
  const start = 4 + 4 * count;
  return {
    tokens: new Int32Array(content.slice(4, start).buffer as ArrayBuffer),
    state: content.subarray(start),
  };
}
