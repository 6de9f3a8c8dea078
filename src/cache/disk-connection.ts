import { setTimeout } from "node:timers/promises";
import { type FailureKind, failureKind } from "./disk-failure.ts";
import { DiskIndex } from "./disk-index.ts";
import { type OpenIndex, openIndex } from "./index-database.ts";
import type { OpenDatabase } from "./sqlite.ts";

export interface DiskConnectionOptions {
  readonly namespace: string;
  readonly openDatabase: OpenDatabase;
  /** Called when an index that can be written was opened; what it throws is a failure like others. */
  readonly opened: (index: DiskIndex) => void;
  readonly failed: (kind: FailureKind, error: unknown) => void;
}

/** Times that opening is tried while other processes keep the index locked. */
const attempts = 40;
const attemptMs = 25;

/** The index of a folder, opened anew when it was removed, replaced or damaged. */
export class DiskConnection {
  readonly #folder: string;
  readonly #options: DiskConnectionOptions;
  #open: (OpenIndex & { readonly index: DiskIndex }) | undefined;

  constructor(folder: string, options: DiskConnectionOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  /** Opens the index, waiting for other processes that are making it. */
  async connectPatiently(): Promise<void> {
    for (let attempt = 1; this.#connect() === "busy" && attempt < attempts; attempt++)
      await setTimeout(attemptMs);
  }

  /** What `work` finds in the index; undefined where there is none or it cannot be read. */
  read<T>(work: (index: DiskIndex) => T): T | undefined {
    if (this.#open && !this.#open.isCurrent()) this.#connect();
    if (!this.#open) return undefined;
    try {
      return work(this.#open.index);
    } catch (error) {
      if (failureOf(error).kind === "damaged") this.repair();
      return undefined;
    }
  }

  /** The index to write to; undefined where it cannot be written. */
  writable(): DiskIndex | undefined {
    if (!this.#open?.isCurrent() || this.#open.obstacle !== undefined) this.#connect();
    if (!this.#open) return undefined;
    const { index, obstacle } = this.#open;
    if (obstacle === undefined) return index;
    this.#options.failed(failureOf(obstacle).kind, obstacle);
    return undefined;
  }

  /** Makes a damaged index anew. */
  repair(): void {
    this.#discard();
    this.#connect();
  }

  close(): void {
    this.#open?.index.close();
    this.#open = undefined;
  }

  #discard(): void {
    this.#open?.discard();
    this.#open = undefined;
  }

  #connect(): "busy" | "done" {
    let failure = this.#tryConnect();
    if (failure?.kind === "damaged" && this.#open) {
      this.#discard();
      failure = this.#tryConnect();
    }
    if (failure) this.#options.failed(failure.kind, failure.error);
    return failure?.kind === "busy" ? "busy" : "done";
  }

  #tryConnect(): Failure | undefined {
    this.close();
    try {
      const open = openIndex(this.#folder, this.#options.openDatabase);
      this.#open = { ...open, index: new DiskIndex(open.database, this.#options.namespace) };
      // Where this fails what is there can be read all the same.
      if (open.obstacle === undefined) this.#options.opened(this.#open.index);
      return undefined;
    } catch (error) {
      return failureOf(error);
    }
  }
}

interface Failure {
  readonly kind: FailureKind;
  readonly error: unknown;
}

function failureOf(error: unknown): Failure {
  const kind = failureKind(error);
  if (!kind) throw error;
  return { kind, error };
}
