import { statSync } from "node:fs";
import { join } from "node:path";
import type { BlockFolder, FoundFile } from "./block-folder.ts";
import { DiskIndex } from "./disk-index.ts";
import { digestBytes, digestText, isDigest } from "./disk-rows.ts";
import type { Database } from "./sqlite.ts";

/** Fills an empty index with what the files say of themselves, inside a transaction. Labels are lost. */
export function rebuild(database: Database, folder: BlockFolder): void {
  const indexes = new Map<string, DiskIndex>();
  for (const found of folder.files()) {
    const header = found.partial ? undefined : folder.readHeader(found);
    if (!header) continue;
    const { namespace, tokens, dataLength: byteLength } = header;
    let index = indexes.get(namespace);
    if (!index) {
      index = new DiskIndex(database, namespace);
      index.register();
      indexes.set(namespace, index);
    }
    // One of two files that begin alike was to replace the other; the longer has all that the shorter has.
    const known = index.find(header.first);
    if (!known || known.tokens.length < tokens.length)
      index.insert({ ...header, byteLength, nonce: found.name.nonce });
  }
  removeUnreachable(database);
}

/** Forgets blocks whose parents are gone: nobody finds them, unless the parents are made again. */
export function removeUnreachable(database: Database): number {
  const remove = database.prepare(`DELETE FROM blocks WHERE start > 0 AND NOT EXISTS
    (SELECT 1 FROM blocks AS other WHERE other.namespace = blocks.namespace AND other.key = blocks.parent)`);
  let removed = 0;
  for (;;) {
    const count = remove.run();
    if (count === 0) return removed;
    removed += count;
  }
}

/** Files that no row is about: of writers that died, or are at it. */
export function* orphans(database: Database, folder: BlockFolder): Generator<FoundFile> {
  const namespaces = new Map<string, number>();
  for (const { id, digest } of database.prepare("SELECT id, digest FROM namespaces").all())
    if (isDigest(digest)) namespaces.set(digestText(digest).slice(0, 16), id as number);
  const sql = "SELECT 1 FROM blocks WHERE namespace = ? AND first = ? AND length = ? AND nonce = ?";
  const known = database.prepare(sql);
  for (const found of folder.files()) {
    const { namespace, first, length, nonce } = found.name;
    const id = namespaces.get(namespace);
    if (found.partial || id === undefined || !known.get(id, digestBytes(first), length, nonce)) yield found;
  }
}

const hour = 3_600_000;

/**
 * Removes orphans that no process can still be writing: an hour older than the last write to the index. It is the clock of
 * the file system alone that is read, and what it says wrongly costs a put at most.
 */
export function sweep(database: Database, folder: string, blocks: BlockFolder): void {
  const now = Math.max(...["index.sqlite", "index.sqlite-wal"].map((name) => modified(join(folder, name))));
  for (const found of orphans(database, blocks))
    if (modified(found.path) < now - hour) blocks.removeFound(found);
}

function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NEGATIVE_INFINITY;
}
