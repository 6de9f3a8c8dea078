import { mkdirSync } from "node:fs";
import { basename } from "node:path";
import type { RingReader, RingWriter } from "../../lib/ring-buffer.ts";
import type { Block } from "../cache/block.ts";
import type { DiskEntry } from "../cache/disk-rows.ts";
import { DiskStore } from "../cache/disk-store.ts";
import { FileDigests } from "../cache/file-digests.ts";
import { hostView } from "../cache/host-memory.ts";
import { type NamespaceParts, namespaceOf } from "../cache/namespace.ts";
import { splitPaths } from "../gguf-file.ts";
import { bell } from "./protocol.ts";
import { bytesOf, wordsOf } from "./store-port.ts";
import { fromRecord, type StoreCommand, type StoreEvent, toRecord } from "./store-protocol.ts";
import { Pace } from "./tier-counters.ts";

export interface StoreWorkerData {
  readonly folder: string;
  readonly bytes: number;
  readonly path: string;
  /** Parts of a split model, where their names do not follow the pattern. */
  readonly splits: readonly string[] | undefined;
  readonly namespace: Omit<NamespaceParts, "files">;
  readonly memories: readonly WebAssembly.Memory[];
  readonly commands: SharedArrayBuffer;
  readonly events: SharedArrayBuffer;
  /** Of the decoding side, whose bell is rung. */
  readonly control: SharedArrayBuffer;
}

export interface StoreLoopParts {
  readonly commands: RingReader;
  readonly events: RingWriter;
  readonly warn: (message: string) => void;
}

/** Takes commands of the decoding side until it is told to close. */
export class StoreLoop {
  readonly #data: StoreWorkerData;
  readonly #parts: StoreLoopParts;
  #control: Int32Array;
  #store: DiskStore | undefined;
  #shape: Uint8Array = new Uint8Array(0);
  /** Of reading, for each byte. */
  readonly #reading = new Pace();
  #closing = false;

  constructor(data: StoreWorkerData, parts: StoreLoopParts) {
    this.#data = data;
    this.#parts = parts;
    this.#control = new Int32Array(data.control);
  }

  async run(): Promise<void> {
    await this.#open();
    this.#report();
    this.#publish();
    const { commands } = this.#parts;
    while (!this.#closing) {
      let worked = false;
      for (let record = commands.next(); record; record = commands.next()) {
        this.#obey(fromRecord<StoreCommand>(record));
        worked = true;
        this.#publish();
      }
      if (worked) this.#report();
      this.#publish();
      if (!this.#closing) await this.#wait();
    }
    this.#store?.close();
  }

  /** Without a store all commands are answered as if it were empty. */
  async #open(): Promise<void> {
    const { folder, bytes: budgetBytes, path, splits } = this.#data;
    const { warn } = this.#parts;
    try {
      mkdirSync(folder, { recursive: true });
    } catch {
      // Opening it tells what is wrong.
    }
    try {
      const parts = { ...this.#data.namespace, files: splits ?? splitPaths(path) };
      const namespace = namespaceOf(parts, new FileDigests(folder));
      this.#store = await DiskStore.open(folder, { budgetBytes, namespace, label: basename(path), warn });
    } catch (error) {
      warn(`the cache folder ${folder} is not used: ${(error as Error).message}`);
    }
  }

  #obey(command: StoreCommand): void {
    switch (command.kind) {
      case "shape":
        this.#shape = bytesOf(command.words);
        break;
      case "put":
        this.#put(command);
        break;
      case "look":
        this.#look(command);
        break;
      case "seek":
        this.#seek(command);
        break;
      case "load":
        this.#load(command);
        break;
      case "close":
        this.#closing = true;
        break;
    }
  }

  #put({ offset, byteLength, entry }: Extract<StoreCommand, { kind: "put" }>): void {
    try {
      // A copy: what is written is what its checksum was made of.
      const data = hostView(this.#data.memories, offset, byteLength).slice();
      this.#store?.put({ ...entry, tokens: Int32Array.from(entry.tokens), data, shape: this.#shape });
    } finally {
      this.#send({ kind: "stored", offset });
    }
  }

  #look({ id, root, tokens }: Extract<StoreCommand, { kind: "look" }>): void {
    const { entries } = this.#store?.chain(root, Int32Array.from(tokens)) ?? { entries: [] };
    this.#found(id, entries);
  }

  #seek({ id, firsts }: Extract<StoreCommand, { kind: "seek" }>): void {
    let found: DiskEntry | undefined;
    for (const first of firsts) {
      found = this.#store?.find(first);
      if (found) break;
    }
    this.#found(id, found ? [found] : []);
  }

  #found(id: number, entries: readonly DiskEntry[]): void {
    const blocks = entries.map(({ first, parent, key, start, tokens, byteLength }) => ({
      first,
      parent,
      key,
      start,
      tokens: Array.from(tokens),
      byteLength,
    }));
    const shape = this.#shapeOf(entries);
    this.#send({
      kind: "found",
      id,
      shape: shape ? wordsOf(shape) : [],
      blocks: shape ? blocks : [],
      msPerByte: this.#reading.msEach,
    });
  }

  /** Of all blocks, as they are of one model and context: that of the first that is sound. */
  #shapeOf(entries: readonly DiskEntry[]): Uint8Array | undefined {
    for (const { first } of entries) {
      if (this.#shape.length > 0) break;
      this.#shape = this.#store?.get(first)?.shape.slice() ?? this.#shape;
    }
    return this.#shape.length > 0 ? this.#shape : undefined;
  }

  #load({ id, blocks }: Extract<StoreCommand, { kind: "load" }>): void {
    let count = 0;
    let broken = false;
    for (const { first, key, offset, byteLength } of blocks) {
      const started = performance.now();
      const block = this.#store?.get(first);
      // Another process may have cut it or made it longer meanwhile.
      broken ||= block?.key !== key || block.data.length !== byteLength || !this.#fits(block);
      // Where one is damaged others may be too: those are found now, so that they are written anew with it.
      if (broken || !block) continue;
      hostView(this.#data.memories, offset, block.data.length).set(block.data);
      this.#reading.took(performance.now() - started, block.data.length);
      count++;
    }
    this.#send({ kind: "loaded", id, count });
  }

  #fits({ shape }: Block): boolean {
    return Buffer.compare(shape, this.#shape) === 0;
  }

  #report(): void {
    if (!this.#store) return;
    const { counters } = this.#store;
    const { own, all } = this.#store.usage();
    const disk = {
      blocks: own.blocks,
      tokens: own.tokens,
      bytes: all.bytes,
      hits: counters.hits,
      misses: counters.misses,
      readTokens: counters.tokensRead,
      readBytes: counters.bytesRead,
      writtenBytes: counters.bytesWritten,
      dropped: counters.droppedBlocks,
      damaged: counters.damaged,
      skipped: counters.skipped,
    };
    this.#send({ kind: "state", disk });
  }

  #send(event: StoreEvent): void {
    this.#parts.events.write(toRecord(event));
  }

  #publish(): void {
    if (!this.#parts.events.publish()) return;
    Atomics.add(this.#control, bell, 1);
    Atomics.notify(this.#control, bell);
  }

  async #wait(): Promise<void> {
    const { commands, events } = this.#parts;
    if (commands.hasNext) return;
    const { words, index } = commands.signal;
    // Events that found no room go out when the reader has made some.
    const timeout = events.backlog > 0 ? 10 : undefined;
    const waiting = Atomics.waitAsync(words, index, commands.position, timeout);
    if (waiting.async) await waiting.value;
  }
}
