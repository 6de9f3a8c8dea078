import { RequestError } from "../../lib/errors.ts";

/** Tokens, and the cache computed from them. */
export interface LlamaState {
  readonly tokens: Int32Array;
  readonly data: Uint8Array;
}

const magic = 0x41495243; // "CRIA", little-endian
const version = 1;
const headerLength = 16;

/** File form of a state: magic, version, token count, checksum of what follows; tokens; data. */
export function encodeState({ tokens, data }: LlamaState): Uint8Array {
  const bytes = new Uint8Array(headerLength + tokens.byteLength + data.byteLength);
  bytes.set(new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength), headerLength);
  bytes.set(data, headerLength + tokens.byteLength);
  const header = new DataView(bytes.buffer);
  header.setUint32(0, magic, true);
  header.setUint32(4, version, true);
  header.setUint32(8, tokens.length, true);
  header.setUint32(12, checksum(bytes.subarray(headerLength)), true);
  return bytes;
}

/** @throws RequestError for a file that is none, or is damaged: libllama trusts what it is given. */
export function decodeState(file: Uint8Array, path: string): LlamaState {
  const bytes = new Uint8Array(file);
  const header = new DataView(bytes.buffer);
  if (bytes.length < headerLength || header.getUint32(0, true) !== magic) {
    throw new RequestError(`${path} is no state file of cria`);
  }
  if (header.getUint32(4, true) !== version)
    throw new RequestError(`${path} was written by another version of cria`);
  const count = header.getUint32(8, true);
  const end = headerLength + 4 * count;
  if (end > bytes.length || header.getUint32(12, true) !== checksum(bytes.subarray(headerLength))) {
    throw new RequestError(`${path} is damaged or cut off; save the state again`);
  }
  return { tokens: new Int32Array(bytes.buffer, headerLength, count), data: bytes.slice(end) };
}

/** 32-bit FNV-1a: finds damage, not malice. */
function checksum(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < bytes.length; index++) hash = Math.imul(hash ^ bytes[index]!, 0x01000193);
  return hash >>> 0;
}
