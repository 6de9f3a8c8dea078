import { RequestError } from "../lib/errors.ts";
import type { Grammar } from "./grammar.ts";
import type { Model } from "./model.ts";
import { integer, number, temperature } from "./sampler/check.ts";
import { CustomSampler, type CustomSamplerInfo } from "./sampler/custom.ts";
import { type LogitBias, Sampler, SamplerChain } from "./sampler.ts";

/** Changes the logits of the next token in place, given the tokens so far; -Infinity rules a token out. */
export type LogitsProcessor = (logits: Float32Array, info: CustomSamplerInfo) => void;

/** How to choose tokens, under the names of llama.cpp's server and OpenAI's API. */
export interface SamplingParams {
  /** Undefined, null or -1: random. */
  seed?: number | null | undefined;
  /** 0 takes the most likely token. Default 0.8. */
  temperature?: number | null | undefined;
  /** Default 40; 0 keeps all. */
  top_k?: number | undefined;
  /** Default 0.95; 1 keeps all. */
  top_p?: number | null | undefined;
  /** Default 0.05; 0 keeps all. */
  min_p?: number | undefined;
  /** Default 1, off. */
  typical_p?: number | undefined;
  /** Default -1, off. */
  top_n_sigma?: number | undefined;
  /** Default 0, off. */
  xtc_probability?: number | undefined;
  xtc_threshold?: number | undefined;
  /** Default 0, off. */
  dynatemp_range?: number | undefined;
  dynatemp_exponent?: number | undefined;
  /** Default 1, off. */
  repeat_penalty?: number | undefined;
  /** Tokens looked back at; -1 for the whole context. Default 64. */
  repeat_last_n?: number | undefined;
  frequency_penalty?: number | null | undefined;
  presence_penalty?: number | null | undefined;
  /** Default 0, off. */
  dry_multiplier?: number | undefined;
  dry_base?: number | undefined;
  dry_allowed_length?: number | undefined;
  /** Tokens looked back at; -1 for the whole context. Default 64. */
  dry_penalty_last_n?: number | undefined;
  dry_sequence_breakers?: readonly string[] | undefined;
  /** 0 (off), 1 or 2; replaces all truncating samplers. */
  mirostat?: number | undefined;
  mirostat_tau?: number | undefined;
  mirostat_eta?: number | undefined;
  /** Probability to stay near; negative (default): off. Replaces the random pick. */
  adaptive_target?: number | undefined;
  adaptive_decay?: number | undefined;
  /** Fewest tokens that truncating samplers leave. */
  min_keep?: number | undefined;
  /** Order of the samplers, by llama.cpp's names. */
  samplers?: readonly string[] | undefined;
  /** Added to the logits of tokens; false bans a token. */
  logit_bias?:
    | LogitBias
    | ReadonlyMap<number, number | false>
    | Readonly<Record<string, number | false>>
    | null
    | undefined;
  /** GBNF that the text must match. */
  grammar?: Grammar | string | null | undefined;
  /** Texts that wake the grammar: until the first of them comes up anything may be written, and from it on the grammar holds. */
  grammar_triggers?: readonly string[] | undefined;
  ignore_eos?: boolean | undefined;
  logits_processors?: LogitsProcessor | readonly LogitsProcessor[] | undefined;
}

/** What {@link SamplingParams} leaves out. */
export const samplingDefaults = {
  temperature: 0.8,
  top_k: 40,
  top_p: 0.95,
  min_p: 0.05,
  typical_p: 1,
  top_n_sigma: -1,
  xtc_probability: 0,
  xtc_threshold: 0.1,
  dynatemp_range: 0,
  dynatemp_exponent: 1,
  repeat_penalty: 1,
  repeat_last_n: 64,
  frequency_penalty: 0,
  presence_penalty: 0,
  dry_multiplier: 0,
  dry_base: 1.75,
  dry_allowed_length: 2,
  dry_penalty_last_n: 64,
  mirostat: 0,
  mirostat_tau: 5,
  mirostat_eta: 0.1,
  adaptive_target: -1,
  adaptive_decay: 0.9,
  min_keep: 0,
} as const;

type Numbers = { [K in keyof typeof samplingDefaults]: number };

/** llama.cpp's default order. */
export const defaultSamplers = [
  "penalties",
  "dry",
  "top_n_sigma",
  "top_k",
  "typ_p",
  "top_p",
  "min_p",
  "xtc",
  "temperature",
] as const;

const aliases: ReadonlyMap<string, string> = new Map([
  ["typical_p", "typ_p"],
  ["typical", "typ_p"],
  ["temp", "temperature"],
  ["top_nsigma", "top_n_sigma"],
  ["nucleus", "top_p"],
]);

/** Tokens to look back at for -1 where neither a context nor the model (loaded without weights) tells a length. */
const fallbackLength = 4096;

interface Building {
  readonly model: Model;
  readonly numbers: Numbers;
  readonly seed: number | null | undefined;
  readonly breakers: readonly string[] | undefined;
  readonly contextLength: number;
}

/** Looking back further than the context reaches would only cost memory. */
const lookBack = (value: number, { contextLength }: Building) =>
  value === -1 ? contextLength : Math.min(value, contextLength);

/** What each name stands for; undefined where its parameters switch it off. */
const factories: Readonly<Record<string, (building: Building) => Sampler | undefined>> = {
  penalties: (building) => {
    const { model, numbers } = building;
    const { repeat_penalty: repeat, frequency_penalty: frequency, presence_penalty: presence } = numbers;
    const off = numbers.repeat_last_n === 0 || (repeat === 1 && frequency === 0 && presence === 0);
    const lastN = lookBack(numbers.repeat_last_n, building);
    return off ? undefined : Sampler.penalties(model, { lastN, repeat, frequency, presence });
  },
  dry: (building) => {
    const { model, numbers, breakers } = building;
    if (numbers.dry_multiplier === 0 || numbers.dry_penalty_last_n === 0) return undefined;
    return Sampler.dry(model, {
      multiplier: numbers.dry_multiplier,
      base: numbers.dry_base,
      allowedLength: numbers.dry_allowed_length,
      lastN: lookBack(numbers.dry_penalty_last_n, building),
      ...(breakers && { breakers }),
    });
  },
  top_n_sigma: ({ model, numbers }) =>
    numbers.top_n_sigma <= 0 ? undefined : Sampler.topNSigma(model, numbers.top_n_sigma),
  top_k: ({ model, numbers }) => (numbers.top_k <= 0 ? undefined : Sampler.topK(model, numbers.top_k)),
  typ_p: ({ model, numbers }) =>
    numbers.typical_p === 1 ? undefined : Sampler.typical(model, numbers.typical_p, numbers.min_keep),
  top_p: ({ model, numbers }) =>
    numbers.top_p === 1 ? undefined : Sampler.topP(model, numbers.top_p, numbers.min_keep),
  min_p: ({ model, numbers }) =>
    numbers.min_p === 0 ? undefined : Sampler.minP(model, numbers.min_p, numbers.min_keep),
  xtc: ({ model, numbers, seed }) =>
    numbers.xtc_probability === 0 || numbers.xtc_threshold > 0.5
      ? undefined
      : Sampler.xtc(model, {
          probability: numbers.xtc_probability,
          threshold: numbers.xtc_threshold,
          minKeep: numbers.min_keep,
          ...(seed !== undefined && { seed }),
        }),
  temperature: ({ model, numbers }) =>
    Sampler.temperatureExt(model, numbers.temperature, numbers.dynatemp_range, numbers.dynatemp_exponent),
  infill: ({ model }) => Sampler.infill(model),
  // It picks, so it comes last whatever its place, and its target says whether it is on.
  adaptive_p: () => undefined,
};

const whole = true;
/** Bounds of the fields, inclusive; what is meant to be an integer says so. */
export const samplingBounds: Readonly<
  Record<keyof Numbers, readonly [least: number, most: number, integer?: boolean]>
> = {
  temperature: [0, 1e6],
  top_k: [-0x80000000, 0x7fffffff, whole],
  top_p: [0, 1],
  min_p: [0, 1],
  typical_p: [0, 1],
  top_n_sigma: [-1e6, 1e6],
  xtc_probability: [0, 1],
  xtc_threshold: [0, 1],
  dynatemp_range: [0, 1e6],
  dynatemp_exponent: [0, 1000],
  repeat_penalty: [1e-3, 1e3],
  repeat_last_n: [-1, 2 ** 24, whole],
  frequency_penalty: [-1e6, 1e6],
  presence_penalty: [-1e6, 1e6],
  dry_multiplier: [0, 1e6],
  dry_base: [1, 1e6],
  dry_allowed_length: [0, 0x7fffffff, whole],
  dry_penalty_last_n: [-1, 2 ** 24, whole],
  mirostat: [0, 2, whole],
  mirostat_tau: [0, 1e6],
  mirostat_eta: [0, 1e6],
  adaptive_target: [-1e6, 1],
  adaptive_decay: [0, 0.99],
  min_keep: [0, 0x7fffffff, whole],
};

/** Defaults, then what was given, then checks. @throws TypeError, RangeError naming the field. */
function readNumbers(params: SamplingParams): Numbers {
  const numbers: Record<string, number> = { ...samplingDefaults };
  for (const name of Object.keys(samplingDefaults) as (keyof Numbers)[]) {
    const value = params[name];
    if (value === undefined || value === null) continue;
    const [least, most, isInteger] = samplingBounds[name];
    numbers[name] = (isInteger ? integer : number)(value, name, least, most);
  }
  temperature(numbers.temperature!);
  return numbers as Numbers;
}

function readBiases(model: Model, params: SamplingParams): [number, number][] {
  const { vocab } = model;
  const given = params.logit_bias ?? [];
  const entries =
    given instanceof Map || Array.isArray(given)
      ? [...(given as Iterable<readonly [number, number | false]>)]
      : Object.entries(given as Readonly<Record<string, number | false>>);
  const biases = entries.map(([key, bias]): [number, number] => {
    // Number("") is 0, and "0x1f" a number too.
    const id = typeof key === "string" && !/^[0-9]+$/.test(key) ? Number.NaN : Number(key);
    if (Number.isNaN(id)) throw new TypeError(`logit_bias: ${JSON.stringify(key)} is no token id`);
    return [vocab.checkToken(id, "logit_bias"), bias === false ? Number.NEGATIVE_INFINITY : bias];
  });
  const ban = (token: number) => biases.push([token, Number.NEGATIVE_INFINITY]);
  for (const token of vocab.suppressTokens) ban(token);
  if (params.ignore_eos) for (const token of vocab.endOfGenerationTokens) ban(token);
  return biases;
}

function samplerNames(params: SamplingParams): readonly string[] {
  const given: unknown = params.samplers ?? defaultSamplers;
  if (!Array.isArray(given)) throw new TypeError("samplers must be a list of names");
  const names = given.map((entry) => {
    const name = String(entry).replaceAll("-", "_");
    return aliases.get(name) ?? name;
  });
  for (const [index, name] of names.entries()) {
    if (!Object.hasOwn(factories, name)) {
      const known = Object.keys(factories).join(", ");
      throw new RequestError(`samplers[${index}] "${name}" is unknown; there are ${known}`, "samplers");
    }
  }
  return names;
}

/**
 * A chain for sampling parameters, put together as llama.cpp does: biases, then the samplers in order, then the pick.
 * @throws TypeError, RangeError, RequestError naming the field; GrammarError.
 */
export function createSampler(
  model: Model,
  params: SamplingParams = {},
  options: { contextLength?: number } = {},
): SamplerChain {
  const numbers = readNumbers(params);
  const names = samplerNames(params);
  const contextLength = options.contextLength ?? (model.trainContextLength || fallbackLength);
  const building = {
    model,
    numbers,
    seed: params.seed,
    breakers: params.dry_sequence_breakers,
    contextLength,
  };
  const chain = new SamplerChain(model);
  try {
    const processors = [params.logits_processors ?? []].flat();
    for (const [index, process] of processors.entries()) {
      const name = `logits_processors[${index}]`;
      if (typeof process !== "function") throw new TypeError(`${name} must be a function`);
      chain.add(new CustomSampler({ name, apply: (candidates, info) => process(candidates.whole(), info) }));
    }
    const biases = readBiases(model, params);
    if (biases.length > 0) chain.add(Sampler.logitBias(model, biases));
    const greedy = numbers.temperature === 0;
    const truncates = !greedy && numbers.mirostat === 0;
    for (const name of names) {
      // A greedy pick is not changed by samplers that only truncate or scale.
      if (!truncates && name !== "penalties" && name !== "dry") continue;
      const sampler = factories[name]?.(building);
      if (sampler) chain.add(sampler);
    }
    addPick(chain, building, { greedy });
    if (params.grammar != null && params.grammar !== "")
      chain.setGrammar(params.grammar, params.grammar_triggers ?? []);
    return chain;
  } catch (error) {
    chain.dispose();
    throw error;
  }
}

function addPick(
  chain: SamplerChain,
  { model, numbers, seed }: Building,
  { greedy }: { greedy: boolean },
): void {
  const seeded = seed === undefined ? {} : { seed };
  const mirostat = { tau: numbers.mirostat_tau, eta: numbers.mirostat_eta, ...seeded };
  if (greedy) {
    chain.add(Sampler.greedy(model));
  } else if (numbers.mirostat > 0) {
    chain.add(Sampler.temperature(model, numbers.temperature));
    chain.add(
      numbers.mirostat === 1 ? Sampler.mirostat(model, mirostat) : Sampler.mirostatV2(model, mirostat),
    );
  } else if (numbers.adaptive_target >= 0) {
    chain.add(
      Sampler.adaptiveP(model, { target: numbers.adaptive_target, decay: numbers.adaptive_decay, ...seeded }),
    );
  } else {
    chain.add(Sampler.dist(model, seeded));
  }
}
