import { CriaError, DisposedError } from "../../lib/errors.ts";
import type { Block, BlockStore } from "./block.ts";
import { BlockChange, fileNameOf, readBlock } from "./block-change.ts";
import { fileLengthOf } from "./block-file.ts";
import { BlockFolder } from "./block-folder.ts";
import { type Chain, longestChain } from "./block-tree.ts";
import { DiskConnection } from "./disk-connection.ts";
import { type Dropped, shrink } from "./disk-eviction.ts";
import { describeFailure, failureKind, Setbacks } from "./disk-failure.ts";
import type { DiskIndex, Usage } from "./disk-index.ts";
import type { DiskEntry } from "./disk-rows.ts";
import { recount } from "./disk-schema.ts";
import { sweep } from "./rebuild-index.ts";
import { loadSqlite, type OpenDatabase } from "./sqlite.ts";

export interface DiskStoreOptions {
  /** Most bytes of all files in the folder, whoever they are of. */
  readonly budgetBytes: number;
  /** 64 hexadecimal digits that stand for all that blocks must agree in: model, settings, release. */
  readonly namespace: string;
  /** What people know the namespace by, such as the name of the model's file. */
  readonly label?: string;
  /** Told why blocks are not kept, once for each kind of failure until it is over. */
  readonly warn: (message: string) => void;
}

/** Totals since the store was opened. */
export interface DiskCounters {
  /** Blocks that were asked for and read, and that were not there. */
  hits: number;
  misses: number;
  tokensRead: number;
  bytesRead: number;
  /** Blocks that were taken, whether or not they were kept already. */
  puts: number;
  bytesWritten: number;
  /** Dropped for want of room, whosever they were. */
  droppedBlocks: number;
  droppedBytes: number;
  /** Found to be damaged or missing. */
  damaged: number;
  /** Blocks that were not taken: too large, behind none that is there, or the disk failed. */
  skipped: number;
}

/**
 * Blocks in the files of a folder, which several processes may use at once. It works on the calling thread. Whatever happens
 * to the folder, blocks are found as they were put or not at all, and nothing is thrown; a folder that cannot be used is an
 * empty store that takes nothing.
 */
export class DiskStore implements BlockStore {
  readonly folder: string;
  readonly counters: DiskCounters = {
    hits: 0,
    misses: 0,
    tokensRead: 0,
    bytesRead: 0,
    puts: 0,
    bytesWritten: 0,
    droppedBlocks: 0,
    droppedBytes: 0,
    damaged: 0,
    skipped: 0,
  };
  readonly #options: DiskStoreOptions;
  readonly #files: BlockFolder;
  readonly #setbacks: Setbacks;
  readonly #connection: DiskConnection;
  #closed = false;

  private constructor(folder: string, options: DiskStoreOptions, openDatabase: OpenDatabase) {
    this.folder = folder;
    this.#options = options;
    this.#files = new BlockFolder(folder);
    this.#setbacks = new Setbacks(folder, options.warn);
    this.#connection = new DiskConnection(folder, {
      namespace: options.namespace,
      openDatabase,
      opened: (index) => this.#tidy(index),
      failed: (kind, error) => this.#setbacks.failed(kind, error),
    });
  }

  /** @throws CriaError where the runtime has no SQLite, see `sqliteMissing`. */
  static async open(folder: string, options: DiskStoreOptions): Promise<DiskStore> {
    const { namespace, budgetBytes } = options;
    if (!/^[0-9a-f]{64}$/.test(namespace))
      throw new TypeError(`namespace must be 64 hexadecimal digits, got "${namespace}"`);
    if (!(budgetBytes >= 0)) throw new RangeError(`budgetBytes must be 0 or more, got ${budgetBytes}`);
    const store = new DiskStore(folder, options, await loadSqlite());
    await store.#connection.connectPatiently();
    return store;
  }

  has(first: string): boolean {
    return this.find(first) !== undefined;
  }

  /** What is known of a block without reading it. */
  find(first: string): DiskEntry | undefined {
    return this.#read((index) => index.find(first));
  }

  /** The blocks that `tokens` begins with, marked as used. */
  chain(parent: string, tokens: Int32Array): Chain<DiskEntry> {
    const chain = this.#read((index) => {
      const chain = longestChain(index, parent, tokens);
      for (const entry of chain.entries) index.use(entry);
      return chain;
    });
    return chain ?? { entries: [], length: 0 };
  }

  get(first: string): Block | undefined {
    const block = this.#read((index) => this.#load(index, first));
    if (!block) {
      this.counters.misses++;
      return undefined;
    }
    this.counters.hits++;
    this.counters.tokensRead += block.tokens.length;
    this.counters.bytesRead += block.data.length;
    return block;
  }

  put(block: Block): void {
    this.#checkOpen();
    if (fileLengthOf(block) > this.#options.budgetBytes || !this.#setbacks.due() || !this.#tryPut(block))
      this.counters.skipped++;
    else this.counters.puts++;
  }

  /** How much there is of this namespace, and of all together. */
  usage(): { own: Usage; all: Usage } {
    const none: Usage = { blocks: 0, tokens: 0, bytes: 0 };
    return this.#read((index) => index.usage()) ?? { own: none, all: none };
  }

  /** Removes all blocks of this namespace. @throws CriaError where that cannot be done. */
  clear(): void {
    this.#checkOpen();
    const index = this.#connection.writable();
    if (!index)
      throw new CriaError(
        "REQUEST",
        `the KV cache in ${this.folder} cannot be written; see the warning before`,
      );
    try {
      const files = index.database.transaction(() => index.clear());
      for (const file of files) this.#files.remove(file);
    } catch (error) {
      const kind = failureKind(error);
      if (!kind) throw error;
      throw new CriaError("REQUEST", describeFailure(this.folder, kind, error), { cause: error });
    }
  }

  close(): void {
    this.#closed = true;
    this.#connection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new DisposedError("the disk store");
  }

  #read<T>(work: (index: DiskIndex) => T): T | undefined {
    this.#checkOpen();
    return this.#connection.read(work);
  }

  #load(index: DiskIndex, first: string): Block | undefined {
    let entry = index.find(first);
    while (entry) {
      const outcome = this.#readFile(index, entry);
      if (typeof outcome !== "string") {
        index.use(entry);
        return outcome;
      }
      if (outcome === "unreadable") return undefined;
      const now = index.find(first);
      if (now?.nonce === entry.nonce) {
        this.#forget(index, entry);
        return undefined;
      }
      // Another process has put another file in its place.
      entry = now;
    }
    return undefined;
  }

  /** Reads a block: `wrong` where it is damaged or missing, `unreadable` where it may well be sound. */
  #readFile(index: DiskIndex, entry: DiskEntry): Block | "wrong" | "unreadable" {
    try {
      return readBlock(this.#files, index.namespace, entry).block ?? "wrong";
    } catch (error) {
      const kind = failureKind(error);
      if (!kind) throw error;
      return kind === "gone" ? "wrong" : "unreadable";
    }
  }

  #forget(index: DiskIndex, entry: DiskEntry): void {
    this.counters.damaged++;
    try {
      index.remove(entry);
      this.#files.remove(fileNameOf(index.namespace, entry));
    } catch (error) {
      // It will be found damaged again.
      if (!failureKind(error)) throw error;
    }
  }

  #tryPut(block: Block): boolean {
    for (let attempt = 1; ; attempt++) {
      const index = this.#connection.writable();
      if (!index) return false;
      const change = new BlockChange(index, this.#files);
      try {
        change.prepare(block);
        index.database.transaction(() => {
          index.register(this.#options.label);
          index.writeUses();
          change.store(block, this.#options.budgetBytes);
        });
      } catch (error) {
        change.undo();
        const kind = failureKind(error);
        if (!kind) throw error;
        const again = attempt === 1 && (kind === "damaged" || kind === "gone");
        if (again && kind === "damaged") this.#connection.repair();
        if (again) continue;
        this.#setbacks.failed(kind, error);
        return false;
      }
      this.#count(change);
      change.finish();
      this.#setbacks.succeeded();
      return !change.refused;
    }
  }

  #count({ bytesWritten, damaged, dropped }: BlockChange): void {
    this.counters.bytesWritten += bytesWritten;
    this.counters.damaged += damaged;
    this.#countDropped(dropped);
  }

  #countDropped(dropped: readonly Dropped[]): void {
    this.counters.droppedBlocks += dropped.length;
    this.counters.droppedBytes += dropped.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** What is due when the folder is opened: another process may have died, or had a larger budget. */
  #tidy(index: DiskIndex): void {
    const { database } = index;
    const dropped = database.transaction(() => {
      index.register(this.#options.label);
      recount(database);
      return shrink(database, this.#options.budgetBytes).dropped;
    });
    for (const { file } of dropped) if (file) this.#files.remove(file);
    this.#countDropped(dropped);
    sweep(database, this.folder, this.#files);
  }
}
