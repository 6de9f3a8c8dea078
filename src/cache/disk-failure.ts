import { sqliteCode, sqliteCodes } from "./sqlite.ts";

/** Why the disk did not do as it was told. */
export type FailureKind =
  /** Another process is writing. */
  | "busy"
  /** The index is not what was written to it. */
  | "damaged"
  | "full"
  | "forbidden"
  /** Files or folders are missing, or something else is in their place. */
  | "gone"
  | "other";

const fileKinds: Readonly<Record<string, FailureKind>> = {
  ENOSPC: "full",
  EDQUOT: "full",
  EFBIG: "full",
  EROFS: "forbidden",
  EACCES: "forbidden",
  EPERM: "forbidden",
  ENOENT: "gone",
  ENOTDIR: "gone",
  EEXIST: "gone",
};

const { ERROR, PERM, BUSY, LOCKED, READONLY, CORRUPT, FULL, CANTOPEN, PROTOCOL } = sqliteCodes;
const { SCHEMA, CONSTRAINT, MISMATCH, AUTH, NOTADB } = sqliteCodes;
const sqliteKinds = new Map<number, FailureKind>([
  ...[BUSY, LOCKED, PROTOCOL].map((code) => [code, "busy"] as const),
  // Our statements are right and what they say holds, unless the tables are not what they were.
  ...[CORRUPT, NOTADB, ERROR, SCHEMA, CONSTRAINT, MISMATCH].map((code) => [code, "damaged"] as const),
  [FULL, "full"],
  ...[READONLY, PERM, AUTH, CANTOPEN].map((code) => [code, "forbidden"] as const),
]);

/** @returns undefined for what is no failure of the disk or the database, but a fault of ours. */
export function failureKind(error: unknown): FailureKind | undefined {
  if (error instanceof DamagedIndex) return "damaged";
  const code = sqliteCode(error);
  if (code !== undefined) return sqliteKinds.get(code) ?? "other";
  const { code: name, syscall } = error as NodeJS.ErrnoException;
  if (typeof name !== "string" || typeof syscall !== "string") return undefined;
  return fileKinds[name] ?? "other";
}

/** The index is none, or of another version. */
export class DamagedIndex extends Error {}

const remedies: Readonly<Record<FailureKind, readonly [reason: string, remedy: string]>> = {
  busy: ["another process keeps it locked", "end that process, or name another folder"],
  damaged: ["its index is damaged and cannot be made anew", "remove the folder"],
  full: ["no space is left", "free some, or give the cache a smaller budget or another folder"],
  forbidden: ["it is not writable", "let this user write there, or name another folder"],
  gone: ["the folder cannot be made", "name a folder that can be made, or remove what is in its place"],
  other: ["the disk failed", "check the disk, or name another folder"],
};

/** What to tell of a failure: the folder, why, and what to do. */
export function describeFailure(folder: string, kind: FailureKind, error: unknown): string {
  const [reason, remedy] = remedies[kind];
  return `the KV cache in ${folder} cannot be written: ${reason} (${(error as Error).message}); ${remedy}`;
}

/** Puts that are left out after one that failed. No clock is read: who puts more often tries more often. */
const pause = 50;
/** Puts that must go well in a row before failures are news again: on a full disk some find room. */
const recovery = 50;

/** What to do about failed puts: each kind of failure is told once, until puts go well again. */
export class Setbacks {
  readonly #folder: string;
  readonly #warn: (message: string) => void;
  readonly #told = new Set<FailureKind>();
  #left = 0;
  #well = 0;

  constructor(folder: string, warn: (message: string) => void) {
    this.#folder = folder;
    this.#warn = warn;
  }

  /** Whether a put should be tried; it counts as one that is left out if not. */
  due(): boolean {
    if (this.#left === 0) return true;
    this.#left--;
    return false;
  }

  failed(kind: FailureKind, error: unknown): void {
    // It passes by itself.
    if (kind === "busy") return;
    this.#well = 0;
    this.#left = pause;
    if (this.#told.has(kind)) return;
    this.#told.add(kind);
    this.#warn(describeFailure(this.#folder, kind, error));
  }

  succeeded(): void {
    if (++this.#well >= recovery) this.#told.clear();
  }
}
