import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { NativeBackend, SharedObject } from "../../ffi/backend.ts";
import { libcOf } from "../../ffi/libc.ts";
import { NativeMemory } from "../../ffi/memory.ts";
import { allBackends } from "../support/backends.ts";

/** The C library of most Linux systems, whose allocator can be told to give memory back. */
function glibc(backend: NativeBackend): SharedObject | undefined {
  try {
    const library = backend.open("libc.so.6");
    return library.bind("malloc_trim", { returns: "i32", args: ["usize"] }) && library;
  } catch {
    return undefined;
  }
}

describe.each(await allBackends())("memory on %s", (_, backend) => {
  const libc = libcOf(backend);
  const memory = new NativeMemory(backend, libc);

  test("any well-formed text without NUL survives the way to C and back", () => {
    const text = fc.string({ unit: "binary", maxLength: 200 }).filter((value) => !value.includes("\0"));
    fc.assert(
      fc.property(text, (value) => {
        const { address, bytes } = memory.string(value, "text");
        expect(memory.readString(address)).toBe(value);
        expect(libc.strlen(address)).toBe(bytes.length - 1);
      }),
    );
  });

  test("a text starting with a byte order mark keeps it", () => {
    const { address } = memory.string("\uFEFFabc", "text");
    expect(memory.readString(address)).toBe("\uFEFFabc");
  });

  test("texts that C would cut or garble are refused by name", () => {
    expect(() => memory.string("a\0b", "prompt")).toThrow(TypeError);
    expect(() => memory.string("a\0b", "prompt")).toThrow(/^prompt .*NUL/);
    expect(() => memory.string("a\ud800b", "prompt")).toThrow(/^prompt .*lone surrogate.*toWellFormed/);
    expect(() => memory.string(7 as never, "prompt")).toThrow(/^prompt must be a string, got number/);
    expect(() => memory.strings(["a", "\udc00"], "paths")).toThrow(/^paths\[1\]/);
  });

  test("reading: NULL is undefined, invalid UTF-8 becomes U+FFFD", () => {
    expect(memory.readString(0 as never)).toBeUndefined();
    const bytes = memory.allocate(4);
    bytes.set([0x61, 0xff, 0x62]);
    expect(memory.readString(memory.addressOf(bytes))).toBe("a\ufffdb");
    expect(memory.readString(memory.addressOf(memory.allocate(1)))).toBe("");
  });

  test("an array of C strings holds each address", () => {
    const texts = ["one", "", "drei ÄÖ"];
    const { address, keep } = memory.strings(texts, "paths");
    const addresses = new BigUint64Array(memory.read(address, 8 * texts.length).buffer as ArrayBuffer);
    expect([...addresses].map((each) => memory.readString(Number(each) as never))).toEqual(texts);
    expect(keep).toBeDefined();
    expect(memory.strings([], "paths").address).not.toBe(0 as never);
  });

  test("bytes are copied both ways, shared memory included, at a view's offset", () => {
    const lengths = fc.nat({ max: 300 });
    fc.assert(
      fc.property(lengths, lengths, fc.uint8Array({ maxLength: 300 }), (before, after, content) => {
        const foreign = memory.allocate(Math.max(1, content.length));
        memory.copyFrom(memory.addressOf(foreign), content);
        expect(foreign.subarray(0, content.length)).toEqual(content);
        const target = new Uint8Array(new SharedArrayBuffer(before + content.length + after)).fill(7);
        memory.copyInto(target.subarray(before, before + content.length), memory.addressOf(foreign));
        const naive = [...new Array<number>(before).fill(7), ...content, ...new Array<number>(after).fill(7)];
        expect([...target]).toEqual(naive);
        expect(memory.read(memory.addressOf(foreign), content.length)).toEqual(content);
      }),
    );
  });

  test("NULL is refused on both sides of a copy", () => {
    expect(() => memory.read(0 as never, 1)).toThrow(RangeError);
    expect(() => memory.copyInto(new Uint8Array(1), 0 as never)).toThrow("NULL");
    expect(() => memory.copyFrom(0 as never, new Uint8Array(1))).toThrow("NULL");
  });

  test("the callbacks out of the C library do what they are used for", () => {
    const strlen = backend.bindAddress(libc.strlenAddress, { returns: "bool", args: ["ptr"] });
    const flag = new Uint8Array(new SharedArrayBuffer(2));
    expect(strlen(backend.addressOf(flag))).toBe(false);
    flag[0] = 1;
    expect(strlen(backend.addressOf(flag))).toBe(true);
    const silent = backend.bindAddress(libc.absAddress, { returns: "i32", args: ["i32", "ptr", "ptr"] });
    expect(silent(-3, 0, 0)).toBe(3);
    expect(libc.memcmp(backend.addressOf(flag), backend.addressOf(flag), 2)).toBe(0);
    expect(libc.objectPath(libc.strlenAddress)).toContain("lib");
    expect(libc.objectPath(0 as never)).toBeUndefined();
  });

  const library = glibc(backend);

  test.skipIf(!library)("memory that C has freed goes back to the system", () => {
    const malloc = library!.bind("malloc", { returns: "ptr", args: ["usize"] })!;
    const memset = library!.bind("memset", { returns: "ptr", args: ["ptr", "i32", "usize"] })!;
    const free = library!.bind("free", { returns: "void", args: ["ptr"] })!;
    // Below what is mapped one by one; the last keeps those before it from being the end of the heap.
    const [byteLength, count] = [2 ** 16, 1024];
    const blocks = Array.from({ length: count }, () => malloc(byteLength) as number);
    for (const block of blocks) memset(block, 1, byteLength);
    const last = blocks.pop()!;
    for (const block of blocks) free(block);
    const before = process.memoryUsage.rss();
    libc.trim();
    expect(before - process.memoryUsage.rss()).toBeGreaterThan((byteLength * count) / 2);
    free(last);
  });
});
