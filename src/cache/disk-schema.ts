import type { Database } from "./sqlite.ts";

/** Version of the tables and of what is in them. */
export const indexVersion = 1;

/**
 * The index. Its triggers keep each namespace's totals, and for each block whether it is a leaf: one that no other block
 * has as its parent.
 */
const statements: readonly string[] = [
  // How GreedyDual stands, see `lib/eviction.ts`; uses are counted, as a clock may jump.
  "CREATE TABLE standing (level REAL NOT NULL, uses INTEGER NOT NULL)",
  `CREATE TABLE namespaces (
  id INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  label TEXT,
  blocks INTEGER NOT NULL DEFAULT 0,
  tokens INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0
)`,
  `CREATE TABLE blocks (
  id INTEGER PRIMARY KEY,
  namespace INTEGER NOT NULL,
  first BLOB NOT NULL,
  parent BLOB NOT NULL,
  key BLOB NOT NULL,
  start INTEGER NOT NULL,
  length INTEGER NOT NULL,
  tokens BLOB NOT NULL,
  data INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  nonce INTEGER NOT NULL,
  sum INTEGER NOT NULL,
  leaf INTEGER NOT NULL,
  worth REAL NOT NULL,
  used INTEGER NOT NULL
)`,
  "CREATE UNIQUE INDEX by_first ON blocks (namespace, first)",
  "CREATE INDEX by_key ON blocks (namespace, key)",
  "CREATE INDEX by_parent ON blocks (namespace, parent)",
  "CREATE INDEX by_worth ON blocks (worth, used) WHERE leaf = 1",
  // Totals are counted from it.
  "CREATE INDEX by_size ON blocks (namespace, length, bytes)",
  `CREATE TRIGGER added AFTER INSERT ON blocks BEGIN
  UPDATE namespaces SET blocks = blocks + 1, tokens = tokens + NEW.length, bytes = bytes + NEW.bytes
    WHERE id = NEW.namespace;
  UPDATE blocks SET leaf = 0 WHERE namespace = NEW.namespace AND key = NEW.parent;
END`,
  `CREATE TRIGGER removed AFTER DELETE ON blocks BEGIN
  UPDATE namespaces SET blocks = blocks - 1, tokens = tokens - OLD.length, bytes = bytes - OLD.bytes
    WHERE id = OLD.namespace;
  UPDATE blocks SET leaf = 1 WHERE namespace = OLD.namespace AND key = OLD.parent
    AND NOT EXISTS (SELECT 1 FROM blocks WHERE namespace = OLD.namespace AND parent = OLD.parent);
END`,
];

/** Whether a database has no tables yet. */
export function isEmpty(database: Database): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema").get() === undefined;
}

/** Makes the tables. */
export function createTables(database: Database): void {
  for (const statement of statements) database.exec(statement);
  database.exec(`INSERT INTO standing VALUES (0, 0); PRAGMA user_version = ${indexVersion}`);
}

/** Whether the tables are exactly ours: those of another version are not, nor are damaged ones. */
export function isOurs(database: Database): boolean {
  if (database.prepare("PRAGMA user_version").get()?.user_version !== indexVersion) return false;
  const rows = database.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL").all();
  const found = new Set(rows.map(({ sql }) => sql));
  return found.size === statements.length && statements.every((statement) => found.has(statement));
}

/** Counts the totals anew: damage of a database that it does not notice would otherwise stay in them. */
export function recount(database: Database): void {
  database.exec(`UPDATE namespaces SET (blocks, tokens, bytes) =
    (SELECT count(*), coalesce(sum(length), 0), coalesce(sum(bytes), 0) FROM blocks WHERE namespace = namespaces.id)`);
}
