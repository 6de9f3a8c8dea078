import { type Block, unitLength } from "./block.ts";
import { unitDigest, wholeUnits } from "./chain.ts";

// Of a memory that cannot be taken apart the state of a whole sequence is kept, as a block of its last unit of tokens that
// stands alone, which `start: 0` says: its bytes are all tokens and the state.

/** What such bytes are. */
export const checkpointShape = new Uint8Array(Int32Array.of(0x63706b74, 1, 0, 0).buffer);
/** Bytes of the counts that the data begins with: tokens, and bytes of the state. */
const header = 16;

/** Digests of the beginnings of `tokens` that are whole units, the longest last. */
export function unitDigests(root: string, tokens: Int32Array): string[] {
  const digests: string[] = [];
  for (let end = unitLength; end <= tokens.length; end += unitLength)
    digests.push(unitDigest(digests.at(-1) ?? root, tokens.subarray(end - unitLength, end)));
  return digests;
}

/** A checkpoint behind `tokens`, which are whole units. */
export function makeCheckpoint(root: string, tokens: Int32Array, state: Uint8Array): Block {
  if (tokens.length === 0 || wholeUnits(tokens.length) !== tokens.length)
    throw new RangeError(`a checkpoint is made at a multiple of ${unitLength} tokens, got ${tokens.length}`);
  const digests = unitDigests(root, tokens);
  const first = digests.at(-1)!;
  const used = header + 4 * tokens.length + state.length;
  const data = new Uint8Array(new ArrayBuffer(Math.ceil(used / unitLength) * unitLength));
  new Int32Array(data.buffer, 0, 2).set([tokens.length, state.length]);
  new Int32Array(data.buffer, header, tokens.length).set(tokens);
  data.set(state, header + 4 * tokens.length);
  const parent = digests.at(-2) ?? root;
  const last = tokens.slice(tokens.length - unitLength);
  return { first, parent, key: first, start: 0, tokens: last, shape: checkpointShape, data };
}

/** The state in a checkpoint's bytes, a view; undefined where it is behind other tokens. */
export function checkpointState(data: Uint8Array, tokens: Int32Array): Uint8Array | undefined {
  if (data.length < header) return undefined;
  const words = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [count, bytes] = [words.getUint32(0, true), words.getUint32(4, true)];
  const start = header + 4 * count;
  if (count !== tokens.length || start + bytes > data.length) return undefined;
  for (let index = 0; index < count; index++)
    if (words.getInt32(header + 4 * index, true) !== tokens[index]) return undefined;
  return data.subarray(start, start + bytes);
}
