import { pathToFileURL } from "node:url";
import { CriaError } from "../../lib/errors.ts";

// The SQLite that the runtime has built in: `bun:sqlite` on Bun, `node:sqlite` on Node and Deno.

export type SqlValue = null | number | string | Uint8Array;
export type SqlRow = Readonly<Record<string, unknown>>;

export interface Statement {
  /** @returns how many rows changed. */
  run(...values: readonly SqlValue[]): number;
  get(...values: readonly SqlValue[]): SqlRow | undefined;
  all(...values: readonly SqlValue[]): SqlRow[];
}

export interface Database {
  /** Runs statements, separated by semicolons, that give nothing back. */
  exec(sql: string): void;
  prepare(sql: string): Statement;
  /** Runs `work` while nobody else can write; what it changed is kept if it returns, and undone if it throws. */
  transaction<T>(work: () => T): T;
  /** Takes its statements with it. */
  close(): void;
}

/** `snapshot` is for files that cannot be written, nor anything beside them; nobody else may write them meanwhile. */
export type Access = "write" | "snapshot";
export type OpenDatabase = (path: string, access: Access) => Database;

/** What the modules of the runtimes have in common. */
interface NativeStatement {
  run(...values: readonly SqlValue[]): { readonly changes: number | bigint };
  get(...values: readonly SqlValue[]): unknown;
  all(...values: readonly SqlValue[]): unknown[];
}
interface NativeDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): NativeStatement;
  /** Bun alone looks at the argument: it would wait for the garbage collector to end the statements. */
  close(atOnce: true): void;
}

class Connection implements Database {
  readonly #native: NativeDatabase;

  constructor(native: NativeDatabase) {
    this.#native = native;
  }

  exec(sql: string): void {
    this.#native.exec(sql);
  }

  prepare(sql: string): Statement {
    const statement = this.#native.prepare(sql);
    return {
      run: (...values) => Number(statement.run(...values).changes),
      get: (...values) => (statement.get(...values) as SqlRow | null | undefined) ?? undefined,
      all: (...values) => statement.all(...values) as SqlRow[],
    };
  }

  transaction<T>(work: () => T): T {
    this.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.exec("COMMIT");
      return result;
    } catch (error) {
      try {
        this.exec("ROLLBACK");
      } catch {
        // SQLite has rolled back by itself.
      }
      throw error;
    }
  }

  close(): void {
    this.#native.close(true);
  }
}

async function loadBun(): Promise<OpenDatabase> {
  const { Database: Native, constants } = await import("bun:sqlite");
  const flags = {
    write: constants.SQLITE_OPEN_READWRITE | constants.SQLITE_OPEN_CREATE,
    snapshot: constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI,
  };
  return (path, access) => {
    const native = new Native(access === "write" ? path : snapshotOf(path), flags[access]);
    return new Connection(native as unknown as NativeDatabase);
  };
}

async function loadNode(): Promise<OpenDatabase> {
  // Node 20 has no such module, nor have its types.
  const name: string = "node:sqlite";
  const { DatabaseSync } = (await import(name)) as {
    DatabaseSync: new (path: string, options: { readOnly: boolean }) => NativeDatabase;
  };
  return (path, access) => {
    const place = access === "write" ? path : snapshotOf(path);
    return new Connection(new DatabaseSync(place, { readOnly: access === "snapshot" }));
  };
}

/** SQLite cannot read a database with a write-ahead log where it can make no files, but for one that never changes. */
function snapshotOf(path: string): string {
  return `${pathToFileURL(path).href}?immutable=1`;
}

/** @throws CriaError where the runtime has no SQLite. */
export async function loadSqlite(): Promise<OpenDatabase> {
  const { bun, deno, node } = process.versions as Record<string, string | undefined>;
  try {
    return await (bun ? loadBun() : loadNode());
  } catch (cause) {
    const runtime = deno ? `Deno ${deno}` : `Node ${node}`;
    throw new CriaError(
      "REQUEST",
      `a KV cache on disk needs the SQLite of the runtime, and ${runtime} has none; use Bun, Deno 2.2 or Node 22.13, or later`,
      { cause },
    );
  }
}

/** Why the runtime has no SQLite; undefined where it has one. */
export async function sqliteMissing(): Promise<string | undefined> {
  try {
    await loadSqlite();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Primary result codes, see https://sqlite.org/rescode.html. */
export const sqliteCodes = {
  ERROR: 1,
  PERM: 3,
  BUSY: 5,
  LOCKED: 6,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  PROTOCOL: 15,
  SCHEMA: 17,
  CONSTRAINT: 19,
  MISMATCH: 20,
  AUTH: 23,
  NOTADB: 26,
} as const;

/** Deno keeps most codes to itself. */
const messages: readonly (readonly [pattern: RegExp, code: number])[] = [
  [/is locked/, sqliteCodes.BUSY],
  [/readonly database/, sqliteCodes.READONLY],
  [/disk I\/O error/, sqliteCodes.IOERR],
  [/malformed/, sqliteCodes.CORRUPT],
  [/is full/, sqliteCodes.FULL],
  [/unable to open/, sqliteCodes.CANTOPEN],
  [/locking protocol/, sqliteCodes.PROTOCOL],
  [/constraint failed/, sqliteCodes.CONSTRAINT],
  [/not a database/, sqliteCodes.NOTADB],
];

/** The primary result code of an error of SQLite; undefined for any other error. */
export function sqliteCode(error: unknown): number | undefined {
  const { code, errno, errcode, message, name } = error as {
    code?: unknown;
    errno?: number;
    errcode?: number;
    message?: string;
    name?: string;
  };
  if (name === "SQLiteError") return (errno ?? sqliteCodes.ERROR) & 0xff;
  // An integer that no column of ours can hold.
  if (code === "ERR_OUT_OF_RANGE") return sqliteCodes.CORRUPT;
  if (code !== "ERR_SQLITE_ERROR") return undefined;
  const known = errcode ?? messages.find(([pattern]) => pattern.test(message ?? ""))?.[1];
  return (known ?? sqliteCodes.ERROR) & 0xff;
}
