import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DiskStore, type DiskStoreOptions } from "../../src/cache/disk-store.ts";

export const namespace = "ab".repeat(32);
export const otherNamespace = "cd".repeat(32);

/** Folders of a test file, and the stores in them; all go with it. */
export class DiskFolders {
  readonly #base = mkdtempSync(join(tmpdir(), "cria-disk-"));
  #count = 0;

  /** A path below which there is nothing. */
  path(): string {
    return join(this.#base, String(++this.#count));
  }

  copyOf(folder: string): string {
    const path = this.path();
    cpSync(folder, path, { recursive: true });
    return path;
  }

  remove(): void {
    rmSync(this.#base, { recursive: true, force: true });
  }
}

/** A store that may hold all there is, and whose warnings fail the test. */
export function openStore(folder: string, options: Partial<DiskStoreOptions> = {}): Promise<DiskStore> {
  const warn = (message: string) => {
    throw new Error(`unexpected warning: ${message}`);
  };
  return DiskStore.open(folder, { budgetBytes: 2 ** 30, namespace, warn, ...options });
}

/** Paths of all files below `blocks/`, relative to the folder. */
export function blockFiles(folder: string): string[] {
  if (!existsSync(join(folder, "blocks"))) return [];
  const entries = readdirSync(join(folder, "blocks"), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}
