import { type Command, InvalidArgumentError } from "commander";
import type { SamplingParams } from "../sampling-params.ts";
import { collect, float, integer, readText } from "./options.ts";

/** How to sample, under the names of llama.cpp's tools. */
export interface SamplingFlags {
  seed?: number;
  temp?: number;
  topK?: number;
  topP?: number;
  minP?: number;
  typical?: number;
  topNsigma?: number;
  xtcProbability?: number;
  xtcThreshold?: number;
  dynatempRange?: number;
  dynatempExp?: number;
  repeatPenalty?: number;
  repeatLastN?: number;
  presencePenalty?: number;
  frequencyPenalty?: number;
  dryMultiplier?: number;
  dryBase?: number;
  dryAllowedLength?: number;
  dryPenaltyLastN?: number;
  drySequenceBreaker?: string[];
  adaptiveTarget?: number;
  adaptiveDecay?: number;
  minKeep?: number;
  logitBias?: Record<string, number>;
  mirostat?: number;
  mirostatLr?: number;
  mirostatEnt?: number;
  samplers?: string;
  grammar?: string;
  grammarFile?: string;
  ignoreEos?: boolean;
}

/** `ID+BIAS` or `ID-BIAS`, as llama.cpp's tools take it. */
function bias(text: string, previous: Record<string, number> = {}): Record<string, number> {
  const parts = /^(\d+)([+-].+)$/.exec(text);
  if (!parts) throw new InvalidArgumentError("must be a token id and a bias, such as 15043+1.");
  return { ...previous, [parts[1]!]: parts[2] === "-inf" ? Number.NEGATIVE_INFINITY : float(parts[2]!) };
}

export function addSamplingOptions(command: Command): Command {
  return command
    .option("-s, --seed <n>", "random seed", integer)
    .option("--temp <t>", "temperature, 0 for greedy", float)
    .option("--top-k <k>", "keep the k most likely tokens, 0 for all", integer)
    .option("--top-p <p>", "keep tokens up to this total probability", float)
    .option("--min-p <p>", "drop tokens below this share of the best", float)
    .option("--typical <p>", "locally typical sampling", float)
    .option("--top-nsigma <n>", "keep tokens within n standard deviations of the best", float)
    .option("--xtc-probability <p>", "chance to exclude top choices", float)
    .option("--xtc-threshold <p>", "least probability of a top choice", float)
    .option("--dynatemp-range <t>", "range of dynamic temperature", float)
    .option("--dynatemp-exp <e>", "exponent of dynamic temperature", float)
    .option("--repeat-penalty <r>", "penalty for repeated tokens", float)
    .option("--repeat-last-n <n>", "tokens looked at for repetition", integer)
    .option("--presence-penalty <p>", "penalty for tokens that occurred", float)
    .option("--frequency-penalty <p>", "penalty by how often tokens occurred", float)
    .option("--dry-multiplier <m>", "strength of the DRY repetition penalty", float)
    .option("--dry-base <b>", "base of the DRY penalty", float)
    .option("--dry-allowed-length <n>", "repetition that DRY lets pass", integer)
    .option("--dry-penalty-last-n <n>", "tokens that DRY looks at, -1 for the whole context", integer)
    .option("--dry-sequence-breaker <text>", "text that ends a repetition; may be repeated", collect)
    .option("--adaptive-target <p>", "probability to stay near, instead of a random pick", float)
    .option("--adaptive-decay <d>", "how slowly that adapts", float)
    .option("--min-keep <n>", "fewest tokens that samplers leave", integer)
    .option("-l, --logit-bias <id+bias>", "such as 15043+1 or 15043-1; may be repeated", bias)
    .option("--mirostat <v>", "mirostat version: 0, 1 or 2", integer)
    .option("--mirostat-lr <eta>", "mirostat learning rate", float)
    .option("--mirostat-ent <tau>", "mirostat target entropy", float)
    .option("--samplers <list>", "samplers in order, separated by ;")
    .option("--grammar <gbnf>", "GBNF grammar that the text must match")
    .option("--grammar-file <file>", "file with a GBNF grammar")
    .option("--ignore-eos", "go on past the end of the text");
}

/** Parameters from flags. @throws Error naming the grammar file where it cannot be read. */
export function samplingParams(flags: SamplingFlags): SamplingParams & { ignore_eos?: boolean } {
  const params: Record<string, unknown> = {
    seed: flags.seed,
    temperature: flags.temp,
    top_k: flags.topK,
    top_p: flags.topP,
    min_p: flags.minP,
    typical_p: flags.typical,
    top_n_sigma: flags.topNsigma,
    xtc_probability: flags.xtcProbability,
    xtc_threshold: flags.xtcThreshold,
    dynatemp_range: flags.dynatempRange,
    dynatemp_exponent: flags.dynatempExp,
    repeat_penalty: flags.repeatPenalty,
    repeat_last_n: flags.repeatLastN,
    presence_penalty: flags.presencePenalty,
    frequency_penalty: flags.frequencyPenalty,
    dry_multiplier: flags.dryMultiplier,
    dry_base: flags.dryBase,
    dry_allowed_length: flags.dryAllowedLength,
    dry_penalty_last_n: flags.dryPenaltyLastN,
    dry_sequence_breakers: flags.drySequenceBreaker,
    adaptive_target: flags.adaptiveTarget,
    adaptive_decay: flags.adaptiveDecay,
    min_keep: flags.minKeep,
    logit_bias: flags.logitBias,
    mirostat: flags.mirostat,
    mirostat_eta: flags.mirostatLr,
    mirostat_tau: flags.mirostatEnt,
    samplers: flags.samplers?.split(";"),
    grammar: flags.grammar ?? (flags.grammarFile && readText(flags.grammarFile, "--grammar-file")),
    ignore_eos: flags.ignoreEos,
  };
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined));
}
