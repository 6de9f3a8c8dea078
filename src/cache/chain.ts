import { createHash } from "node:crypto";
import { type Block, unitLength } from "./block.ts";

/**
 * Digest that a chain begins with: nothing is found under one root that was stored under another.
 * @param parts what prefixes must agree in beside their tokens, such as a salt.
 */
export function rootDigest(...parts: readonly string[]): string {
  const hash = createHash("sha256");
  // Lengths keep apart what would read the same in a row.
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest("hex");
}

/** Digest of at most one unit of tokens behind `parent`. */
export function unitDigest(parent: string, tokens: Int32Array): string {
  // A copy: not every runtime hashes shared memory.
  const bytes = Buffer.alloc(4 * tokens.length);
  for (let index = 0; index < tokens.length; index++) bytes.writeInt32LE(tokens[index]!, 4 * index);
  return createHash("sha256").update(parent).update(bytes).digest("hex");
}

/** Digest of `tokens` behind `parent`, unit by unit: wherever a list is cut at a multiple of a unit, its end is the same. */
export function endDigest(parent: string, tokens: Int32Array): string {
  let digest = parent;
  for (let start = 0; start < tokens.length; start += unitLength)
    digest = unitDigest(digest, tokens.subarray(start, start + unitLength));
  return digest;
}

/** The largest multiple of a unit that is not more. */
export function wholeUnits(length: number): number {
  return length - (length % unitLength);
}

/** Cuts a block in two, at a multiple of a unit inside it. Both refer to its bytes. */
export function splitBlock(block: Block, at: number): [head: Block, tail: Block] {
  const bytes = (block.data.length / block.tokens.length) * at;
  const head = block.tokens.subarray(0, at);
  const tail = block.tokens.subarray(at);
  const middle = endDigest(block.parent, head);
  const { shape, key, first, parent, start } = block;
  return [
    { shape, first, parent, key: middle, start, tokens: head, data: block.data.subarray(0, bytes) },
    {
      shape,
      first: unitDigest(middle, tail.subarray(0, unitLength)),
      parent: middle,
      key,
      start: start + at,
      tokens: tail,
      data: block.data.subarray(bytes),
    },
  ];
}

/** A block of `tokens` behind `parent`; `tokens` and `data` are borrowed. */
export function makeBlock(
  parent: string,
  { start, tokens, data, shape }: Pick<Block, "start" | "tokens" | "data" | "shape">,
): Block {
  const first = unitDigest(parent, tokens.subarray(0, unitLength));
  const rest = tokens.subarray(unitLength);
  return { first, parent, key: endDigest(first, rest), start, tokens, data, shape };
}
