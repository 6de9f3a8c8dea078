import { accessSync, constants, existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { BlockFolder } from "./block-folder.ts";
import { DamagedIndex, failureKind } from "./disk-failure.ts";
import { createTables, isEmpty, isOurs } from "./disk-schema.ts";
import { rebuild } from "./rebuild-index.ts";
import { type Database, type OpenDatabase, sqliteCode, sqliteCodes } from "./sqlite.ts";

/** An index that is open. */
export interface OpenIndex {
  readonly database: Database;
  /** Why it can only be read; undefined where it can be written. */
  readonly obstacle: unknown;
  /** Tells whether it is still the one that others find by its path. */
  isCurrent(): boolean;
  /** Closes it, and removes it as far as it can be: it is damaged. */
  discard(): void;
}

/** Long enough for another process's put, short enough for whoever waits for a block. */
const settings = "PRAGMA busy_timeout = 250; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL";

/**
 * Opens the index of a folder, makes it where there is none, and makes it anew from the headers of the files where it is
 * damaged or of another version. Where nothing can be written it is opened for reading.
 * @throws Error of the file system or of SQLite, see {@link failureKind}.
 */
export function openIndex(folder: string, open: OpenDatabase): OpenIndex {
  const path = join(folder, "index.sqlite");
  try {
    mkdirSync(folder, { recursive: true });
    return openForWriting(folder, path, open);
  } catch (error) {
    if (failureKind(error) !== "forbidden" || !existsSync(path)) throw error;
    return tryOpenForReading(path, open, error);
  }
}

function openForWriting(folder: string, path: string, open: OpenDatabase): OpenIndex {
  const before = inodeOf(path);
  try {
    return connect(folder, path, open);
  } catch (error) {
    if (failureKind(error) !== "damaged") throw error;
    // Another process may have come first.
    if (inodeOf(path) === before) removeIndex(path);
    return connect(folder, path, open);
  }
}

function connect(folder: string, path: string, open: OpenDatabase): OpenIndex {
  const database = open(path, "write");
  const writable = () => mayWrite(path) && mayWrite(folder);
  try {
    database.exec(settings);
    if (isEmpty(database)) database.transaction(() => fill(database, folder));
    checkTables(database, path);
    return opened(database, path, obstacleOf(database, writable));
  } catch (error) {
    database.close();
    throw headerIsDamaged(error, writable)
      ? new DamagedIndex("its header is damaged", { cause: error })
      : error;
  }
}

/** Whether a database says of itself that it must not be written, though the system would let us. */
function headerIsDamaged(error: unknown, writable: () => boolean): boolean {
  return sqliteCode(error) === sqliteCodes.READONLY && writable();
}

/** What keeps us from ever writing; a full disk may have room again, and others get done. */
function obstacleOf(database: Database, writable: () => boolean): unknown {
  try {
    // SQLite begins transactions on whatever cannot be written.
    database.exec("UPDATE standing SET uses = uses");
    return undefined;
  } catch (error) {
    const kind = failureKind(error);
    if (kind === "damaged" || headerIsDamaged(error, writable)) throw error;
    return kind === "forbidden" ? error : undefined;
  }
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** @throws `obstacle`, what kept us from writing, where it cannot be read either. */
function tryOpenForReading(path: string, open: OpenDatabase, obstacle: unknown): OpenIndex {
  let database: Database | undefined;
  try {
    database = open(path, "snapshot");
    checkTables(database, path);
    return opened(database, path, obstacle);
  } catch (error) {
    database?.close();
    throw failureKind(error) ? obstacle : error;
  }
}

function fill(database: Database, folder: string): void {
  // Another process may have come first.
  if (!isEmpty(database)) return;
  createTables(database);
  rebuild(database, new BlockFolder(folder));
}

function checkTables(database: Database, path: string): void {
  if (!isOurs(database)) throw new DamagedIndex(`${path} is no index of ours, or of another version`);
}

function opened(database: Database, path: string, obstacle?: unknown): OpenIndex {
  const inode = inodeOf(path);
  const isCurrent = () => inodeOf(path) === inode;
  const discard = () => {
    const mine = isCurrent();
    database.close();
    if (mine && obstacle === undefined) removeIndex(path);
  };
  return { database, obstacle, isCurrent, discard };
}

function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch {
    return undefined;
  }
}

/** The log goes first: SQLite would carry it over into a new database. */
function removeIndex(path: string): void {
  for (const suffix of ["-wal", "-shm", ""]) rmSync(`${path}${suffix}`, { force: true });
}
