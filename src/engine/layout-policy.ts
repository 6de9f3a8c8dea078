import { freemem } from "node:os";
import { type CompareTokens, RadixTree } from "../../lib/radix-tree.ts";
import { type CacheType, cacheTypes } from "../context-options.ts";
import type { Model } from "../model.ts";
import type { ActiveRequest } from "./active-request.ts";
import type { LayoutOptions } from "./engine-context.ts";
import type { KvLayoutKind } from "./kv-layout.ts";
import { type AttentionCosts, preferredLayout, type TextSpans } from "./preferred-layout.ts";
import type { PrefixCache } from "./prefix-cache.ts";
import type { Roster } from "./roster.ts";
import { usesGpu } from "./settle-flash-attention.ts";

/** Part of the free memory that a layout with more cells may take. */
const memoryShare = 0.25;
/** Steps between two looks at what is running. */
const interval = 64;
/** Tokens that a text without a limit is expected to grow by. */
const usualGrowth = 256;
/** A cell that is read for one sequence takes so much longer per byte than one that is computed with for many. */
const bytesPerUnit = 1.5;

/** Decides how the cells of a running engine shall belong to its requests, where nobody said. */
export class LayoutPolicy {
  readonly #costs: AttentionCosts;
  readonly #parallel: number;
  readonly #compare: CompareTokens;
  #steps = 0;
  /** A layout for which there was no room. */
  refused: KvLayoutKind | undefined;

  private constructor(costs: AttentionCosts, parallel: number, compare: CompareTokens) {
    this.#costs = costs;
    this.#parallel = parallel;
    this.#compare = compare;
  }

  /** Undefined where shared cells it is: memory is short, or its kind cannot move. */
  static for(model: Model, options: LayoutOptions, compare: CompareTokens): LayoutPolicy | undefined {
    const { parallel, contextLength } = options;
    const movable = !model.isRecurrent && !model.isHybrid && model.slidingWindow === 0 && !model.hasEncoder;
    if (parallel < 2 || !movable || usesGpu(model)) return undefined;
    const cellBytes = bytesPerCell(model, options);
    if (cellBytes * contextLength * parallel > memoryShare * freemem()) return undefined;
    const width = model.embeddingLength * model.layerCount;
    const sharedCell = sharedCellCost(model);
    const ownCell = sharedCell * Math.max(1, (bytesPerUnit * cellBytes) / width);
    return new LayoutPolicy({ sharedCell, ownCell }, parallel, compare);
  }

  /** The layout to go on with. */
  next(cache: PrefixCache, { running, waiting }: Roster): KvLayoutKind {
    const { kind } = cache.layout;
    const burst = running.size === 0 && waiting.size > 1;
    if (!burst && (running.size < 2 || ++this.#steps % interval > 0)) return kind;
    const spans = this.#spans([...running, ...waiting].slice(0, this.#parallel));
    const parked = cache.parkedTokens;
    const chosen = preferredLayout(kind, spans, { ...this.#costs, parked, running: running.size > 0 });
    return chosen === this.refused ? kind : chosen;
  }

  #spans(requests: readonly ActiveRequest[]): TextSpans {
    const tree = new RadixTree<ActiveRequest>(this.#compare);
    const [spans, grown] = [{ total: 0 }, { total: 0 }];
    for (const request of requests) {
      const { view } = request.tokens;
      const left = (request.spec.maxTokens ?? usualGrowth) - request.generatedLength;
      grown.total += Math.min(usualGrowth, Math.max(0, left)) / 2;
      spans.total += view.length;
      tree.extend(request, view, nobody);
    }
    const unique = tree.tokenCount + grown.total;
    return { count: requests.length, unique, total: spans.total + grown.total };
  }
}

/** What it costs a sequence to look at one more cell, in units of what a token costs without attention. */
export function sharedCellCost(model: Model): number {
  // Multiplications of queries with keys and values, against those with the weights.
  return (2 * model.embeddingLength * model.layerCount) / model.parameterCount;
}

const nobody = { drop: () => {} };

function bytesPerCell(model: Model, { context }: LayoutOptions): number {
  const { cacheTypeK = "f16", cacheTypeV = "f16" } = context;
  const heads = (model.embeddingLength / model.headCount) * model.kvHeadCount * model.layerCount;
  return heads * (elementBytes(cacheTypeK) + elementBytes(cacheTypeV));
}

/** Bytes of an element of a cache; of a quantized one about a byte. */
function elementBytes(type: CacheType): number {
  if (cacheTypes[type] === cacheTypes.f32) return 4;
  return type === "f16" || type === "bf16" ? 2 : 1;
}
