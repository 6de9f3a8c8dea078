import { createHash } from "node:crypto";
import {
  closeSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

/** Bytes read at once. */
const chunk = 2 ** 22;
/** Most files that are remembered. */
const most = 1000;

interface Known {
  readonly stamp: string;
  readonly digest: string;
}

/**
 * SHA-256 digests of whole files, remembered in a folder: a file that was not touched since is not read again. One that was
 * replaced has another inode or change time, whatever its name, size and modification time.
 */
export class FileDigests {
  readonly #path: string;
  readonly #known: Map<string, Known>;

  constructor(folder: string) {
    this.#path = join(folder, "digests.json");
    this.#known = readKnown(this.#path);
  }

  /** The digest of a file's content, in hexadecimal. @throws what the file system does. */
  of(path: string): string {
    const real = realpathSync(path);
    const stamp = stampOf(real);
    const known = this.#known.get(real);
    if (known?.stamp === stamp) return known.digest;
    const digest = digestOf(real);
    // Of a file that changes while it is read nothing is remembered.
    if (stampOf(real) === stamp) this.#remember(real, { stamp, digest });
    return digest;
  }

  #remember(path: string, known: Known): void {
    this.#known.delete(path);
    this.#known.set(path, known);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= most) break;
      this.#known.delete(oldest);
    }
    try {
      const whole = { ...Object.fromEntries(readKnown(this.#path)), ...Object.fromEntries(this.#known) };
      const fresh = `${this.#path}.${process.pid}`;
      writeFileSync(fresh, JSON.stringify(whole));
      renameSync(fresh, this.#path);
    } catch {
      // It is read again next time.
    }
  }
}

function stampOf(path: string): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
}

function digestOf(path: string): string {
  const hash = createHash("sha256");
  const buffer = Buffer.alloc(chunk);
  const file = openSync(path, "r");
  try {
    for (;;) {
      const count = readSync(file, buffer, 0, chunk, null);
      if (count === 0) return hash.digest("hex");
      hash.update(buffer.subarray(0, count));
    }
  } finally {
    closeSync(file);
  }
}

function readKnown(path: string): Map<string, Known> {
  try {
    const entries = Object.entries(JSON.parse(readFileSync(path, "utf8")) as Record<string, Known>);
    return new Map(
      entries.filter(([, known]) => typeof known?.stamp === "string" && /^[0-9a-f]{64}$/.test(known.digest)),
    );
  } catch {
    return new Map();
  }
}
