import { existsSync } from "node:fs";
import { join } from "node:path";
import { CriaError } from "../../lib/errors.ts";
import { readBlock } from "./block-change.ts";
import { BlockFolder } from "./block-folder.ts";
import { shrink, totalBytes } from "./disk-eviction.ts";
import { describeFailure, failureKind } from "./disk-failure.ts";
import { type Usage, usageOf } from "./disk-index.ts";
import { digestText, entryColumns, entryOf, fileOf, isDigest } from "./disk-rows.ts";
import { recount } from "./disk-schema.ts";
import { type OpenIndex, openIndex } from "./index-database.ts";
import { orphans, removeUnreachable } from "./rebuild-index.ts";
import { loadSqlite, type OpenDatabase, type SqlRow } from "./sqlite.ts";

/** What is kept for one model and its settings. */
export interface NamespaceUsage extends Usage {
  /** 64 hexadecimal digits. */
  readonly namespace: string;
  readonly label: string | undefined;
}

export interface DamagedBlock {
  readonly path: string;
  readonly reason: string;
}

export interface Verification {
  /** Blocks that were read, and bytes of their files. */
  readonly blocks: number;
  readonly bytes: number;
  readonly damaged: readonly DamagedBlock[];
  /** Files that belong to no block: of processes that died, or are writing. */
  readonly orphans: number;
}

export interface VerifyOptions {
  /** What to do with what is damaged. */
  readonly damaged: "report" | "remove";
  /** Told now and then how far it is, in blocks. */
  readonly progress?: (done: number, total: number) => void;
}

export interface Pruned {
  readonly blocks: number;
  readonly bytes: number;
  readonly orphans: number;
}

/** Looks after a folder of a `DiskStore`, which may be in use, whatever models it is for. */
export class CacheMaintenance {
  readonly folder: string;
  readonly #openDatabase: OpenDatabase;
  readonly #files: BlockFolder;
  #open: OpenIndex;

  private constructor(folder: string, openDatabase: OpenDatabase) {
    this.folder = folder;
    this.#openDatabase = openDatabase;
    this.#files = new BlockFolder(folder);
    this.#open = openIndex(folder, openDatabase);
  }

  /**
   * @returns undefined where nothing was ever kept in the folder.
   * @throws CriaError where it cannot be opened, or the runtime has no SQLite.
   */
  static async open(folder: string): Promise<CacheMaintenance | undefined> {
    if (!["index.sqlite", "blocks"].some((name) => existsSync(join(folder, name)))) return undefined;
    const openDatabase = await loadSqlite();
    return explaining(folder, () => new CacheMaintenance(folder, openDatabase));
  }

  /** What there is, the largest first. */
  list(): NamespaceUsage[] {
    const sql =
      "SELECT digest, label, blocks, tokens, bytes FROM namespaces WHERE blocks > 0 ORDER BY bytes DESC";
    const rows = explaining(this.folder, () => this.#open.database.prepare(sql).all());
    return rows.map((row) => ({
      namespace: isDigest(row.digest) ? digestText(row.digest) : "",
      label: typeof row.label === "string" ? row.label : undefined,
      ...usageOf(row),
    }));
  }

  /** Reads every block. @throws CriaError where what is damaged cannot be removed. */
  verify({ damaged: action, progress }: VerifyOptions): Verification {
    const damaged: DamagedBlock[] = [];
    return explaining(this.folder, () => {
      if (!this.#isSound()) {
        damaged.push({ path: join(this.folder, "index.sqlite"), reason: "the index is damaged" });
        if (action === "report") return { blocks: 0, bytes: 0, damaged, orphans: 0 };
        this.#open.discard();
        this.#open = openIndex(this.folder, this.#openDatabase);
      }
      const total = Number(this.#open.database.prepare("SELECT count(*) AS count FROM blocks").get()?.count);
      let [blocks, bytes] = [0, 0];
      for (const row of this.#rows()) {
        const reason = this.#wrongWith(row);
        if (reason !== undefined) {
          damaged.push({ path: this.#pathOf(row), reason });
          if (action === "remove") this.#remove(row);
        }
        blocks++;
        bytes += Number(row.bytes);
        progress?.(blocks, total);
      }
      return { blocks, bytes, damaged, orphans: [...this.#orphans()].length };
    });
  }

  /**
   * Removes files that belong to no block and blocks that nobody finds; then what is worth least until no more than
   * `mostBytes` are left. @throws CriaError where the folder cannot be written.
   */
  prune({ mostBytes = Number.POSITIVE_INFINITY }: { readonly mostBytes?: number } = {}): Pruned {
    const { database, obstacle } = this.#open;
    return explaining(this.folder, () => {
      if (obstacle !== undefined) throw obstacle;
      const leftOver = [...this.#orphans()].length;
      const removed = database.transaction(() => {
        recount(database);
        const before = this.#usage();
        removeUnreachable(database);
        // What would be left over of a damaged tree goes too.
        if (mostBytes === 0) database.exec("DELETE FROM blocks");
        else shrink(database, mostBytes);
        const after = this.#usage();
        return { blocks: before.blocks - after.blocks, bytes: before.bytes - after.bytes };
      });
      // Files of the rows that have gone are among them.
      for (const found of this.#orphans()) this.#files.removeFound(found);
      this.#files.tidy();
      this.#compact();
      return { ...removed, orphans: leftOver };
    });
  }

  /** Bytes of all files that the index knows. */
  get bytes(): number {
    return totalBytes(this.#open.database);
  }

  close(): void {
    this.#open.database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #usage(): Usage {
    const sql = "SELECT sum(blocks) AS blocks, sum(tokens) AS tokens, sum(bytes) AS bytes FROM namespaces";
    return usageOf(this.#open.database.prepare(sql).get());
  }

  #orphans() {
    return orphans(this.#open.database, this.#files);
  }

  #isSound(): boolean {
    try {
      return Object.values(this.#open.database.prepare("PRAGMA quick_check(1)").get() ?? {})[0] === "ok";
    } catch (error) {
      if (failureKind(error) !== "damaged") throw error;
      return false;
    }
  }

  /** All rows, some at a time, so that others can write. */
  *#rows(): Generator<SqlRow> {
    const page = this.#open.database.prepare(`SELECT id, length, ${entryColumns},
      (SELECT digest FROM namespaces WHERE namespaces.id = blocks.namespace) AS digest
      FROM blocks WHERE id > ? ORDER BY id LIMIT 50`);
    let last = Number.MIN_SAFE_INTEGER;
    for (;;) {
      const rows = page.all(last);
      if (rows.length === 0) return;
      yield* rows;
      last = rows.at(-1)!.id as number;
    }
  }

  /** @returns undefined where nothing is. */
  #wrongWith(row: SqlRow): string | undefined {
    const namespace = isDigest(row.digest) ? digestText(row.digest) : undefined;
    const entry = namespace === undefined ? undefined : entryOf(namespace, row);
    if (namespace === undefined || !entry || entry.tokens.length !== row.length)
      return "its row in the index has been changed";
    try {
      const decoded = readBlock(this.#files, namespace, entry);
      return decoded.block ? undefined : decoded.reason;
    } catch (error) {
      if (!failureKind(error)) throw error;
      // Whoever uses the folder may have replaced it meanwhile.
      return this.#isThere(row) ? (error as Error).message : undefined;
    }
  }

  #isThere({ id, nonce }: SqlRow): boolean {
    const sql = "SELECT 1 FROM blocks WHERE id = ? AND nonce = ?";
    return this.#open.database.prepare(sql).get(id as number, nonce as number) !== undefined;
  }

  #remove(row: SqlRow): void {
    const sql = "DELETE FROM blocks WHERE id = ? AND nonce IS ?";
    this.#open.database.prepare(sql).run(row.id as number, row.nonce as number);
    const file = fileOf(row);
    if (file) this.#files.remove(file);
  }

  #pathOf(row: SqlRow): string {
    const file = fileOf(row);
    return file ? this.#files.pathOf(file) : join(this.folder, "index.sqlite");
  }

  /** Gives back the room of rows that are gone, unless others are busy with the index. */
  #compact(): void {
    try {
      this.#open.database.exec("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
    } catch (error) {
      if (!failureKind(error)) throw error;
    }
  }
}

function explaining<T>(folder: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const kind = failureKind(error);
    if (!kind) throw error;
    throw new CriaError("REQUEST", describeFailure(folder, kind, error), { cause: error });
  }
}
