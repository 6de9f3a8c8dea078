import { open, rename, rm } from "node:fs/promises";
import { RequestError } from "../../lib/errors.ts";
import type { SavedTokens } from "../engine/engine.ts";
import { type StateFingerprint, unknownFiles } from "../engine/state-fingerprint.ts";
import { checksum } from "../state-seal.ts";

/** Tokens, and the cache computed from them; one without tokens has no data. */
export interface LlamaState extends SavedTokens {}

// The file of a state, little endian:
//
//   0   magic, version, count of tokens, length of the fingerprint, CRC-32 of all but itself (u32 each)
//   20  tokens (i32 each), fingerprint (JSON; empty where there are no tokens), data

const magic = 0x41495243; // "CRIA"
const version = 2;
const sumStart = 16;
const headerLength = 20;
/** Bytes that are read or written at once. */
const chunk = 2 ** 26;

/**
 * Writes the file of a state, which appears whole or not at all. @returns its bytes.
 * @throws RequestError where the state does not say what model it is of, what the file system does.
 */
export async function writeState(path: string, { tokens, data, fingerprint }: LlamaState): Promise<number> {
  if (tokens.length > 0 && !fingerprint) throw unknownFiles();
  const mark = new TextEncoder().encode(fingerprint ? JSON.stringify(fingerprint) : "");
  const header = new DataView(new ArrayBuffer(headerLength));
  const parts = [new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength), mark, data];
  for (const [index, word] of [magic, version, tokens.length, mark.length].entries())
    header.setUint32(4 * index, word, true);
  const summed = [new Uint8Array(header.buffer, 0, sumStart), ...parts];
  header.setUint32(
    sumStart,
    summed.reduce((sum, part) => checksum(part, sum), 0),
    true,
  );
  const partial = `${path}.${crypto.randomUUID()}.part`;
  try {
    const length = await writeParts(partial, [new Uint8Array(header.buffer), ...parts]);
    await rename(partial, path);
    return length;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/**
 * Reads what {@link writeState} wrote. @param name what to call it in errors.
 * @throws RequestError for a file that there is not, that is none, or is damaged: libllama trusts what it is given.
 */
export async function readState(
  path: string,
  name = path,
): Promise<LlamaState & { readonly fileLength: number }> {
  const bytes = await readWhole(path, name);
  const header = new DataView(bytes.buffer);
  const word = (index: number) => header.getUint32(4 * index, true);
  if (bytes.length < headerLength || word(0) !== magic)
    throw new RequestError(`${name} is no state file of cria; give one that saveState wrote`);
  if (word(1) !== version)
    throw new RequestError(`${name} was written by another version of cria; save the state anew`);
  const end = headerLength + 4 * word(2);
  const dataStart = end + word(3);
  const sum = checksum(bytes.subarray(headerLength), checksum(bytes.subarray(0, sumStart)));
  if (dataStart > bytes.length || header.getUint32(sumStart, true) !== sum)
    throw new RequestError(`${name} is damaged or cut off; save the state anew`);
  const mark = new TextDecoder().decode(bytes.subarray(end, dataStart));
  return {
    // A copy: whoever keeps the tokens must not keep the whole file.
    tokens: new Int32Array(bytes.buffer.slice(headerLength, end)),
    data: bytes.subarray(dataStart),
    fingerprint: mark === "" ? undefined : (JSON.parse(mark) as StateFingerprint),
    fileLength: bytes.length,
  };
}

async function writeParts(path: string, parts: readonly Uint8Array[]): Promise<number> {
  const file = await open(path, "wx");
  let length = 0;
  try {
    for (const part of parts) {
      for (let start = 0; start < part.length; ) {
        const { bytesWritten } = await file.write(part, start, Math.min(chunk, part.length - start));
        start += bytesWritten;
      }
      length += part.length;
    }
    return length;
  } finally {
    await file.close();
  }
}

/** In pieces: `readFile` stops at 2 GiB on Node. */
async function readWhole(path: string, name: string): Promise<Uint8Array<ArrayBuffer>> {
  const file = await open(path, "r").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT")
      throw new RequestError(`there is no state file ${name}; save one first`, undefined, { cause });
    throw cause;
  });
  try {
    const bytes = new Uint8Array((await file.stat()).size);
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length, Math.min(chunk, bytes.length - length));
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return bytes.subarray(0, length);
  } finally {
    await file.close();
  }
}
