import { readFileSync } from "node:fs";
import type { Command } from "commander";
import type { SamplingParams } from "../sampling-params.ts";
import { float, integer } from "./options.ts";

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
  mirostat?: number;
  mirostatLr?: number;
  mirostatEnt?: number;
  samplers?: string;
  grammar?: string;
  grammarFile?: string;
  ignoreEos?: boolean;
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
    mirostat: flags.mirostat,
    mirostat_eta: flags.mirostatLr,
    mirostat_tau: flags.mirostatEnt,
    samplers: flags.samplers?.split(";"),
    grammar: flags.grammar ?? (flags.grammarFile && readFileSync(flags.grammarFile, "utf8")),
    ignore_eos: flags.ignoreEos,
  };
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined));
}
