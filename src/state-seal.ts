import * as zlib from "node:zlib";
import { CriaError } from "../lib/errors.ts";

/** What sealed bytes hold, so that one kind is not restored as another. */
export const stateKinds = {
  state: 1,
  "sequence state": 2,
  "partial sequence state": 3,
  "state file": 4,
  "sequence state file": 5,
} as const;
export type StateKind = keyof typeof stateKinds;

/** Bytes that a seal adds: magic, kind, CRC-32 of what comes before (u32 each), its length (u64), little endian. */
export const sealLength = 20;

const magic = 0x61697263; // "cria"
const chunk = 2 ** 26;

/** CRC-32 of `bytes`, carrying on from `previous`. */
export function checksum(bytes: Uint8Array, previous = 0): number {
  if (typeof zlib.crc32 !== "function") {
    throw new CriaError("REQUEST", "saving state needs zlib.crc32: use Node 20.15 or later, Bun or Deno");
  }
  let value = previous;
  for (let start = 0; start < bytes.length; start += chunk) {
    value = zlib.crc32(bytes.subarray(start, start + chunk), value);
  }
  return value;
}

/** The seal of `length` bytes with that checksum. */
export function makeSeal(kind: StateKind, length: number, crc: number): Uint8Array {
  const seal = new DataView(new ArrayBuffer(sealLength));
  seal.setUint32(0, magic, true);
  seal.setUint32(4, stateKinds[kind], true);
  seal.setUint32(8, crc, true);
  seal.setBigUint64(12, BigInt(length), true);
  return new Uint8Array(seal.buffer);
}

/**
 * Takes the seal off: libllama believes every count in a state, reserves memory by it, and restores what it can, so that
 * damaged bytes must not get there.
 *
 * @returns the bytes before the seal, a view. @throws CriaError where they were cut, changed, or are of another kind.
 */
export function unseal(bytes: Uint8Array, kind: StateKind, what: string = kind): Uint8Array {
  const damaged = (reason: string) => new CriaError("REQUEST", `the ${what} ${reason}; save it anew`);
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`the ${what} must be a Uint8Array`);
  const length = bytes.length - sealLength;
  if (length < 0) throw damaged(`is damaged (${bytes.length} bytes are too few)`);
  const seal = new DataView(bytes.buffer, bytes.byteOffset + length, sealLength);
  if (seal.getUint32(0, true) !== magic) throw damaged("is damaged or was not saved by cria");
  const payload = bytes.subarray(0, length);
  if (seal.getBigUint64(12, true) !== BigInt(length) || seal.getUint32(8, true) !== checksum(payload)) {
    throw damaged("is damaged (its checksum is another)");
  }
  const found = seal.getUint32(4, true);
  if (found !== stateKinds[kind]) {
    const name = Object.entries(stateKinds).find(([, code]) => code === found)?.[0] ?? "something unknown";
    throw damaged(`holds a ${name}, a ${kind} is needed`);
  }
  return payload;
}
