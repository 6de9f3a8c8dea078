import type { Native, Pointer } from "../ffi/index.ts";
import { CriaError, DisposedError } from "../lib/errors.ts";
import { Grammar } from "./grammar.ts";
import { Handle } from "./handle.ts";
import type { Model } from "./model.ts";
import type { Candidates } from "./sampler/candidates.ts";
import { integer, minKeep, number, seed, temperature, window } from "./sampler/check.ts";
import { checkBreakers, checkInfill } from "./sampler/check-vocab.ts";
import { CustomSampler, type CustomSamplerOptions } from "./sampler/custom.ts";
import { GrammarGuard } from "./sampler/grammar-guard.ts";
import { NativeSampler, type SamplerTraits } from "./sampler/native-sampler.ts";

export { Candidates } from "./sampler/candidates.ts";
export { type ContextLike, SamplerChain } from "./sampler/chain.ts";
export type { CandidateView, CustomSamplerInfo, CustomSamplerOptions } from "./sampler/custom.ts";
export type { Narrowing } from "./sampler/narrowing.ts";

/** A bias added to a token's logit; -Infinity bans it. */
export type LogitBias = readonly (readonly [token: number, bias: number])[];

/** A seed; undefined, null and -1 ask for a random one. */
export interface Seeded {
  seed?: number | null | undefined;
}

/** Below, dividing by a temperature can make logits too large to sort. */
const coldest = 0.01;
const scaling = (value: number): SamplerTraits => ({
  overflows: value < coldest,
  monotone: value >= coldest,
});

/**
 * One of libllama's samplers. Adding it to a {@link SamplerChain} moves it there: this object is as good as disposed then.
 *
 * Each factory names the C function it calls; what a parameter means is said in llama.h. Values on which libllama would
 * assert, throw or compute nonsense are refused with TypeError or RangeError naming the field.
 */
export class Sampler extends Handle {
  readonly model: Model;
  readonly #inner: NativeSampler;

  private constructor(model: Model, inner: NativeSampler) {
    super("Sampler");
    if (inner.pointer === 0) throw new CriaError("REQUEST", "libllama could not make the sampler");
    this.model = model;
    this.#inner = inner;
    this.adopt(inner.pointer, model);
  }

  static #make(
    model: Model,
    pointer: Pointer,
    settings: Readonly<Record<string, unknown>> = {},
    traits: SamplerTraits = {},
  ): Sampler {
    return new Sampler(model, new NativeSampler(model.native, pointer, traits, settings));
  }

  /** Takes a C sampler over from the chain it was in. */
  static adopt(model: Model, inner: NativeSampler): Sampler {
    return new Sampler(model, inner);
  }

  /** `llama_sampler_init_greedy`: picks the most likely token. */
  static greedy(model: Model): Sampler {
    const pointer = model.native.c.llama_sampler_init_greedy();
    return Sampler.#make(model, pointer, {}, { picks: true, keeps: { top: 1 } });
  }
  /** `llama_sampler_init_dist`: picks at random by probability. */
  static dist(model: Model, options: Seeded = {}): Sampler {
    const { c } = model.native;
    const pointer = c.llama_sampler_init_dist(seed(options.seed));
    return Sampler.#make(model, pointer, { ...options }, { picks: true, picksInOrder: true });
  }
  /** `llama_sampler_init_top_k`; 0 or less keeps all. */
  static topK(model: Model, k: number): Sampler {
    const pointer = model.native.c.llama_sampler_init_top_k(integer(k, "top_k"));
    const keeps: SamplerTraits = k > 0 ? { keeps: { top: k } } : { changes: [] };
    return Sampler.#make(model, pointer, { k }, { ...keeps, monotone: true });
  }
  /** `llama_sampler_init_top_p`; 1 keeps all. */
  static topP(model: Model, p: number, keep = 1): Sampler {
    const { c } = model.native;
    const pointer = c.llama_sampler_init_top_p(number(p, "top_p", 0), minKeep(keep));
    const mass = Math.fround(p);
    const traits: SamplerTraits = mass < 1 ? { keeps: { mass, keep } } : { changes: [] };
    return Sampler.#make(model, pointer, { p, keep }, traits);
  }
  /** `llama_sampler_init_min_p`; 0 keeps all. */
  static minP(model: Model, p: number, keep = 1): Sampler {
    const { c } = model.native;
    const pointer = c.llama_sampler_init_min_p(number(p, "min_p", 0, 1), minKeep(keep));
    const share = Math.fround(p);
    // Where more must be left than are likely enough, all are sorted.
    const keeps: SamplerTraits = share > 0 && keep <= 1 ? { keeps: { share } } : {};
    const traits = keep <= 1 ? { ...keeps, monotone: true } : {};
    return Sampler.#make(model, pointer, { p, keep }, traits);
  }
  /** `llama_sampler_init_typical`; 1 keeps all. */
  static typical(model: Model, p: number, keep = 1): Sampler {
    const { c } = model.native;
    const pointer = c.llama_sampler_init_typical(number(p, "typical_p", 0), minKeep(keep));
    return Sampler.#make(model, pointer, { p, keep }, { needsProbability: true });
  }
  /** `llama_sampler_init_temp`; 0 keeps the most likely token alone. */
  static temperature(model: Model, value: number): Sampler {
    const pointer = model.native.c.llama_sampler_init_temp(temperature(value));
    return Sampler.#make(model, pointer, { temperature: value }, scaling(value));
  }
  /** `llama_sampler_init_temp_ext`: dynamic temperature by entropy. */
  static temperatureExt(model: Model, value: number, range: number, exponent: number): Sampler {
    const pointer = model.native.c.llama_sampler_init_temp_ext(
      temperature(value),
      number(range, "dynatemp_range", 0),
      number(exponent, "dynatemp_exponent", 0, 1000),
    );
    // With a range as wide as the temperature, the temperature can come out arbitrarily small.
    return Sampler.#make(
      model,
      pointer,
      { temperature: value, range, exponent },
      range > 0 ? { overflows: true } : scaling(value),
    );
  }
  /** `llama_sampler_init_xtc`: excludes top choices now and then. */
  static xtc(
    model: Model,
    options: Seeded & { probability: number; threshold: number; minKeep?: number },
  ): Sampler {
    const pointer = model.native.c.llama_sampler_init_xtc(
      number(options.probability, "xtc_probability", 0, 1),
      number(options.threshold, "xtc_threshold", 0, 1),
      minKeep(options.minKeep ?? 1),
      seed(options.seed),
    );
    // A threshold of 0 would let it exclude all but a token without probability.
    return Sampler.#make(model, pointer, { ...options }, { needsProbability: options.threshold === 0 });
  }
  /** `llama_sampler_init_top_n_sigma`; 0 or less keeps all. */
  static topNSigma(model: Model, n: number): Sampler {
    const pointer = model.native.c.llama_sampler_init_top_n_sigma(number(n, "top_n_sigma"));
    return Sampler.#make(model, pointer, { n });
  }
  /** `llama_sampler_init_mirostat`: picks a token at a target surprise. */
  static mirostat(model: Model, options: Seeded & { tau: number; eta: number; m?: number }): Sampler {
    const pointer = model.native.c.llama_sampler_init_mirostat(
      model.vocab.size,
      seed(options.seed),
      number(options.tau, "mirostat_tau", 0),
      number(options.eta, "mirostat_eta", 0),
      integer(options.m ?? 100, "m", 2),
    );
    return Sampler.#make(model, pointer, { ...options }, { picks: true, needsProbability: true });
  }
  /** `llama_sampler_init_mirostat_v2`: picks a token at a target surprise. */
  static mirostatV2(model: Model, options: Seeded & { tau: number; eta: number }): Sampler {
    const pointer = model.native.c.llama_sampler_init_mirostat_v2(
      seed(options.seed),
      number(options.tau, "mirostat_tau", 0),
      number(options.eta, "mirostat_eta", 0),
    );
    return Sampler.#make(model, pointer, { ...options }, { picks: true, needsProbability: true });
  }
  /** `llama_sampler_init_penalties` for repeated tokens. */
  static penalties(
    model: Model,
    options: { lastN: number; repeat?: number; frequency?: number; presence?: number },
  ): Sampler {
    const { lastN, repeat = 1, frequency = 0, presence = 0 } = options;
    const pointer = model.native.c.llama_sampler_init_penalties(
      model.vocab.size,
      window(lastN, "repeat_last_n"),
      number(repeat, "repeat_penalty", 1e-3, 1e3),
      number(frequency, "frequency_penalty"),
      number(presence, "presence_penalty"),
    );
    // Beyond, logits may become so large that all others count as equal.
    const added = lastN * Math.abs(frequency) + Math.abs(presence);
    const tame = repeat >= 0.01 && repeat <= 100 && added <= 1e7;
    const changes = tame ? ({ changes: "recent" } as const) : {};
    return Sampler.#make(
      model,
      pointer,
      { ...options },
      { window: lastN, learns: true, overflows: true, ...changes },
    );
  }
  /**
   * `llama_sampler_init_dry` against repeated sequences. It looks at each token of the vocabulary for each of `breakers`
   * (texts of at most 40 bytes) when made.
   */
  static dry(
    model: Model,
    options: {
      multiplier: number;
      base?: number;
      allowedLength?: number;
      lastN: number;
      breakers?: readonly string[];
    },
  ): Sampler {
    const { multiplier, base = 1.75, allowedLength = 2, lastN, breakers = ["\n", ":", '"', "*"] } = options;
    const { native, vocab } = model;
    checkBreakers(vocab, breakers);
    const list = native.memory.strings(breakers, "dry_sequence_breakers");
    const pointer = native.c.llama_sampler_init_dry(
      vocab.pointer,
      number(multiplier, "dry_multiplier", 0),
      number(base, "dry_base", 1),
      integer(allowedLength, "dry_allowed_length", 0),
      window(lastN, "dry_penalty_last_n"),
      list.address,
      breakers.length,
    );
    return Sampler.#make(model, pointer, { ...options }, { window: lastN, learns: true, changes: "recent" });
  }
  /**
   * `llama_sampler_init_adaptive_p`: picks a token near a target probability; below 0 by probability alone. A clone
   * starts its random numbers anew.
   */
  static adaptiveP(model: Model, options: Seeded & { target: number; decay?: number }): Sampler {
    const pointer = model.native.c.llama_sampler_init_adaptive_p(
      number(options.target, "adaptive_target", -1, 1),
      number(options.decay ?? 0.9, "adaptive_decay", 0, 0.99),
      seed(options.seed),
    );
    return Sampler.#make(model, pointer, { ...options }, { picks: true, learns: true, awaitsPick: true });
  }
  /** `llama_sampler_init_logit_bias`; biases of the same token are added up. */
  static logitBias(model: Model, biases: LogitBias): Sampler {
    const { native, vocab } = model;
    for (const [token, bias] of biases) {
      vocab.checkToken(token, "logit_bias");
      if (bias !== Number.NEGATIVE_INFINITY) number(bias, `logit_bias of token ${token}`);
    }
    // Of several for one token libllama counts all or the first, by where among the candidates the token is.
    const sums = new Map<number, number>();
    for (const [token, bias] of biases) sums.set(token, Math.fround((sums.get(token) ?? 0) + bias));
    const pairs = [...sums];
    const array = native.struct("llama_logit_bias", { count: Math.max(1, pairs.length) });
    for (const [index, [token, bias]] of pairs.entries())
      array.set("token", token, index).set("bias", bias, index);
    const pointer = native.c.llama_sampler_init_logit_bias(vocab.size, pairs.length, array.address);
    const small = pairs.every(([, bias]) => bias < 1e6 && (bias > -1e6 || bias === Number.NEGATIVE_INFINITY));
    const changes = [...sums.keys()];
    const traits = small ? { biases: pairs, changes } : { overflows: true };
    const settings = { biases: biases.map(([...pair]) => pair) };
    return Sampler.#make(model, pointer, settings, traits);
  }
  /** `llama_sampler_init_infill`, for filling in the middle; it compares all pairs of at most 1000 candidates. */
  static infill(model: Model): Sampler {
    checkInfill(model);
    const pointer = model.native.c.llama_sampler_init_infill(model.vocab.pointer);
    return Sampler.#make(model, pointer, {}, { most: 1000 });
  }
  /** `llama_sampler_init_grammar`: lets only tokens pass that the grammar allows next. */
  static grammar(model: Model, grammar: Grammar | string): Sampler {
    const { source, root, guard } = prepare(model, grammar);
    const { c, memory } = model.native;
    const [text, name] = [memory.string(source, "grammar"), memory.string(root, "root")];
    const pointer = c.llama_sampler_init_grammar(model.vocab.pointer, text.address, name.address);
    return Sampler.#make(model, pointer, { source, root }, { learns: true, guard });
  }
  /**
   * `llama_sampler_init_grammar_lazy_patterns`: a grammar that sleeps until one of `words` comes up in the text, or one of
   * `tokens`, and must be matched from there on. Words are taken literally: what libllama's regular expressions do with a
   * pattern cannot be known beforehand, and an error in it would end the process.
   */
  static grammarLazy(
    model: Model,
    grammar: Grammar | string,
    { words = [], tokens = [] }: { words?: readonly string[]; tokens?: readonly number[] },
  ): Sampler {
    const { vocab, native } = model;
    const { c, memory } = native;
    if (words.includes("")) throw new RangeError("words must not hold an empty text");
    const ids = Int32Array.from(tokens, (token, index) => vocab.checkToken(token, `tokens[${index}]`));
    const patterns = memory.strings(
      words.map((word) => word.replace(/[.^$|()*+?[\]{}\\]/g, "\\$&")),
      "words",
    );
    const triggers = { words: words.map((word) => new TextEncoder().encode(word)), tokens: new Set(ids) };
    const { source, root, guard } = prepare(model, grammar, triggers);
    const [text, name] = [memory.string(source, "grammar"), memory.string(root, "root")];
    const pointer = c.llama_sampler_init_grammar_lazy_patterns(
      vocab.pointer,
      text.address,
      name.address,
      patterns.address,
      words.length,
      memory.addressOf(ids),
      ids.length,
    );
    return Sampler.#make(model, pointer, { source, root, words, tokens }, { learns: true, guard });
  }
  /** A sampler in TypeScript, for a chain. */
  static custom(options: CustomSamplerOptions): CustomSampler {
    return new CustomSampler(options);
  }

  get native(): Native {
    return this.model.native;
  }

  /** libllama's name of it; "?" before the name of one whose settings switch it off. */
  get name(): string {
    return this.#use().name;
  }

  /** The seed in use; undefined where libllama tells none. */
  get seed(): number | undefined {
    const value = this.native.c.llama_sampler_get_seed(this.pointer);
    return value === 0xffffffff ? undefined : value;
  }

  /** What it was made with. */
  get settings(): Readonly<Record<string, unknown>> {
    return this.#use().settings;
  }

  /** Whether it is a grammar. */
  get isGrammar(): boolean {
    return this.#use().traits.guard !== undefined;
  }

  /** Whether {@link accept} may be given a token: a grammar may forbid it. */
  allows(token: number): boolean {
    return this.#use().allows(this.model.vocab.checkToken(token, "token"));
  }

  /**
   * All tokens that a grammar {@link allows}; undefined where they are more than `most`, where it still sleeps, and for other
   * samplers.
   */
  allowedTokens(most: number): number[] | undefined {
    return this.#use().traits.guard?.allowedTokens(most);
  }

  /** Changes candidates, or selects one of them. @throws RangeError where there are none. */
  apply(candidates: Candidates): void {
    this.#use().apply(candidates);
  }

  /** Tells the sampler which token was chosen. @throws RangeError where it is no token, or the grammar forbids it. */
  accept(token: number): void {
    this.#use().accept(this.model.vocab.checkToken(token, "token"));
  }

  reset(): void {
    this.#use().reset();
  }

  /** A sampler in the same state. @throws DisposedError where the model is disposed, too. */
  clone(): Sampler {
    if (this.model.disposed) throw new DisposedError("Model");
    return new Sampler(this.model, this.#use().clone());
  }

  /** Takes over another's state (`llama_sampler_copy`). @throws TypeError where it was made with other settings. */
  copyFrom(other: Sampler): void {
    this.#use().copyFrom(other.#use());
  }

  /** Gives the C object away; for chains. */
  move(): NativeSampler {
    const inner = this.#use();
    this.surrender();
    return inner;
  }

  #use(): NativeSampler {
    this.assertUsable();
    return this.#inner;
  }

  protected override free(pointer: Pointer): void {
    this.native.c.llama_sampler_free(pointer);
  }
}

function prepare(
  model: Model,
  grammar: Grammar | string,
  triggers?: ConstructorParameters<typeof GrammarGuard>[2],
) {
  const { vocab } = model;
  const parsed = typeof grammar === "string" ? Grammar.of(grammar) : grammar;
  if (!(parsed instanceof Grammar))
    throw new TypeError("grammar must be GBNF text, or Grammar.parse() of it");
  const guard = new GrammarGuard(parsed.matcher(vocab), vocab, triggers);
  return { source: parsed.source, root: parsed.root, guard };
}
