import {
  type Dirent,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { readBytes, writeAndClose } from "../file-bytes.ts";
import { type BlockHeader, decodeHeader, mostHeaderBytes } from "./block-file.ts";

/** What makes up a file's name. */
export interface FileName {
  readonly namespace: string;
  readonly first: string;
  /** Of the block, in tokens. */
  readonly length: number;
  /** Drawn at random: no two files ever have the same name, so that whoever replaced one may remove it. */
  readonly nonce: number;
}

/** A file below the folder, as its path names it. */
export interface FoundFile {
  readonly path: string;
  /** Of the namespace the first 16 digits are known. */
  readonly name: FileName;
  /** Whether it was being written, when the listing came by or when its writer died. */
  readonly partial: boolean;
}

/** Numbers below it are drawn for names. */
export const nonceLimit = 2 ** 32;
const headerChunk = 8192;
const namespacePattern = /^[0-9a-f]{16}$/;
const firstPattern = /^[0-9a-f]{2}$/;
const filePattern = /^([0-9a-f]{64})-(\d{1,9})-([0-9a-f]{8})\.(kv|partial)$/;

/** The files of blocks: `blocks/<namespace, 16 digits>/<first, 2 digits>/<first>-<length>-<nonce>.kv`. */
export class BlockFolder {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = join(folder, "blocks");
  }

  pathOf({ namespace, first, length, nonce }: FileName): string {
    const name = `${first}-${length}-${nonce.toString(16).padStart(8, "0")}.kv`;
    return join(this.#folder, namespace.slice(0, 16), first.slice(0, 2), name);
  }

  /** Writes a file that appears whole or not at all. @throws Error of the file system. */
  write(name: FileName, parts: readonly Uint8Array[]): void {
    const path = this.pathOf(name);
    const partial = path.replace(/kv$/, "partial");
    try {
      writeAndClose(create(partial), parts);
      renameSync(partial, path);
    } catch (error) {
      remove(partial);
      throw error;
    }
  }

  /** @throws Error of the file system. */
  read(name: FileName): Uint8Array {
    return readBytes(this.pathOf(name), Number.POSITIVE_INFINITY);
  }

  /** Removes a file; one that cannot be removed does no harm. */
  remove(name: FileName): void {
    remove(this.pathOf(name));
  }

  removeFound({ path }: FoundFile): void {
    remove(path);
  }

  /** The header of a file; undefined where it is damaged, or lies where it does not belong. */
  readHeader({ path, name }: FoundFile): BlockHeader | undefined {
    try {
      let bytes = readBytes(path, headerChunk);
      let header = decodeHeader(bytes);
      if (typeof header === "string" && bytes.length === headerChunk) {
        bytes = readBytes(path, mostHeaderBytes);
        header = decodeHeader(bytes);
      }
      if (typeof header === "string") return undefined;
      const { namespace, first, tokens } = header;
      const belongs =
        namespace.startsWith(name.namespace) && first === name.first && tokens.length === name.length;
      return belongs && statSync(path).size === header.fileLength ? header : undefined;
    } catch {
      return undefined;
    }
  }

  /** All files of blocks, whole or partial; whatever else there is has nothing to do with us. */
  *files(): Generator<FoundFile> {
    for (const namespace of folders(this.#folder, namespacePattern)) {
      for (const start of folders(join(this.#folder, namespace), firstPattern)) {
        const folder = join(this.#folder, namespace, start);
        for (const { name: file } of entries(folder)) {
          const parts = filePattern.exec(file);
          if (!parts) continue;
          const [, first = "", length, nonce = "", kind] = parts;
          const name = { namespace, first, length: Number(length), nonce: Number.parseInt(nonce, 16) };
          yield { path: join(folder, file), name, partial: kind === "partial" };
        }
      }
    }
  }

  /** Removes folders that have become empty. */
  tidy(): void {
    for (const namespace of folders(this.#folder, namespacePattern)) {
      const outer = join(this.#folder, namespace);
      for (const start of folders(outer, firstPattern)) removeIfEmpty(join(outer, start));
      removeIfEmpty(outer);
    }
  }
}

function entries(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    // Somebody removed it, or it is no folder.
    return [];
  }
}

function folders(folder: string, pattern: RegExp): string[] {
  return entries(folder)
    .filter((entry) => entry.isDirectory() && pattern.test(entry.name))
    .map(({ name }) => name);
}

function create(path: string): number {
  try {
    return openSync(path, "wx");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    mkdirSync(dirname(path), { recursive: true });
    return openSync(path, "wx");
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It may be in use, or the folder read-only; it is swept one day.
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // There is something in it.
  }
}
