import type { Native, Pointer } from "../ffi/index.ts";
import { CriaError } from "../lib/errors.ts";
import { Grammar } from "./grammar.ts";
import { Handle } from "./handle.ts";
import type { Model } from "./model.ts";
import { integer, number, seed } from "./sampler/check.ts";
import { CustomSampler, type CustomSamplerOptions } from "./sampler/custom.ts";

export { SamplerChain } from "./sampler/chain.ts";
export type { CustomSamplerInfo, CustomSamplerOptions } from "./sampler/custom.ts";

/** A bias added to a token's logit; -Infinity bans it. */
export type LogitBias = readonly (readonly [token: number, bias: number])[];

const maxMinKeep = 0x7fffffff;

/**
 * One of libllama's samplers. Adding it to a {@link SamplerChain} moves it there: this object is as good as disposed then.
 *
 * Each factory names the C function it calls; what a parameter means is said in llama.h.
 */
export class Sampler extends Handle {
  readonly native: Native;

  /** Takes a C sampler over; use the factories. */
  constructor(native: Native, pointer: Pointer, owner?: Handle) {
    super("Sampler");
    if (pointer === 0) throw new CriaError("REQUEST", "libllama could not make the sampler");
    this.native = native;
    this.adopt(pointer, owner);
  }

  /** `llama_sampler_init_greedy` */
  static greedy({ native }: Model): Sampler {
    return new Sampler(native, native.c.llama_sampler_init_greedy());
  }
  /** `llama_sampler_init_dist`: picks at random by probability. */
  static dist({ native }: Model, options: { seed?: number | null } = {}): Sampler {
    return new Sampler(native, native.c.llama_sampler_init_dist(seed(options.seed)));
  }
  /** `llama_sampler_init_top_k`; 0 or less keeps all. */
  static topK({ native }: Model, k: number): Sampler {
    return new Sampler(native, native.c.llama_sampler_init_top_k(integer(k, "top_k")));
  }
  /** `llama_sampler_init_top_p`; 1 keeps all. */
  static topP({ native }: Model, p: number, minKeep = 1): Sampler {
    return new Sampler(native, native.c.llama_sampler_init_top_p(number(p, "top_p", 0), keep(minKeep)));
  }
  /** `llama_sampler_init_min_p`; 0 keeps all. */
  static minP({ native }: Model, p: number, minKeep = 1): Sampler {
    return new Sampler(native, native.c.llama_sampler_init_min_p(number(p, "min_p", 0, 1), keep(minKeep)));
  }
  /** `llama_sampler_init_typical`; 1 keeps all. */
  static typical({ native }: Model, p: number, minKeep = 1): Sampler {
    return new Sampler(native, native.c.llama_sampler_init_typical(number(p, "typical_p", 0), keep(minKeep)));
  }
  /** `llama_sampler_init_temp`; 0 keeps the most likely token alone. */
  static temperature({ native }: Model, temperature: number): Sampler {
    return new Sampler(native, native.c.llama_sampler_init_temp(number(temperature, "temperature", 0)));
  }
  /** `llama_sampler_init_temp_ext`: dynamic temperature by entropy. */
  static temperatureExt({ native }: Model, temperature: number, range: number, exponent: number): Sampler {
    return new Sampler(
      native,
      native.c.llama_sampler_init_temp_ext(
        number(temperature, "temperature", 0),
        number(range, "dynatemp_range", 0),
        number(exponent, "dynatemp_exponent", 0),
      ),
    );
  }
  /** `llama_sampler_init_xtc`: excludes top choices now and then. */
  static xtc(
    { native }: Model,
    options: { probability: number; threshold: number; minKeep?: number; seed?: number | null },
  ): Sampler {
    const { probability, threshold, minKeep = 1 } = options;
    return new Sampler(
      native,
      native.c.llama_sampler_init_xtc(
        number(probability, "xtc_probability", 0, 1),
        number(threshold, "xtc_threshold", 0, 1),
        keep(minKeep),
        seed(options.seed),
      ),
    );
  }
  /** `llama_sampler_init_top_n_sigma`; less than 0 keeps all. */
  static topNSigma({ native }: Model, n: number): Sampler {
    return new Sampler(native, native.c.llama_sampler_init_top_n_sigma(number(n, "top_n_sigma")));
  }
  /** `llama_sampler_init_mirostat`; picks a token. */
  static mirostat(
    { native, vocab }: Model,
    options: { tau: number; eta: number; m?: number; seed?: number | null },
  ): Sampler {
    const { tau, eta, m = 100 } = options;
    const { c } = native;
    const pointer = c.llama_sampler_init_mirostat(
      vocab.size,
      seed(options.seed),
      number(tau, "mirostat_tau", 0),
      number(eta, "mirostat_eta", 0),
      integer(m, "m", 2, vocab.size),
    );
    return new Sampler(native, pointer);
  }
  /** `llama_sampler_init_mirostat_v2`; picks a token. */
  static mirostatV2({ native }: Model, options: { tau: number; eta: number; seed?: number | null }): Sampler {
    const { c } = native;
    const pointer = c.llama_sampler_init_mirostat_v2(
      seed(options.seed),
      number(options.tau, "mirostat_tau", 0),
      number(options.eta, "mirostat_eta", 0),
    );
    return new Sampler(native, pointer);
  }
  /** `llama_sampler_init_penalties` for repeated tokens. */
  static penalties(
    { native, vocab }: Model,
    options: { lastN: number; repeat?: number; frequency?: number; presence?: number },
  ): Sampler {
    const { lastN, repeat = 1, frequency = 0, presence = 0 } = options;
    if (number(repeat, "repeat_penalty") <= 0)
      throw new RangeError(`repeat_penalty must be above 0, got ${repeat}`);
    const pointer = native.c.llama_sampler_init_penalties(
      vocab.size,
      integer(lastN, "repeat_last_n", 0, 2 ** 24),
      repeat,
      number(frequency, "frequency_penalty"),
      number(presence, "presence_penalty"),
    );
    return new Sampler(native, pointer);
  }
  /** `llama_sampler_init_dry` against repeated sequences. */
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
    const list = native.memory.strings(breakers, "dry_sequence_breakers");
    const pointer = native.c.llama_sampler_init_dry(
      vocab.pointer,
      number(multiplier, "dry_multiplier", 0),
      number(base, "dry_base", 0),
      integer(allowedLength, "dry_allowed_length", 0),
      integer(lastN, "dry_penalty_last_n", 0, 2 ** 24),
      list.address,
      breakers.length,
    );
    return new Sampler(native, pointer, model);
  }
  /** `llama_sampler_init_adaptive_p`; picks a token near a target probability. */
  static adaptiveP(
    { native }: Model,
    options: { target: number; decay?: number; seed?: number | null },
  ): Sampler {
    const { target, decay = 0.9 } = options;
    const { c } = native;
    const pointer = c.llama_sampler_init_adaptive_p(
      number(target, "adaptive_target", -1, 1),
      number(decay, "adaptive_decay", 0, 0.99),
      seed(options.seed),
    );
    return new Sampler(native, pointer);
  }
  /** `llama_sampler_init_logit_bias` */
  static logitBias({ native, vocab }: Model, biases: LogitBias): Sampler {
    const array = native.struct("llama_logit_bias", { count: Math.max(1, biases.length) });
    for (const [index, [token, bias]] of biases.entries()) {
      if (typeof bias !== "number" || Number.isNaN(bias))
        throw new TypeError(`logit_bias of token ${token} must be a number, got ${bias}`);
      array.set("token", vocab.checkToken(token, "logit_bias"), index).set("bias", bias, index);
    }
    return new Sampler(
      native,
      native.c.llama_sampler_init_logit_bias(vocab.size, biases.length, array.address),
    );
  }
  /** `llama_sampler_init_infill`, for filling in the middle; put it behind top-k and top-p. */
  static infill(model: Model): Sampler {
    return new Sampler(model.native, model.native.c.llama_sampler_init_infill(model.vocab.pointer), model);
  }
  /** `llama_sampler_init_grammar`. Prefer `SamplerChain.setGrammar`, which guards what libllama does not. */
  static grammar(model: Model, grammar: Grammar | string): Sampler {
    const { source, root } = typeof grammar === "string" ? Grammar.parse(grammar) : grammar;
    const { c, memory } = model.native;
    const [text, name] = [memory.string(source, "grammar"), memory.string(root, "root")];
    return new Sampler(
      model.native,
      c.llama_sampler_init_grammar(model.vocab.pointer, text.address, name.address),
      model,
    );
  }
  /** `llama_sampler_init_grammar_lazy_patterns`: the grammar takes effect once a pattern or token has come up. */
  static grammarLazy(
    model: Model,
    grammar: Grammar | string,
    triggers: { patterns?: readonly string[]; tokens?: readonly number[] },
  ): Sampler {
    const { source, root } = typeof grammar === "string" ? Grammar.parse(grammar) : grammar;
    const { native, vocab } = model;
    const { patterns = [], tokens = [] } = triggers;
    for (const [index, pattern] of patterns.entries()) checkPattern(pattern, `patterns[${index}]`);
    const ids = Int32Array.from(tokens, (token, index) => vocab.checkToken(token, `tokens[${index}]`));
    const { memory } = native;
    const [text, name] = [memory.string(source, "grammar"), memory.string(root, "root")];
    const list = memory.strings(patterns, "patterns");
    const pointer = native.c.llama_sampler_init_grammar_lazy_patterns(
      vocab.pointer,
      text.address,
      name.address,
      list.address,
      patterns.length,
      memory.addressOf(ids),
      ids.length,
    );
    return new Sampler(native, pointer, model);
  }
  /** A sampler in TypeScript, for a chain. */
  static custom(options: CustomSamplerOptions): CustomSampler {
    return new CustomSampler(options);
  }

  get name(): string {
    return this.native.memory.readString(this.native.c.llama_sampler_name(this.pointer)) ?? "";
  }

  /** The seed in use; 4294967295 where it has none. */
  get seed(): number {
    return this.native.c.llama_sampler_get_seed(this.pointer);
  }

  accept(token: number): void {
    this.native.c.llama_sampler_accept(this.pointer, integer(token, "token", 0));
  }

  reset(): void {
    this.native.c.llama_sampler_reset(this.pointer);
  }

  clone(): Sampler {
    return new Sampler(this.native, this.native.c.llama_sampler_clone(this.pointer));
  }

  /** Gives the C object away; for chains. */
  move(): Pointer {
    return this.surrender();
  }

  protected override free(pointer: Pointer): void {
    this.native.c.llama_sampler_free(pointer);
  }
}

function keep(minKeep: number): number {
  return integer(minKeep, "min_keep", 0, maxMinKeep);
}

/** libllama compiles patterns as C++ regular expressions; a bad one would end the process. */
function checkPattern(pattern: string, field: string): void {
  try {
    new RegExp(pattern);
  } catch (cause) {
    throw new TypeError(`${field} is no regular expression: ${pattern}`, { cause });
  }
}
