import type { Pointer } from "../../ffi/index.ts";
import { CriaError, DisposedError } from "../../lib/errors.ts";
import { LogitsScan } from "../../lib/logits-scan.ts";
import type { Grammar } from "../grammar.ts";
import { Handle } from "../handle.ts";
import type { Model } from "../model.ts";
import { Sampler } from "../sampler.ts";
import { CustomSampler } from "./custom.ts";
import type { Link, Narrowing } from "./narrowing.ts";
import { forbidden, NativeSampler } from "./native-sampler.ts";
import { Picker } from "./picker.ts";
import { TokenHistory } from "./token-history.ts";

/** What a chain needs of a context. */
export interface ContextLike {
  /** @throws RangeError where that output does not exist. */
  checkOutput(index: number): void;
  /** Logits of an output, which stay as they are. Shape [vocabulary]. */
  logits(index: number): Float32Array;
  /** Logits of an output, copied and looked over; the chain may change them. Where there is none, {@link logits} are copied. */
  scan?(index: number): LogitsScan;
}

/** Time spent choosing tokens, and how many were chosen. */
export interface SamplerPerformance {
  readonly sampleMs: number;
  readonly sampleCount: number;
}

/**
 * Samplers one after another, of which the last picks a token (greedy, dist, mirostat, adaptive-p).
 *
 * libllama's samplers run one by one over candidates in memory of our own: `llama_sampler_sample` asserts where nothing
 * can be picked, and takes longer to gather the candidates.
 */
export class SamplerChain extends Handle {
  readonly model: Model;
  readonly #links: Link[] = [];
  #grammar: Sampler | undefined;
  readonly #picker: Picker;
  /** For contexts that only give copies of their logits. */
  #scan: LogitsScan | undefined;
  #history = new TokenHistory();
  #sampleMs = 0;
  #sampleCount = 0;

  constructor(model: Model) {
    super("SamplerChain");
    this.model = model;
    this.#picker = new Picker(model);
    const { c } = model.native;
    const params = model.native.struct("llama_sampler_chain_params");
    c.llama_sampler_chain_default_params(params);
    this.adopt(c.llama_sampler_chain_init(params), model);
  }

  /** The C chain, with libllama's samplers alone: neither the grammar nor samplers in TypeScript are in it. */
  override get pointer(): Pointer<"llama_sampler"> {
    return super.pointer as Pointer<"llama_sampler">;
  }

  /** Names of the samplers in order. */
  get names(): readonly string[] {
    this.assertUsable();
    return this.#links.map(({ name }) => name);
  }
  get length(): number {
    return this.#links.length;
  }
  /** Name and settings of a sampler. @throws RangeError */
  at(index: number): { readonly name: string; readonly settings: Readonly<Record<string, unknown>> } {
    const link = this.#link(index);
    return { name: link.name, settings: link instanceof NativeSampler ? link.settings : {} };
  }
  /** The seed of the last sampler that has one; undefined where none has. */
  get seed(): number | undefined {
    const value = this.model.native.c.llama_sampler_get_seed(this.pointer);
    return value === 0xffffffff ? undefined : value;
  }

  /**
   * Puts a sampler behind the others; a native one is moved here. A grammar is put where {@link setGrammar} puts it.
   * @throws TypeError behind a sampler that picks, or for a sampler of another model.
   */
  add(sampler: Sampler | CustomSampler): this {
    this.assertUsable();
    this.#picker.forget();
    const last = this.#links.at(-1);
    const grammar = sampler instanceof Sampler && sampler.model === this.model && sampler.isGrammar;
    if (last && picks(last) && !grammar) {
      throw new TypeError(`${last.name} picks the token; nothing can stand behind it`);
    }
    if (sampler instanceof CustomSampler) {
      this.#links.push(sampler);
      return this;
    }
    if (sampler.model !== this.model) throw new TypeError("the sampler was made for another model");
    const inner = sampler.move();
    if (inner.traits.guard) this.#takeGrammar(inner);
    else {
      this.model.native.c.llama_sampler_chain_add(this.pointer, inner.pointer);
      this.#links.push(inner);
    }
    return this;
  }

  /**
   * Lets only tokens pass that the grammar allows, in place of a grammar before it. It is asked about the token picked, and
   * only when it refuses that are all tokens filtered and the pick repeated, as llama.cpp's own tools do. With `triggers` it sleeps until
   * one of these texts comes up.
   * @throws GrammarError
   */
  setGrammar(grammar: Grammar | string, triggers: readonly string[] = []): this {
    this.assertUsable();
    const sampler =
      triggers.length > 0
        ? Sampler.grammarLazy(this.model, grammar, { words: triggers })
        : Sampler.grammar(this.model, grammar);
    return this.#takeGrammar(sampler.move());
  }

  /** Takes a sampler out again. @throws RangeError */
  remove(index: number): Sampler | CustomSampler {
    const link = this.#link(index);
    if (this.model.disposed) throw new DisposedError("Model");
    const before = this.#links.slice(0, index).filter((other) => other instanceof NativeSampler).length;
    this.#links.splice(index, 1);
    this.#picker.forget();
    if (link instanceof CustomSampler) return link;
    this.model.native.c.llama_sampler_chain_remove(this.pointer, before);
    return Sampler.adopt(this.model, link);
  }

  /**
   * Picks a token from output `index` of the last decode (-1: the last output), and accepts it. Where the grammar allows no
   * token at all, that is the model's end token, which nothing accepts.
   * @throws RequestError where samplers ruled out every token; TypeError where none picks; RangeError for NaN.
   */
  sample(context: ContextLike, index = -1): number {
    this.#assertPicks();
    context.checkOutput(index);
    const started = performance.now();
    return this.#sample(context.scan?.(index) ?? this.#copied(context.logits(index)), started);
  }

  /** As {@link sample}, from logits that were looked over already; they may be changed. */
  sampleFrom(scan: LogitsScan): number {
    this.#assertPicks();
    return this.#sample(scan, performance.now());
  }

  #sample(scan: LogitsScan, started: number): number {
    const { length } = scan.logits;
    if (length !== this.model.vocab.size)
      throw new RangeError(`the context has ${length} logits, the model ${this.model.vocab.size} tokens`);
    const token = this.#picker.choose(scan, {
      links: this.#links,
      grammar: this.#grammar,
      history: this.#history,
    });
    if (token !== undefined) this.#accept(token);
    this.#sampleMs += performance.now() - started;
    this.#sampleCount++;
    return token ?? this.#endToken();
  }

  #assertPicks(): void {
    this.assertUsable();
    const last = this.#links.at(-1);
    if (last && picks(last)) return;
    throw new TypeError(
      `the chain ends with ${last?.name ?? "nothing"}; add a sampler that picks: greedy, dist, mirostat or adaptive-p`,
    );
  }

  #copied(logits: Float32Array): LogitsScan {
    if (this.#scan?.logits.length !== logits.length) {
      this.#scan?.release();
      this.#scan = new LogitsScan(logits.length);
    }
    this.#scan.logits.set(logits);
    this.#scan.rescan();
    return this.#scan;
  }

  /** Whether the grammar, where there is one, lets a token come next. */
  allows(token: number): boolean {
    this.assertUsable();
    return this.#grammar?.allows(token) ?? true;
  }

  /** Tells all samplers, and the grammar, that a token was chosen. @throws RangeError where the grammar forbids it. */
  accept(token: number): void {
    this.assertUsable();
    this.model.vocab.checkToken(token, "token");
    if (this.#grammar && !this.#grammar.allows(token)) throw forbidden(token);
    this.#accept(token);
  }

  /** Tells penalties and samplers in TypeScript, but not the grammar, what the prompt was. */
  acceptPrompt(tokens: Int32Array): void {
    this.assertUsable();
    for (const token of tokens) this.model.vocab.checkToken(token, "tokens");
    for (const link of this.#links) {
      const window = link instanceof CustomSampler ? tokens.length : (link.traits.window ?? 0);
      for (const token of tokens.subarray(Math.max(0, tokens.length - window))) link.accept(token);
    }
    if (this.#hasCustom) this.#history.append(tokens);
  }

  reset(): void {
    this.assertUsable();
    this.#history = new TokenHistory();
    this.#grammar?.reset();
    for (const link of this.#links) link.reset();
  }

  /** A chain in the same state; a sampler in TypeScript is shared unless it can be cloned. */
  clone(): SamplerChain {
    this.assertUsable();
    const copy = new SamplerChain(this.model);
    for (const link of this.#links) {
      copy.add(link instanceof CustomSampler ? link.clone() : Sampler.adopt(this.model, link.clone()));
    }
    copy.#grammar = this.#grammar?.clone();
    copy.#history = this.#history.clone();
    copy.narrowing = this.narrowing;
    return copy;
  }

  /** Takes over the state of a chain made alike. @throws TypeError where it was not, or holds samplers in TypeScript. */
  copyFrom(other: SamplerChain): void {
    this.assertUsable();
    other.assertUsable();
    const alike =
      this.length === other.length && (this.#grammar === undefined) === (other.#grammar === undefined);
    if (!alike) throw new TypeError("the state of a chain fits only a chain of the same samplers");
    if (this.#hasCustom)
      throw new TypeError("samplers in TypeScript cannot be copied; clone the chain instead");
    for (const [index, link] of this.#links.entries()) {
      const source = other.#links[index];
      if (!(source instanceof NativeSampler)) throw new TypeError("samplers in TypeScript cannot be copied");
      (link as NativeSampler).copyFrom(source);
    }
    if (this.#grammar) this.#grammar.copyFrom(other.#grammar!);
  }

  /** Which candidates samplers are given. Default "survivors". */
  get narrowing(): Narrowing {
    return this.#picker.narrowing;
  }
  set narrowing(value: Narrowing) {
    this.#picker.narrowing = value;
  }

  /** How often fewer candidates than the whole vocabulary were enough. */
  get narrowed(): number {
    return this.#picker.narrowed;
  }

  get performance(): SamplerPerformance {
    return { sampleMs: this.#sampleMs, sampleCount: this.#sampleCount };
  }

  resetPerformance(): void {
    this.#sampleMs = 0;
    this.#sampleCount = 0;
  }

  protected override free(pointer: Pointer): void {
    this.#grammar?.dispose();
    this.#scan?.release();
    this.#picker.forget();
    this.#links.length = 0;
    this.model.native.c.llama_sampler_free(pointer);
  }

  #link(index: number): Link {
    this.assertUsable();
    const link = this.#links[index];
    if (link) return link;
    throw new RangeError(`index must be between 0 and ${this.#links.length - 1}, got ${index}`);
  }

  get #hasCustom(): boolean {
    return this.#links.some((link) => link instanceof CustomSampler);
  }

  #takeGrammar(inner: NativeSampler): this {
    this.#grammar?.dispose();
    this.#grammar = Sampler.adopt(this.model, inner);
    return this;
  }

  #accept(token: number): void {
    this.#grammar?.accept(token);
    for (const link of this.#links) link.accept(token);
    if (this.#hasCustom) this.#history.push(token);
  }

  #endToken(): number {
    const { vocab } = this.model;
    const token = [vocab.eot, vocab.eos].find((end) => end !== undefined && vocab.isEndOfGeneration(end));
    const end = token ?? vocab.endOfGenerationTokens[0];
    if (end !== undefined) return end;
    throw new CriaError(
      "GRAMMAR",
      "the grammar allows no token here, and the model has none that ends a text",
    );
  }
}

function picks(link: Link): boolean {
  return link instanceof NativeSampler && link.traits.picks === true;
}
