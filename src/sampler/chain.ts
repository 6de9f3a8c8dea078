import type { Native, Pointer } from "../../ffi/index.ts";
import { CriaError } from "../../lib/errors.ts";
import type { Grammar } from "../grammar.ts";
import { Handle } from "../handle.ts";
import type { Model } from "../model.ts";
import { Sampler } from "../sampler.ts";
import { Candidates } from "./candidates.ts";
import { CustomSampler } from "./custom.ts";

/** What a chain needs of a context. */
export interface ContextLike {
  readonly pointer: Pointer<"llama_context">;
  /** @throws RangeError where that output does not exist. */
  checkOutput(index: number): void;
  /** Logits of an output, copied; shape [vocabulary]. */
  logits(index: number): Float32Array;
}

/** Native samplers in a row share one C chain; a sampler in TypeScript stands alone. */
type Segment = { readonly chain: Pointer } | { readonly custom: CustomSampler };

/**
 * Samplers one after another, of which the last must pick a token (greedy, dist, mirostat, adaptive-p). Chains of
 * libllama's samplers alone run in C without a copy of the logits; with a grammar or samplers in TypeScript the
 * candidates pass through memory of our own.
 */
export class SamplerChain extends Handle {
  readonly model: Model;
  readonly #native: Native;
  readonly #segments: Segment[] = [];
  readonly #names: string[] = [];
  #grammar: Sampler | undefined;
  #candidates: Candidates | undefined;
  #logits: Float32Array | undefined;
  #tokens = new Int32Array(256);
  #tokenCount = 0;

  /** @param first A C chain to begin with, which is taken over; for clones. */
  constructor(model: Model, first?: Pointer) {
    super("SamplerChain");
    this.model = model;
    this.#native = model.native;
    if (first !== undefined) this.#segments.push({ chain: first });
    this.adopt(first ?? this.#newSegment(), model);
  }

  /** Names of the samplers in order. */
  get names(): readonly string[] {
    return this.#names;
  }
  get length(): number {
    return this.#names.length;
  }
  /** Puts a sampler behind the others; a native one is moved here. */
  add(sampler: Sampler | CustomSampler): this {
    this.assertUsable();
    this.#names.push(sampler.name);
    if (sampler instanceof CustomSampler) {
      this.#segments.push({ custom: sampler });
      return this;
    }
    const last = this.#segments.at(-1);
    const chain = last && "chain" in last ? last.chain : this.#newSegment();
    this.#native.c.llama_sampler_chain_add(chain, sampler.move());
    return this;
  }

  /** Lets only tokens pass that the grammar allows. */
  setGrammar(grammar: Grammar | string): this {
    this.assertUsable();
    this.#grammar?.dispose();
    this.#grammar = Sampler.grammar(this.model, grammar);
    return this;
  }

  /**
   * Picks a token from output `index` of the last decode (-1: the last output), and accepts it.
   * @throws CriaError with code "GRAMMAR" where the grammar allows no token at all; TypeError where no sampler picks.
   */
  sample(context: ContextLike, index = -1): number {
    this.assertUsable();
    context.checkOutput(index);
    const only = this.#segments.length === 1 && !this.#grammar ? this.#segments[0] : undefined;
    // The names end with a sampler that picks: without one libllama would assert.
    this.#assertPicks();
    if (only && "chain" in only) {
      return this.#native.c.llama_sampler_sample(only.chain, context.pointer, index);
    }
    const candidates = this.#workspace();
    const logits = context.logits(index);
    candidates.fill(logits);
    let token = this.#pick(candidates);
    if (this.#grammar && !this.#allows(candidates, token)) {
      // Asking the grammar about one token is cheap, about all of them is not: only done when the pick is wrong.
      candidates.fill(logits);
      this.#native.c.llama_sampler_apply(this.#grammar.pointer, candidates.address);
      if (!candidates.hasChoice) {
        throw new CriaError("GRAMMAR", "the grammar allows none of the model's tokens here");
      }
      token = this.#pick(candidates);
      if (!this.#allows(candidates, token)) {
        throw new CriaError("GRAMMAR", `the samplers picked token ${token}, which the grammar forbids`);
      }
    }
    this.accept(token);
    return token;
  }

  /**
   * Tells all samplers, and the grammar, that a token was chosen.
   * @throws CriaError where the grammar forbids it; nothing has accepted it then.
   */
  accept(token: number): void {
    this.assertUsable();
    this.model.vocab.checkToken(token, "token");
    if (this.#grammar) {
      const candidates = this.#workspace();
      // libllama throws a C++ exception for a token that the grammar forbids, which would end the process.
      if (!this.#allows(candidates, token)) {
        throw new CriaError("GRAMMAR", `the grammar forbids token ${token}`);
      }
      this.#grammar.accept(token);
    }
    this.#acceptSamplers(token);
  }

  /** Tells penalties and samplers in TypeScript, but not the grammar, what the prompt was. */
  acceptPrompt(tokens: Int32Array): void {
    this.assertUsable();
    for (let index = 0; index < tokens.length; index++) this.#acceptSamplers(tokens[index]!);
  }

  reset(): void {
    this.assertUsable();
    this.#tokenCount = 0;
    this.#grammar?.reset();
    for (const segment of this.#segments) {
      if ("chain" in segment) this.#native.c.llama_sampler_reset(segment.chain);
      else segment.custom.reset();
    }
  }

  /** A chain with the same samplers in the same state; samplers in TypeScript are shared, not copied. */
  clone(): SamplerChain {
    this.assertUsable();
    const clone = (chain: Pointer) => this.#native.c.llama_sampler_clone(chain);
    const copy = new SamplerChain(this.model, clone(this.pointer));
    for (const segment of this.#segments.slice(1)) {
      copy.#segments.push("chain" in segment ? { chain: clone(segment.chain) } : segment);
    }
    copy.#names.push(...this.#names);
    copy.#grammar = this.#grammar?.clone();
    copy.#tokens = this.#tokens.slice();
    copy.#tokenCount = this.#tokenCount;
    return copy;
  }

  protected override free(): void {
    this.#grammar?.dispose();
    for (const segment of this.#segments) {
      if ("chain" in segment) this.#native.c.llama_sampler_free(segment.chain);
    }
    this.#segments.length = 0;
  }

  #newSegment(): Pointer {
    const params = this.#native.struct("llama_sampler_chain_params");
    this.#native.c.llama_sampler_chain_default_params(params);
    const chain = this.#native.c.llama_sampler_chain_init(params);
    this.#segments.push({ chain });
    return chain;
  }

  #workspace(): Candidates {
    this.#candidates ??= new Candidates(this.#native, this.model.vocab.size);
    return this.#candidates;
  }

  #pick(candidates: Candidates): number {
    for (const segment of this.#segments) {
      if ("chain" in segment) this.#native.c.llama_sampler_apply(segment.chain, candidates.address);
      else this.#applyCustom(segment.custom, candidates);
    }
    const token = candidates.selected;
    if (token === undefined)
      throw new TypeError("no sampler of the chain picked a token; end it with greedy or dist");
    return token;
  }

  #applyCustom(custom: CustomSampler, candidates: Candidates): void {
    this.#logits ??= new Float32Array(this.model.vocab.size);
    candidates.readLogits(this.#logits);
    custom.apply(this.#logits, { tokens: this.#tokens.subarray(0, this.#tokenCount) });
    candidates.writeLogits(this.#logits);
    if (!candidates.hasChoice) throw new TypeError(`the sampler "${custom.name}" ruled out every token`);
  }

  #allows(candidates: Candidates, token: number): boolean {
    candidates.fillOne(token);
    this.#native.c.llama_sampler_apply(this.#grammar!.pointer, candidates.address);
    return candidates.hasChoice;
  }

  #acceptSamplers(token: number): void {
    let customs = false;
    for (const segment of this.#segments) {
      if ("chain" in segment) this.#native.c.llama_sampler_accept(segment.chain, token);
      else {
        segment.custom.accept(token);
        customs = true;
      }
    }
    if (!customs) return;
    if (this.#tokenCount === this.#tokens.length) {
      const larger = new Int32Array(2 * this.#tokens.length);
      larger.set(this.#tokens);
      this.#tokens = larger;
    }
    this.#tokens[this.#tokenCount++] = token;
  }

  #assertPicks(): void {
    const last = this.#names.at(-1);
    if (last === undefined || !pickers.has(last)) {
      throw new TypeError(
        `the chain ends with ${last ?? "nothing"}; add a sampler that picks: greedy, dist, mirostat or adaptive-p`,
      );
    }
  }
}

const pickers = new Set(["greedy", "dist", "mirostat", "mirostat-v2", "adaptive-p"]);
