import type { Native, Pointer } from "../../ffi/index.ts";
import type { Candidates } from "./candidates.ts";
import type { GrammarGuard } from "./grammar-guard.ts";
import { RecentTokens } from "./recent-tokens.ts";

/** What a sampler that leaves tokens out is sure to leave in. */
export type Keeps =
  /** No others than so many of the likeliest. */
  | { readonly top: number }
  /** No others than those at least so likely, of the likeliest. */
  | { readonly share: number }
  /** The likeliest that together have this probability, and at least `keep`. */
  | { readonly mass: number; readonly keep: number };

/** What libllama's API does not tell about a sampler, but using it safely takes. */
export interface SamplerTraits {
  /** Selects a token. */
  readonly picks?: boolean;
  /** Goes wrong on candidates of no probability at all. */
  readonly needsProbability?: boolean;
  /** Can make logits larger than libllama can sort, or overflow. */
  readonly overflows?: boolean;
  /** All it does: 32-bit floats that are added to the logits of some tokens, each once, small enough that none overflows. */
  readonly biases?: readonly (readonly [token: number, bias: number])[];
  /** Has to be told of the tokens that were chosen; others keep nothing of them. */
  readonly learns?: boolean;
  /** Tokens of which alone it changes the logits: these, or those that were picked last, as far back as `window`. */
  readonly changes?: readonly number[] | "recent";
  /** What it is sure to leave, where it leaves tokens out. */
  readonly keeps?: Keeps;
  /** Picks one of a sorted list by adding up probabilities from the likeliest on, so that a longer list moves the pick only down. */
  readonly picksInOrder?: boolean;
  /** Leaves a sorted list's beginning, scaled, whatever comes behind what it leaves. */
  readonly monotone?: boolean;
  /** Most candidates it can be given in reasonable time. */
  readonly most?: number;
  /** Tokens it looks back at. */
  readonly window?: number;
  /** Remembers its pick until that is accepted, but forgets the rest of it when cloned. */
  readonly awaitsPick?: boolean;
  readonly guard?: GrammarGuard;
}

/** Logits this far below the largest have no probability in single precision. */
const noProbability = 100;

/** One C sampler with what guards it. Whoever made it frees it: a `Sampler`, or the chain it has moved to. */
export class NativeSampler {
  readonly native: Native;
  readonly pointer: Pointer;
  readonly traits: SamplerTraits;
  readonly settings: Readonly<Record<string, unknown>>;
  #name: string | undefined;
  #picked = false;
  /** Those that it changes, where these are the recent ones: kept here, since it may be told of tokens outside of any chain. */
  readonly #recent: RecentTokens | undefined;

  constructor(
    native: Native,
    pointer: Pointer,
    traits: SamplerTraits,
    settings: Readonly<Record<string, unknown>>,
  ) {
    this.native = native;
    this.pointer = pointer;
    this.traits = traits;
    this.settings = settings;
    if (traits.changes === "recent") this.#recent = new RecentTokens(traits.window ?? 0);
  }

  get name(): string {
    this.#name ??= this.native.memory.readString(this.native.c.llama_sampler_name(this.pointer)) ?? "";
    return this.#name;
  }

  /** Tokens of which alone it changes the logits now, each once; none where it says nothing about that. */
  get changed(): Iterable<number> {
    const { changes } = this.traits;
    if (changes === "recent") return this.#recent!.distinct;
    return changes ?? [];
  }

  /** @throws RangeError where there are no candidates, or too many for this sampler. */
  apply(candidates: Candidates): void {
    const { needsProbability, overflows, most, awaitsPick } = this.traits;
    if (!candidates.hasChoice)
      throw new RangeError(`there are no candidates for ${this.name} to choose from`);
    if (needsProbability) candidates.compact(noProbability);
    const { size } = candidates;
    if (most !== undefined && size > most) {
      throw new RangeError(`${this.name} takes at most ${most} candidates, got ${size}; put top_k before it`);
    }
    this.native.c.llama_sampler_apply(this.pointer, candidates.address);
    if (overflows) candidates.settle();
    this.#picked = awaitsPick === true;
  }

  /** Whether {@link accept} may be given a token. */
  allows(token: number): boolean {
    return this.traits.guard?.allows(token) ?? true;
  }

  /** @throws RangeError where the grammar forbids the token: libllama would end the process. */
  accept(token: number): void {
    const { guard, learns } = this.traits;
    if (!learns) return;
    if (guard && !guard.allows(token)) throw forbidden(token);
    guard?.accept(token);
    this.native.c.llama_sampler_accept(this.pointer, token);
    this.#recent?.push(token);
    this.#picked = false;
  }

  reset(): void {
    this.traits.guard?.reset();
    this.native.c.llama_sampler_reset(this.pointer);
    this.#recent?.clear();
    this.#picked = false;
  }

  /** A sampler in the same state; the caller owns its C object. */
  clone(): NativeSampler {
    this.#assertAccepted();
    const { guard } = this.traits;
    const traits = guard ? { ...this.traits, guard: guard.clone() } : this.traits;
    const pointer = this.native.c.llama_sampler_clone(this.pointer);
    const copy = new NativeSampler(this.native, pointer, traits, this.settings);
    if (this.#recent) copy.#recent!.copyFrom(this.#recent);
    return copy;
  }

  /** Takes over the state of a sampler made alike. @throws TypeError for another kind or other settings. */
  copyFrom(other: NativeSampler): void {
    other.#assertAccepted();
    if (other === this) return;
    if (this.name !== other.name || JSON.stringify(this.settings) !== JSON.stringify(other.settings)) {
      throw new TypeError(`the state of ${other.name} fits only a sampler made with the same settings`);
    }
    const { guard } = this.traits;
    if (guard) guard.copyFrom(other.traits.guard!);
    this.native.c.llama_sampler_copy(other.pointer, this.pointer);
    if (this.#recent) this.#recent.copyFrom(other.#recent!);
    this.#picked = false;
  }

  #assertAccepted(): void {
    if (this.#picked) throw new TypeError(`accept the token that ${this.name} picked before copying it`);
  }
}

/** Tokens of which alone these change the logits, each once. */
export function changedBy(samplers: readonly NativeSampler[]): number[] {
  const [only] = samplers;
  return samplers.length === 1
    ? [...only!.changed]
    : [...new Set(samplers.flatMap(({ changed }) => [...changed]))];
}

export function forbidden(token: number): RangeError {
  return new RangeError(`the grammar forbids token ${token} here`);
}
