import { type Command, InvalidArgumentError, Option } from "commander";
import { Grammar } from "../grammar.ts";
import { type AnswerShape, grammarOf, type JsonSchema } from "../llama/response-format.ts";
import { type SamplingParams, samplingBounds, samplingDefaults } from "../sampling-params.ts";
import { integer, number } from "./numbers.ts";
import { collect } from "./options.ts";
import { readText } from "./text.ts";

type NumericField = keyof typeof samplingDefaults;

/** Flags of llama.cpp's tools whose value is a number, and the field each stands for. */
const numericFlags: readonly (readonly [flag: string, field: NumericField, description: string])[] = [
  ["--temp <t>", "temperature", "temperature, 0 for greedy"],
  ["--top-k <k>", "top_k", "keep the k most likely tokens, 0 for all"],
  ["--top-p <p>", "top_p", "keep tokens up to this total probability, 1 for all"],
  ["--min-p <p>", "min_p", "drop tokens below this share of the best, 0 for none"],
  ["--typical <p>", "typical_p", "locally typical sampling, 1 for off"],
  ["--top-nsigma <n>", "top_n_sigma", "keep tokens within n standard deviations of the best, -1 for all"],
  ["--xtc-probability <p>", "xtc_probability", "chance to exclude top choices"],
  ["--xtc-threshold <p>", "xtc_threshold", "least probability of a top choice"],
  ["--dynatemp-range <t>", "dynatemp_range", "range of dynamic temperature, 0 for off"],
  ["--dynatemp-exp <e>", "dynatemp_exponent", "exponent of dynamic temperature"],
  ["--repeat-penalty <r>", "repeat_penalty", "penalty for repeated tokens, 1 for none"],
  ["--repeat-last-n <n>", "repeat_last_n", "tokens looked at for repetition, -1 for the whole context"],
  ["--presence-penalty <p>", "presence_penalty", "penalty for tokens that occurred"],
  ["--frequency-penalty <p>", "frequency_penalty", "penalty by how often tokens occurred"],
  ["--dry-multiplier <m>", "dry_multiplier", "strength of the DRY repetition penalty, 0 for off"],
  ["--dry-base <b>", "dry_base", "base of the DRY penalty"],
  ["--dry-allowed-length <n>", "dry_allowed_length", "repetition that DRY lets pass"],
  ["--dry-penalty-last-n <n>", "dry_penalty_last_n", "tokens that DRY looks at, -1 for the whole context"],
  [
    "--adaptive-target <p>",
    "adaptive_target",
    "probability to stay near, instead of a random pick, -1 for off",
  ],
  ["--adaptive-decay <d>", "adaptive_decay", "how slowly that adapts"],
  ["--min-keep <n>", "min_keep", "fewest tokens that samplers leave"],
  ["--mirostat <v>", "mirostat", "mirostat version 1 or 2, 0 for off"],
  ["--mirostat-lr <eta>", "mirostat_eta", "mirostat learning rate"],
  ["--mirostat-ent <tau>", "mirostat_tau", "mirostat target entropy"],
];

/** How to sample, by commander's names of the flags. */
export interface SamplingFlags {
  seed?: number;
  drySequenceBreaker?: string[];
  logitBias?: Record<string, number>;
  samplers?: string;
  grammar?: string;
  grammarFile?: string;
  jsonSchema?: string;
  jsonSchemaFile?: string;
  ignoreEos?: boolean;
}

/** `ID+BIAS` or `ID-BIAS`, as llama.cpp's tools take it. */
function bias(text: string, previous: Record<string, number> = {}): Record<string, number> {
  const parts = /^(\d+)([+-].+)$/.exec(text);
  if (!parts) throw new InvalidArgumentError("must be a token id and a bias, such as 15043+1.");
  const value = parts[2] === "-inf" ? Number.NEGATIVE_INFINITY : number()(parts[2]!);
  return { ...previous, [parts[1]!]: value };
}

function numericOption([flag, field, description]: (typeof numericFlags)[number]): Option {
  const [least, most, isInteger] = samplingBounds[field];
  const parse = isInteger ? integer(least, most) : number(least, most);
  return new Option(flag, `${description} (default: ${samplingDefaults[field]})`).argParser(parse);
}

export function addSamplingOptions(command: Command): Command {
  command.option(
    "-s, --seed <n>",
    "random seed, -1 for a random one (default: -1)",
    integer(-1, 2 ** 32 - 1),
  );
  for (const flag of numericFlags) command.addOption(numericOption(flag));
  return command
    .option("--dry-sequence-breaker <text>", "text that ends a repetition; may be repeated", collect)
    .option("-l, --logit-bias <id+bias>", "such as 15043+1 or 15043-1; may be repeated", bias)
    .option("--samplers <list>", "samplers in order, separated by ;")
    .option("--grammar <gbnf>", "GBNF grammar that the text must match")
    .option("--grammar-file <file>", "file with a GBNF grammar")
    .option("-j, --json-schema <schema>", "JSON schema that the text must match")
    .option("--jf, --json-schema-file <file>", "file with a JSON schema")
    .option("--ignore-eos", "go on past the end of the text");
}

const shapeFlags = {
  grammar: "--grammar",
  grammarFile: "--grammar-file",
  jsonSchema: "--json-schema",
  jsonSchemaFile: "--json-schema-file",
} as const;

/**
 * What the text must match, checked: a grammar or a schema.
 * @throws TypeError for a flag's own text and for more than one, Error for a file: each says what is wrong with it.
 */
function readShape(flags: SamplingFlags): Pick<AnswerShape, "grammar" | "json_schema"> {
  const given = (Object.keys(shapeFlags) as (keyof typeof shapeFlags)[]).filter(
    (name) => flags[name] !== undefined,
  );
  const [name, other] = given;
  if (name === undefined) return {};
  if (other !== undefined)
    throw new TypeError(`give either ${shapeFlags[name]} or ${shapeFlags[other]}, not both`);
  const flag = shapeFlags[name];
  const isFile = name === "grammarFile" || name === "jsonSchemaFile";
  const text = isFile ? readText(flags[name]!, flag) : flags[name]!;
  try {
    if (name === "grammar" || name === "grammarFile") return { grammar: Grammar.parse(text) };
    return { json_schema: parseSchema(text) };
  } catch (cause) {
    const message = (cause as Error).message.replace(/^json_schema: /, "");
    if (!isFile) throw new TypeError(`${flag}: ${message}`, { cause });
    throw new Error(`${flag}: ${flags[name]}: ${message}`, { cause });
  }
}

function parseSchema(text: string): JsonSchema {
  const json_schema: JsonSchema = JSON.parse(text);
  // What is wrong with it is found out before a model is loaded.
  grammarOf({ json_schema });
  return json_schema;
}

/** Parameters from flags. @throws what {@link readShape} throws. */
export function samplingParams(flags: SamplingFlags): SamplingParams & Pick<AnswerShape, "json_schema"> {
  const given = flags as Readonly<Record<string, number | undefined>>;
  const numbers = numericFlags.map(([flag, field]) => [field, given[new Option(flag).attributeName()]]);
  const params: Record<string, unknown> = {
    ...Object.fromEntries(numbers),
    seed: flags.seed,
    dry_sequence_breakers: flags.drySequenceBreaker,
    logit_bias: flags.logitBias,
    samplers: flags.samplers?.split(";"),
    ...readShape(flags),
    ignore_eos: flags.ignoreEos,
  };
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined));
}
