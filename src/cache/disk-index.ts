import type { BlockEntry } from "./block.ts";
import type { FileName } from "./block-folder.ts";
import { Standing } from "./disk-eviction.ts";
import { type DiskEntry, digestBytes, entryColumns, entryOf, fileOf, valuesOf } from "./disk-rows.ts";
import type { Database, SqlRow, Statement } from "./sqlite.ts";

/** How much there is. */
export interface Usage {
  readonly blocks: number;
  readonly tokens: number;
  /** Of files. */
  readonly bytes: number;
}

/** Uses that are written down at once: each time is a write, and readers need not wait for those. */
const mostUses = 64;

/** What of one namespace is on disk. What a damaged row says is not believed. */
export class DiskIndex {
  readonly namespace: string;
  readonly database: Database;
  #knownId = 0;
  readonly #prepared = new Map<string, Statement>();
  /** Digests of what was used and is not written down, with the position of each. */
  readonly #uses = new Map<string, number>();

  constructor(database: Database, namespace: string) {
    this.database = database;
    this.namespace = namespace;
  }

  /** Makes the namespace known, inside a transaction. @param label what people know it by. */
  register(label?: string): void {
    const digest = digestBytes(this.namespace);
    this.#statement("INSERT OR IGNORE INTO namespaces (digest) VALUES (?)").run(digest);
    if (label !== undefined) {
      const sql = "UPDATE namespaces SET label = ? WHERE digest = ? AND label IS NOT ?";
      this.#statement(sql).run(label, digest, label);
    }
    // Where the transaction before was undone, the number may be another's by now.
    this.#knownId = 0;
  }

  find(first: string): DiskEntry | undefined {
    const sql = `SELECT ${entryColumns} FROM blocks WHERE namespace = ? AND first = ?`;
    const row = this.#statement(sql).get(this.#id, digestBytes(first));
    const entry = row && entryOf(this.namespace, row);
    return entry?.first === first ? entry : undefined;
  }

  hasFollowers(key: string): boolean {
    const sql = "SELECT 1 FROM blocks WHERE namespace = ? AND parent = ? LIMIT 1";
    return this.#statement(sql).get(this.#id, digestBytes(key)) !== undefined;
  }

  /** Whether a block ends there. */
  hasEnd(key: string): boolean {
    const sql = "SELECT 1 FROM blocks WHERE namespace = ? AND key = ? LIMIT 1";
    return this.#statement(sql).get(this.#id, digestBytes(key)) !== undefined;
  }

  /** Adds a block in place of whatever begins as it does, inside a transaction. */
  insert(entry: DiskEntry): void {
    const values = valuesOf(this.namespace, entry);
    const [first, , key] = values;
    this.#statement("DELETE FROM blocks WHERE namespace = ? AND first = ?").run(this.#id, first);
    const standing = new Standing(this.database);
    const { worth, used } = standing.use(entry.start);
    const sql = `INSERT INTO blocks (${entryColumns}, namespace, length, leaf, worth, used)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NOT EXISTS (SELECT 1 FROM blocks WHERE namespace = ? AND parent = ?), ?, ?)`;
    this.#statement(sql).run(...values, this.#id, entry.tokens.length, this.#id, key, worth, used);
    standing.save();
  }

  /** Forgets a block, if it is this very one still. @returns whether it was. */
  remove({ first, nonce }: Pick<DiskEntry, "first" | "nonce">): boolean {
    const sql = "DELETE FROM blocks WHERE namespace = ? AND first = ? AND nonce = ?";
    return this.#statement(sql).run(this.#id, digestBytes(first), nonce) > 0;
  }

  /** Makes a block worth more, inside a transaction. */
  raise(first: string, by: number): void {
    const sql = "UPDATE blocks SET worth = worth + ? WHERE namespace = ? AND first = ?";
    this.#statement(sql).run(by, this.#id, digestBytes(first));
  }

  /** Notes that a block was used; it is written down later. */
  use({ first, start }: Pick<BlockEntry, "first" | "start">): void {
    this.#uses.delete(first);
    this.#uses.set(first, start);
    if (this.#uses.size >= mostUses) this.#tryWriteUses();
  }

  /** Writes down what was used, inside a transaction. */
  writeUses(): void {
    if (this.#uses.size === 0) return;
    const standing = new Standing(this.database);
    const sql = "UPDATE blocks SET worth = ?, used = ? WHERE namespace = ? AND first = ?";
    const statement = this.#statement(sql);
    for (const [first, start] of this.#uses) {
      const { worth, used } = standing.use(start);
      statement.run(worth, used, this.#id, digestBytes(first));
    }
    standing.save();
    this.#uses.clear();
  }

  /** Of this namespace, and of all together. */
  usage(): { own: Usage; all: Usage } {
    const sums = "SELECT sum(blocks) AS blocks, sum(tokens) AS tokens, sum(bytes) AS bytes FROM namespaces";
    return {
      own: usageOf(this.#statement(`${sums} WHERE id = ?`).get(this.#id)),
      all: usageOf(this.#statement(sums).get()),
    };
  }

  /** Forgets all blocks of the namespace, inside a transaction. @returns their files. */
  clear(): FileName[] {
    const digest = digestBytes(this.namespace);
    const sql = "SELECT first, length, nonce FROM blocks WHERE namespace = ?";
    const rows = this.#statement(sql).all(this.#id);
    this.#statement("DELETE FROM blocks WHERE namespace = ?").run(this.#id);
    this.#uses.clear();
    return rows.flatMap((row) => fileOf({ ...row, digest }) ?? []);
  }

  close(): void {
    if (this.#uses.size > 0) this.#tryWriteUses();
    this.database.close();
  }

  #tryWriteUses(): void {
    try {
      this.database.transaction(() => this.writeUses());
    } catch {
      // Others are busy writing, or nobody can: the order of dropping gets a little worse.
    }
    this.#uses.clear();
  }

  /** Of the namespace in the database; 0 where it has none. */
  get #id(): number {
    if (this.#knownId === 0) {
      const row = this.#statement("SELECT id FROM namespaces WHERE digest = ?").get(
        digestBytes(this.namespace),
      );
      this.#knownId = Number(row?.id ?? 0);
    }
    return this.#knownId;
  }

  #statement(sql: string): Statement {
    const known = this.#prepared.get(sql);
    if (known) return known;
    const statement = this.database.prepare(sql);
    this.#prepared.set(sql, statement);
    return statement;
  }
}

export function usageOf(row: SqlRow | undefined): Usage {
  return { blocks: Number(row?.blocks), tokens: Number(row?.tokens), bytes: Number(row?.bytes) };
}
