import type { FileName } from "./block-folder.ts";
import { costOf, fileOf } from "./disk-rows.ts";
import { recount } from "./disk-schema.ts";
import type { Database, Statement } from "./sqlite.ts";

// GreedyDual as in `lib/eviction.ts`, its level and the worth of each block kept in the index. No clock is read.

/** What was dropped. */
export interface Dropped {
  /** Undefined where the row was damaged. */
  readonly file: FileName | undefined;
  readonly bytes: number;
}

/** Worth and order of use, inside a transaction. */
export class Standing {
  readonly #database: Database;
  #level: number;
  #uses: number;

  constructor(database: Database) {
    this.#database = database;
    const row = database.prepare("SELECT level, uses FROM standing").get();
    this.#level = finite(row?.level);
    this.#uses = finite(row?.uses);
  }

  get level(): number {
    return this.#level;
  }

  /** How often anything was used. */
  get uses(): number {
    return this.#uses;
  }

  /** What a block at `start` is worth that is used now. */
  use(start: number): { worth: number; used: number } {
    return { worth: this.#level + costOf(start), used: ++this.#uses };
  }

  raise(worth: unknown): void {
    this.#level = Math.max(this.#level, finite(worth));
  }

  save(): void {
    const values = [this.#level, this.#uses];
    const changed = this.#database.prepare("UPDATE standing SET level = ?, uses = ?").run(...values);
    if (changed === 0) this.#database.prepare("INSERT INTO standing VALUES (?, ?)").run(...values);
  }
}

function finite(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : 0;
}

/** Bytes of all files of all namespaces. */
export function totalBytes(database: Database): number {
  return readTotal(database.prepare(sumOfBytes));
}

const sumOfBytes = "SELECT coalesce(sum(bytes), 0) AS bytes FROM namespaces";
const leastWorth = `SELECT blocks.id, digest, first, length, nonce, blocks.bytes, worth
  FROM blocks LEFT JOIN namespaces ON namespaces.id = blocks.namespace
  WHERE leaf = 1 AND used <= ? ORDER BY worth, used LIMIT 1`;

function readTotal(statement: Statement): number {
  return Number(statement.get()?.bytes);
}

/** What {@link shrink} did. */
export interface Shrinkage {
  readonly dropped: readonly Dropped[];
  /** What is new is worth so much more than it was: as much as if room had been made first. */
  readonly raised: number;
}

/**
 * Drops what is worth least, of all namespaces, until no more than `budget` bytes are left; a block that others follow stays
 * until they are gone. Inside a transaction; the files are to be removed after it.
 *
 * @param before count of uses: what was used after it is new, and goes only where nothing else can.
 */
export function shrink(database: Database, budget: number, before = Number.MAX_SAFE_INTEGER): Shrinkage {
  const total = database.prepare(sumOfBytes);
  const dropped: Dropped[] = [];
  if (readTotal(total) <= budget) return { dropped, raised: 0 };
  const standing = new Standing(database);
  const { level } = standing;
  const least = database.prepare(leastWorth);
  const remove = database.prepare("DELETE FROM blocks WHERE id = ?");
  while (readTotal(total) > budget) {
    const row = least.get(before) ?? least.get(Number.MAX_SAFE_INTEGER);
    if (!row) {
      recount(database);
      break;
    }
    standing.raise(row.worth);
    remove.run(row.id as number);
    dropped.push({ file: fileOf(row), bytes: finite(row.bytes) });
  }
  standing.save();
  return { dropped, raised: standing.level - level };
}
