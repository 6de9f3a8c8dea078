import { randomBytes } from "node:crypto";
import { type Block, unitLength } from "./block.ts";
import { type Decoded, decodeBlock, encodeBlock, fileLengthOf } from "./block-file.ts";
import type { BlockFolder, FileName } from "./block-folder.ts";
import { type BlockTable, storeBlock } from "./block-tree.ts";
import { splitBlock } from "./chain.ts";
import { type Dropped, Standing, shrink } from "./disk-eviction.ts";
import type { DiskIndex } from "./disk-index.ts";
import type { DiskEntry } from "./disk-rows.ts";

/** The file of an entry. */
export function fileNameOf(namespace: string, { first, tokens, nonce }: DiskEntry): FileName {
  return { namespace, first, length: tokens.length, nonce };
}

/** Reads and checks the block of an entry. @throws Error of the file system. */
export function readBlock(folder: BlockFolder, namespace: string, entry: DiskEntry): Decoded {
  return decodeBlock(folder.read(fileNameOf(namespace, entry)), { ...entry, namespace });
}

interface Written {
  readonly block: Block;
  readonly name: FileName;
}

/**
 * What one put changes. Files are written under new names, then rows change in a transaction, and only after that the files
 * go that no row is about any more: whenever a process dies, the index is about whole files, or about none.
 */
export class BlockChange implements BlockTable<DiskEntry> {
  readonly #index: DiskIndex;
  readonly #folder: BlockFolder;
  readonly #written: Written[] = [];
  readonly #replaced: FileName[] = [];
  readonly #added: string[] = [];
  #prepared: Written | undefined;
  #dropped: readonly Dropped[] = [];
  bytesWritten = 0;
  /** Blocks that turned out to be damaged. */
  damaged = 0;
  /** Whether the block was not kept, as what it follows is not there. */
  refused = false;

  constructor(index: DiskIndex, folder: BlockFolder) {
    this.#index = index;
    this.#folder = folder;
  }

  get dropped(): readonly Dropped[] {
    return this.#dropped;
  }

  /** Writes the file of a block that will most likely be inserted, while others may write too. */
  prepare(block: Block): void {
    if (!this.find(block.first) && this.#hasPlace(block)) this.#prepared = this.#write(block);
  }

  find(first: string): DiskEntry | undefined {
    return this.#index.find(first);
  }

  hasFollowers(key: string): boolean {
    return this.#index.hasFollowers(key);
  }

  insert(block: Block): void {
    if (this.#hasPlace(block)) this.#add(block);
    else this.refused = true;
  }

  extend(entry: DiskEntry, block: Block): void {
    this.#forget(entry);
    this.#add(block);
  }

  split(entry: DiskEntry, at: number): boolean {
    const block = this.#read(entry);
    this.#forget(entry);
    if (!block) {
      this.damaged++;
      return false;
    }
    const [head, tail] = splitBlock(block, at);
    this.#add(head);
    if (tail.tokens.length >= unitLength) this.#add(tail);
    return true;
  }

  /** Stores the block inside a transaction, and drops others until no more than `budget` bytes are left. */
  store(block: Block, budget: number): void {
    const { database } = this.#index;
    const { uses } = new Standing(database);
    storeBlock(this, block);
    const { dropped, raised } = shrink(database, budget, uses);
    this.#dropped = dropped;
    if (raised > 0) for (const first of this.#added) this.#index.raise(first, raised);
  }

  /** Removes what is not needed any more, once the transaction is through. */
  finish(): void {
    for (const { file } of this.#dropped) if (file) this.#folder.remove(file);
    for (const name of this.#replaced) this.#folder.remove(name);
    if (this.#prepared) this.#folder.remove(this.#prepared.name);
  }

  /** Removes what was written, where the transaction did not go through. */
  undo(): void {
    for (const { name } of this.#written) this.#folder.remove(name);
  }

  /** A block that follows none would never be found, and outlive others as it is dear. */
  #hasPlace({ start, parent }: Block): boolean {
    return start === 0 || this.#index.hasEnd(parent);
  }

  #add(block: Block): void {
    const { first, parent, key, start, tokens, data } = block;
    const { name } = this.#prepared?.block === block ? this.#prepared : this.#write(block);
    if (name === this.#prepared?.name) this.#prepared = undefined;
    const fileLength = fileLengthOf(block);
    const { nonce } = name;
    this.#added.push(first);
    this.#index.insert({ first, parent, key, start, tokens, byteLength: data.length, fileLength, nonce });
  }

  #write(block: Block): Written {
    const { namespace } = this.#index;
    const nonce = randomBytes(4).readUInt32LE();
    const name = { namespace, first: block.first, length: block.tokens.length, nonce };
    this.#folder.write(name, encodeBlock(block, namespace));
    this.bytesWritten += fileLengthOf(block);
    const written = { block, name };
    this.#written.push(written);
    return written;
  }

  #forget(entry: DiskEntry): void {
    this.#index.remove(entry);
    this.#replaced.push(fileNameOf(this.#index.namespace, entry));
  }

  #read(entry: DiskEntry): Block | undefined {
    try {
      return readBlock(this.#folder, this.#index.namespace, entry).block;
    } catch {
      // Somebody removed the file.
      return undefined;
    }
  }
}
