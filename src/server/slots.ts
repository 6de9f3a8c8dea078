import { join } from "node:path";
import { CriaError } from "../../lib/errors.ts";
import type { Engine, StateScope } from "../engine/engine.ts";
import { readState, writeState } from "../llama/state.ts";
import { HttpError } from "./errors.ts";

/** A request that runs, as its slot tells of it. */
export interface SlotWork {
  readonly kind: "chat" | "completion";
  readonly params: Readonly<Record<string, unknown>>;
  /** Its tokens so far; borrowed. */
  readonly tokens: () => Int32Array;
  generated: number;
}

interface Slot {
  readonly id: number;
  work: SlotWork | undefined;
  /** What the request before had computed. */
  tokens: Int32Array;
  /** Whom that belongs to. */
  scope: StateScope;
  usedAt: number;
  task: number;
}

/** @throws HttpError for a slot whose request runs */
function assertIdle({ id, work }: Slot): void {
  if (work) throw new HttpError("unavailable_error", `slot ${id} is busy; try again later`);
}

/** The name of a file and nothing else: no folder, no way out of one. */
const fileName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,200}$/;

/**
 * llama-server's view of an engine: as many slots as requests run side by side. Here a slot holds nothing, since every request
 * may use what any other has computed; it remembers which tokens went through it, so that they can be saved.
 */
export class Slots {
  readonly #slots: Slot[];
  readonly #folder: string | undefined;
  #clock = 0;

  constructor(count: number, folder: string | undefined) {
    this.#folder = folder;
    this.#slots = Array.from({ length: count }, (_, id) => ({
      id,
      work: undefined,
      tokens: new Int32Array(0),
      scope: {},
      usedAt: 0,
      task: -1,
    }));
  }

  get all(): readonly Slot[] {
    return this.#slots;
  }
  get idleCount(): number {
    return this.#slots.filter(({ work }) => !work).length;
  }

  /** Gives a request a slot: the one it wants where that is free, else the one unused longest; undefined where none is. */
  enter(work: SlotWork, wanted: number | undefined): number {
    const free = this.#slots.filter((slot) => !slot.work);
    const slot =
      free.find(({ id }) => id === wanted) ??
      free.reduce<Slot | undefined>((a, b) => (a && a.usedAt <= b.usedAt ? a : b), undefined);
    if (!slot) return -1;
    slot.work = work;
    slot.usedAt = ++this.#clock;
    slot.task = this.#clock;
    return slot.id;
  }

  /** Takes a request out of its slot, where it still is. */
  leave(id: number, work: SlotWork, scope: StateScope): void {
    const slot = this.#slots[id];
    if (slot?.work !== work) return;
    slot.tokens = work.tokens().slice();
    slot.scope = scope;
    slot.work = undefined;
  }

  /** @throws HttpError for a slot that there is not. */
  slot(id: string): Slot {
    const slot = /^\d+$/.test(id) ? this.#slots[Number(id)] : undefined;
    if (slot) return slot;
    throw new HttpError(
      "invalid_request_error",
      `there is no slot ${id.slice(0, 20)}; they are 0 to ${this.#slots.length - 1}`,
      {
        param: "id_slot",
      },
    );
  }

  /** Writes the cache of a slot's tokens to a file of the slot folder. */
  async save(engine: Engine, slot: Slot, name: string, { adapters }: StateScope = {}) {
    const path = this.#path(name);
    const started = performance.now();
    assertIdle(slot);
    const { scope } = slot;
    // A file does not say whose it was, so what is not everybody's must not get into one.
    if (scope.cacheSalt || JSON.stringify(scope.adapters) !== JSON.stringify(adapters)) {
      const whose = scope.cacheSalt ? "a cache_salt" : "adapters of its own";
      throw new HttpError(
        "not_supported_error",
        `slot ${slot.id} was used with ${whose}; such are not saved`,
      );
    }
    const saved = await engine.saveState(slot.tokens, { adapters });
    const written = await writeState(path, saved).catch((error: NodeJS.ErrnoException) => {
      if (!["EISDIR", "ENOTEMPTY", "EEXIST"].includes(error.code ?? "")) throw error;
      throw new HttpError("invalid_request_error", `${name} is a folder; choose another name`, {
        param: "filename",
      });
    });
    return {
      id_slot: slot.id,
      filename: name,
      n_saved: saved.tokens.length,
      n_written: written,
      timings: { save_ms: performance.now() - started },
    };
  }

  /** Puts what was saved back into the cache, and into a slot. */
  async restore(engine: Engine, slot: Slot, name: string, scope: StateScope = {}) {
    const path = this.#path(name);
    const started = performance.now();
    assertIdle(slot);
    const state = await readState(path, name).catch((error: Error) => {
      if (error instanceof CriaError) throw error;
      throw new HttpError("invalid_request_error", `${name} cannot be read as a saved slot`, {
        param: "filename",
      });
    });
    if (state.tokens.length > engine.contextLength) {
      throw new HttpError(
        "invalid_request_error",
        `${name} has ${state.tokens.length} tokens, the context holds ${engine.contextLength}`,
        {
          param: "filename",
        },
      );
    }
    if (state.tokens.length > 0) await engine.loadState(state, scope);
    slot.tokens = state.tokens;
    slot.scope = scope;
    return {
      id_slot: slot.id,
      filename: name,
      n_restored: state.tokens.length,
      n_read: state.fileLength,
      timings: { restore_ms: performance.now() - started },
    };
  }

  /** Forgets what a slot has, and every prefix that no request is using: prefixes belong to all. */
  async erase(engine: Engine, slot: Slot) {
    const erased = slot.tokens.length;
    slot.tokens = new Int32Array(0);
    await engine.clearCache();
    return { id_slot: slot.id, n_erased: erased };
  }

  #path(name: string): string {
    if (this.#folder === undefined) {
      throw new HttpError(
        "not_supported_error",
        "this server saves no slots; start it with --slot-save-path",
      );
    }
    if (!fileName.test(name)) {
      throw new HttpError(
        "invalid_request_error",
        "filename must be a plain name of letters, digits, ., - and _",
        {
          param: "filename",
        },
      );
    }
    return join(this.#folder, name);
  }
}
