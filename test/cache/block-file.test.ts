import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Block } from "../../src/cache/block.ts";
import { decodeBlock, decodeHeader, encodeBlock, fileLengthOf } from "../../src/cache/block-file.ts";
import { blocksOf, tokensOf } from "../support/cache-blocks.ts";

const namespace = "0123456789abcdef".repeat(4);
const [head, block] = blocksOf(tokensOf(1, 50), { length: 32, tokenBytes: 3 }) as [Block, Block];
const bytes = encoded(block);

function encoded(block: Block, name = namespace): Uint8Array {
  return new Uint8Array(Buffer.concat(encodeBlock(block, name)));
}

function plain({ data, shape, ...rest }: Block) {
  return { ...rest, data: Buffer.from(data), shape: Buffer.from(shape) };
}

test("a block comes back as it was, its data aligned for numbers of any size", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { minLength: 16, maxLength: 300 }),
      fc.integer({ min: 0, max: 9 }),
      fc.uint8Array({ maxLength: 70 }),
      (tokens, tokenBytes, shape) => {
        const [first] = blocksOf(Int32Array.from(tokens), { length: 304, tokenBytes });
        const written = { ...first!, shape };
        const file = encoded(written);
        expect(file.length).toBe(fileLengthOf(written));
        const { block: read } = decodeBlock(file, { ...written, namespace });
        expect(plain(read!)).toEqual(plain(written));
        expect(read!.data.byteOffset % 16).toBe(0);
      },
    ),
    { numRuns: 50 },
  );
});

test("the header is read without the data", () => {
  const header = decodeHeader(bytes.subarray(0, bytes.length - block.data.length - 4));
  expect(header).toMatchObject({
    namespace,
    first: block.first,
    parent: block.parent,
    key: block.key,
    start: 32,
  });
  expect(header).toMatchObject({
    tokens: block.tokens,
    dataLength: block.data.length,
    fileLength: bytes.length,
  });
});

test("every bit that is changed, and every byte that is missing, makes it no block", () => {
  for (let index = 0; index < bytes.length; index++) {
    for (const bit of [1, 16, 128]) {
      const changed = bytes.slice();
      changed[index]! ^= bit;
      expect(decodeBlock(changed, { ...block, namespace }).block).toBeUndefined();
      // The header alone notices what is changed in it.
      if (index < bytes.length - block.data.length - 4) expect(typeof decodeHeader(changed)).toBe("string");
    }
    expect(decodeBlock(bytes.slice(0, index), { ...block, namespace }).block).toBeUndefined();
  }
  expect(
    decodeBlock(Buffer.concat([bytes, Uint8Array.of(0)]), { ...block, namespace }).block,
  ).toBeUndefined();
});

test("rubbish of any kind is none, whatever it says of its lengths", () => {
  const words = fc.array(fc.tuple(fc.nat({ max: 40 }), fc.constantFrom(0, 1, 15, 16, 2 ** 31, 2 ** 32 - 1)), {
    maxLength: 6,
  }); // prettier-ignore
  fc.assert(
    fc.property(words, (changes) => {
      const changed = bytes.slice();
      const view = new DataView(changed.buffer);
      for (const [word, value] of changes) view.setUint32(4 * word, value, true);
      const same = Buffer.compare(changed, bytes) === 0;
      expect(decodeBlock(changed, { ...block, namespace }).block !== undefined).toBe(same);
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (rubbish) => {
      expect(decodeBlock(rubbish, { ...block, namespace }).block).toBeUndefined();
    }),
  );
});

test("says what is wrong: another namespace, other tokens, another place, another block's data", () => {
  const reason = (file: Uint8Array, expected: Block, name = namespace) => {
    const decoded = decodeBlock(file, { ...expected, namespace: name });
    return decoded.block ? "none" : decoded.reason;
  };
  expect(reason(bytes, block)).toBe("none");
  expect(reason(bytes, block, "f".repeat(64))).toBe("it is of another namespace");
  const tokens = block.tokens.slice();
  tokens[17]!++;
  for (const other of [head, { ...block, tokens }, { ...block, start: 48 }, { ...block, key: head.key }])
    expect(reason(bytes, other)).toBe("it holds another block");
  expect(reason(bytes.slice(0, -1), block)).toBe("it is cut, or too long");
  const version = bytes.slice();
  version[4]!++;
  expect(reason(version, block)).toBe("it is of another format version");
  const twin = blocksOf(tokensOf(1, 50), { length: 32, tokenBytes: 3 })[1]!;
  twin.data.fill(7);
  const mixed = Buffer.concat([bytes.subarray(0, bytes.length - 58), encoded(twin).subarray(-58)]);
  expect(block.data.length + 4).toBe(58);
  expect(reason(encoded(twin), block)).toBe("none");
  // Its header and its data are sound, each by itself, and belong together.
  expect(reason(new Uint8Array(mixed), block)).toBe("none");
  const foreign = encoded({ ...twin, start: 64 }).subarray(-58);
  expect(reason(new Uint8Array(Buffer.concat([bytes.subarray(0, -58), foreign])), block)).toBe(
    "its data have been changed",
  );
});
