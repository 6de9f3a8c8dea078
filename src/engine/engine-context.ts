import type { LoraAdapter } from "../adapter.ts";
import { Context } from "../context.ts";
import type { ContextOptions } from "../context-options.ts";
import type { Model } from "../model.ts";
import type { KvLayout, KvLayoutKind } from "./kv-layout.ts";
import type { AdapterScale } from "./request.ts";
import { SharedCells } from "./shared-cells.ts";
import { Streams } from "./streams.ts";
import type { DecodeWorkerData } from "./worker-data.ts";

export interface LayoutOptions {
  readonly kind: KvLayoutKind;
  /** Whether it may become another while the engine runs. */
  readonly mayMove?: boolean;
  /** Requests that run at once. */
  readonly parallel: number;
  /** Most tokens of one request. */
  readonly contextLength: number;
  /** Cells of all sequences together. */
  readonly cells: number;
  readonly context: ContextOptions;
  /** See `Context.abortFlag`. */
  readonly abortFlag?: Uint8Array | undefined;
}

/** Fills in what depends on the model. */
export function resolveLayout(
  model: Model,
  { layout, parallel: most, contextLength: wanted, cells, context }: DecodeWorkerData["engine"],
): LayoutOptions {
  // A context remembers what its encoder computed last.
  const parallel = model.hasEncoder ? 1 : most;
  const train = model.trainContextLength || 4096;
  const contextLength = wanted === undefined ? Math.min(4096, train) : wanted || train;
  return {
    kind: layout === "auto" || model.hasEncoder ? "shared" : layout,
    mayMove: layout === "auto",
    parallel,
    contextLength,
    cells: cells || contextLength,
    context,
  };
}

/** Sequences beyond those that run, for parked prefixes: they cost nothing where cells are shared. */
const parkedSequences = 56;
const mostSequences = 256;

/** Makes a context of the layout's kind. @throws ContextInitError */
export function createLayout(model: Model, options: LayoutOptions): KvLayout {
  const { kind, parallel, contextLength, cells, abortFlag } = options;
  const context = abortFlag ? { ...options.context, abortFlag } : options.context;
  if (kind === "shared") {
    // Recurrent state takes memory for every sequence there could be, and a batch must have room for each.
    const parked = model.isRecurrent || model.isHybrid ? parallel : parkedSequences;
    const most = Math.min(mostSequences, Math.max(parallel, context.batchSize ?? mostSequences));
    const maxSequences = Math.min(most, parallel + parked);
    return new SharedCells(
      new Context(model, {
        ...context,
        contextLength: Math.max(cells, contextLength),
        maxSequences,
        unifiedCache: true,
      }),
      contextLength,
      maxSequences > parallel && maxSequences > 1 ? maxSequences - 1 : maxSequences,
    );
  }
  const sequences = Math.min(mostSequences, Math.max(parallel, Math.floor(cells / contextLength)));
  return new Streams(
    new Context(model, {
      ...context,
      contextLength: sequences * contextLength,
      maxSequences: sequences,
      unifiedCache: false,
    }),
    contextLength,
  );
}

/** Numbers sets of adapters, and puts the right ones in place before a batch. */
export class AdapterSets {
  readonly #loaded: readonly LoraAdapter[];
  readonly #sets: { key: string; scales: readonly AdapterScale[] }[] = [{ key: "", scales: [] }];
  /** The set in place in each context; a new one has none. */
  readonly #applied = new WeakMap<Context, number>();

  constructor(loaded: readonly LoraAdapter[]) {
    this.#loaded = loaded;
  }

  /** The number of a set; equal sets have equal numbers. 0 is the empty one. */
  number(adapters: readonly AdapterScale[] = []): number {
    const scales = adapters.filter(({ scale }) => scale !== 0).sort((a, b) => a.id - b.id);
    for (const [index, { id, scale }] of scales.entries()) {
      if (!this.#loaded[id])
        throw new RangeError(`there is no adapter ${id}; ${this.#loaded.length} are loaded`);
      // What the context refuses must not be found out in the middle of others' batches.
      if (typeof scale !== "number" || !Number.isFinite(Math.fround(scale)))
        throw new TypeError(`the scale of adapter ${id} must be a finite 32-bit number, got ${scale}`);
      if (scales[index + 1]?.id === id)
        throw new TypeError(`adapter ${id} is named twice; add up its scales`);
    }
    const key = scales.map(({ id, scale }) => `${id}:${scale}`).join(",");
    const known = this.#sets.findIndex((set) => set.key === key);
    return known >= 0 ? known : this.#sets.push({ key, scales }) - 1;
  }

  /** A set in words that a restart does not change, as long as the same adapters are loaded. */
  describe(number: number): string {
    return this.#sets[number]!.key;
  }

  apply(context: Context, number: number): void {
    if (number === (this.#applied.get(context) ?? 0)) return;
    const { scales } = this.#sets[number]!;
    context.setAdapters(scales.map(({ id, scale }) => ({ adapter: this.#loaded[id]!, scale })));
    this.#applied.set(context, number);
  }
}
