import type { RingReader, RingWriter } from "../../lib/ring-buffer.ts";
import { unitLength } from "../cache/block.ts";
import type { HostBlock, HostTier } from "../cache/host-tier.ts";
import {
  type DiskSnapshot,
  fromRecord,
  type StoreEvent,
  toRecord,
  type WireEntry,
} from "./store-protocol.ts";
import type { Sought } from "./tiers.ts";

/** Most blocks that wait to be written; more are not written. */
const mostWaiting = 256;
/** Most tokens that are looked for at once. */
const mostTokens = 100_000;
const mostDigests = 10_000;

/** What is being looked for on disk. */
export interface LookUp {
  /** Set once all there is to find is in host memory. */
  done: boolean;
}

/** Whether it pays to read blocks. @param tokens beyond those at hand. */
export type WorthReading = (tokens: number, bytes: number, msPerByte: number) => boolean;

interface Looking {
  readonly lookUp: LookUp;
  readonly sought: Sought;
  readonly have: number;
  readonly worth: WorthReading;
  loading: { entry: WireEntry; offset: number; byteLength: number }[];
}

/** The decoding side's end of the line to the thread of the disk store. Neither ever waits for the other. */
export class StorePort {
  readonly #host: HostTier;
  readonly #commands: RingWriter;
  readonly #events: RingReader;
  readonly #looking = new Map<number, Looking>();
  readonly #writing = new Set<number>();
  #ids = 0;
  #sentShape = false;
  #skipped = 0;
  #disk: DiskSnapshot | undefined;

  constructor(host: HostTier, { commands, events }: { commands: RingWriter; events: RingReader }) {
    this.#host = host;
    this.#commands = commands;
    this.#events = events;
    host.onStored = (block) => this.#put(block);
  }

  /** What the store was at its last report; undefined before the first. */
  get disk(): DiskSnapshot | undefined {
    return this.#disk && { ...this.#disk, skipped: this.#disk.skipped + this.#skipped };
  }

  /** Looks for what some tokens begin with beyond the first `have`. */
  look(sought: Sought, { have, worth }: { have: number; worth: WorthReading }): LookUp {
    const lookUp: LookUp = { done: false };
    const id = ++this.#ids;
    this.#looking.set(id, { lookUp, sought, have, worth, loading: [] });
    if ("firsts" in sought) this.#send({ kind: "seek", id, firsts: sought.firsts.slice(0, mostDigests) });
    else {
      const tokens = Array.from(sought.tokens.subarray(0, mostTokens));
      this.#send({ kind: "look", id, root: sought.root, tokens });
    }
    return lookUp;
  }

  /** Takes what was answered. */
  take(): void {
    for (let record = this.#events.next(); record; record = this.#events.next())
      this.#heard(fromRecord<StoreEvent>(record));
    if (this.#commands.backlog > 0) this.#publish();
  }

  /** Tells the thread to end once all is written. */
  close(): void {
    this.#send({ kind: "close" });
    // The reader makes room as it goes; it ends with this process at the latest.
    for (let tries = 0; this.#commands.backlog > 0 && tries < 1000; tries++) {
      Atomics.wait(pause, 0, 0, 10);
      this.#publish();
    }
  }

  #put({ offset, byteLength, ...entry }: HostBlock): void {
    if (this.#writing.size >= mostWaiting) {
      this.#skipped++;
      return;
    }
    if (!this.#sentShape) this.#send({ kind: "shape", words: wordsOf(this.#host.shape!) });
    this.#sentShape = true;
    this.#host.memory.lock(offset, byteLength);
    this.#writing.add(offset);
    this.#send({ kind: "put", offset, byteLength, entry: wireEntry(entry) });
  }

  #send(message: Parameters<typeof toRecord>[0]): void {
    this.#commands.write(toRecord(message));
    this.#publish();
  }

  #publish(): void {
    if (this.#commands.publish()) this.#commands.notify();
  }

  #heard(event: StoreEvent): void {
    switch (event.kind) {
      case "stored":
        this.#writing.delete(event.offset);
        this.#host.memory.unlock(event.offset);
        break;
      case "found":
        this.#found(event);
        break;
      case "loaded":
        this.#loaded(event.id, event.count);
        break;
      case "state":
        this.#disk = event.disk;
        break;
    }
  }

  #found({ id, shape, blocks, msPerByte }: Extract<StoreEvent, { kind: "found" }>): void {
    const looking = this.#looking.get(id)!;
    const host = this.#host;
    const missing = blocks.filter(
      ({ first, tokens }) => (host.find(first)?.tokens.length ?? 0) < tokens.length,
    );
    const gain = lengthOf(blocks, looking.sought) - looking.have;
    const bytes = missing.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const fits =
      missing.length > 0 && host.takesShape(bytesOf(shape)) && looking.worth(gain, bytes, msPerByte);
    const present = blocks.flatMap(({ first }) => host.find(first) ?? []);
    host.holding(present, () => {
      for (const entry of fits ? missing : []) {
        const offset = host.reserve(entry.byteLength);
        if (offset === undefined) break;
        looking.loading.push({ entry, offset, byteLength: entry.byteLength });
      }
    });
    if (looking.loading.length === 0) {
      this.#end(id, looking);
      return;
    }
    const wanted = looking.loading.map(({ entry: { first, key }, offset, byteLength }) => ({
      first,
      key,
      offset,
      byteLength,
    }));
    this.#send({ kind: "load", id, blocks: wanted });
  }

  #loaded(id: number, count: number): void {
    const looking = this.#looking.get(id)!;
    for (const [index, { entry, offset, byteLength }] of looking.loading.entries()) {
      if (index < count)
        this.#host.adopt({ ...entry, tokens: Int32Array.from(entry.tokens) }, { offset, byteLength });
      else this.#host.memory.free(offset, byteLength);
    }
    this.#end(id, looking);
  }

  #end(id: number, looking: Looking): void {
    this.#looking.delete(id);
    looking.lookUp.done = true;
  }
}

/** How many tokens the blocks that were found are of. */
function lengthOf(blocks: readonly WireEntry[], sought: Sought): number {
  const last = blocks.at(-1);
  if (!last) return 0;
  if ("firsts" in sought) return unitLength * (sought.firsts.length - sought.firsts.indexOf(last.first));
  return last.start + last.tokens.length;
}

const pause = new Int32Array(new SharedArrayBuffer(4));

function wireEntry({
  first,
  parent,
  key,
  start,
  tokens,
}: Omit<HostBlock, "offset" | "byteLength">): WireEntry {
  return { first, parent, key, start, tokens: Array.from(tokens) };
}

export function wordsOf(bytes: Uint8Array): number[] {
  return Array.from(new Int32Array(bytes.slice().buffer));
}
export function bytesOf(words: readonly number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(words).buffer);
}
