import { type Command, InvalidArgumentError, Option } from "commander";
import { integer } from "./numbers.ts";
import { addModelOptions, collect, type ModelFlags } from "./options.ts";
import { addReasoningOptions, type ReasoningFlags } from "./reasoning.ts";
import { addRefusedFlags } from "./refused-flags.ts";
import { addSamplingOptions, type SamplingFlags } from "./sampling.ts";
import { readEnvironment } from "./serve-environment.ts";

/** What `cria serve` takes, by commander's names of the flags. */
export interface ServeFlags extends ModelFlags, SamplingFlags, ReasoningFlags {
  host: string;
  port: number;
  parallel?: number;
  predict?: number;
  apiKey?: string[];
  apiKeyFile?: string;
  apiPrefix: string;
  alias?: string;
  pooling?: "none" | "mean" | "cls" | "last" | "rank";
  slots?: boolean;
  metrics?: boolean;
  slotSavePath?: string;
  sslKeyFile?: string;
  sslCertFile?: string;
  timeout: number;
  drainTimeout: number;
  contextShift?: boolean;
  cachePrompt?: boolean;
  cors: string[] | false;
  kvLayout?: "auto" | "shared" | "streams";
  kvCells?: number;
  gapMs?: number;
  maxRequests?: number;
  bodyLimit?: number;
  loraInitWithoutApply?: boolean;
  logFormat?: "text" | "json";
  logFile?: string;
  logDisable?: boolean;
  logColors?: "on" | "off" | "auto";
  logVerbosity: number;
}

function apiKeys(text: string, previous: string[] = []): string[] {
  const keys = text.split(",").filter((key) => key !== "");
  if (keys.length === 0) throw new InvalidArgumentError("must not be empty.");
  return [...previous, ...keys];
}

function prefix(text: string): string {
  if (!/^(\/[\w.~-]+)*$/.test(text)) throw new InvalidArgumentError("must be a path such as /llm.");
  return text;
}

const choice = (flags: string, description: string, values: readonly string[]) =>
  new Option(flags, description).choices(values);

/** All flags of `cria serve`, with the environment variables that stand for them. */
export function addServeFlags(command: Command): Command {
  addModelOptions(command);
  addSamplingOptions(command);
  addReasoningOptions(command);
  command
    .option(
      "-n, --predict <n>",
      "most tokens to generate, unless a request says otherwise (default: -1)",
      integer(-1),
    )
    .option("--host <address>", "address to listen at", "127.0.0.1")
    .option("--port <n>", "port to listen at, 0 for a free one", integer(0, 65_535), 8080)
    .option("--np, --parallel <n>", "requests computed side by side (default: 4)", integer(1, 256))
    .option("-a, --alias <name>", "name that the model goes by")
    .option("--api-key <keys>", "keys that open the server, separated by commas; may be repeated", apiKeys)
    .option("--api-key-file <file>", "file with a key on each line")
    .option("--api-prefix <path>", "path that all endpoints are under", prefix, "")
    .addOption(
      choice("--pooling <kind>", "how embeddings are pooled (default: the model's)", [
        "none",
        "mean",
        "cls",
        "last",
        "rank",
      ]),
    )
    .option("--embeddings", "serve embeddings (always so)")
    .option("--metrics", "serve /metrics")
    .option("--slots", "serve /slots (default)")
    .option("--no-slots", "do not serve /slots")
    .option("--slot-save-path <folder>", "folder to save slots in")
    .option("--ssl-key-file <file>", "private key for https (PEM)")
    .option("--ssl-cert-file <file>", "certificate for https (PEM)")
    .option(
      "--to, --timeout <seconds>",
      "time a request may take, waiting included",
      integer(1, 2 ** 31),
      3600,
    )
    .option(
      "--drain-timeout <seconds>",
      "time that running requests have once the server is to stop",
      integer(0, 86_400),
      30,
    )
    .option("--context-shift", "drop the middle of a text that fills the context, instead of ending it")
    .option("--no-context-shift", "end a text that fills the context (default)")
    .option("--cache-prompt", "take what is computed already (default)")
    .option("--no-cache-prompt", "compute every prompt anew")
    .option(
      "--cors <origin>",
      "origin of pages that may read answers; may be repeated (default: all)",
      collect,
    )
    .option("--no-cors", "no page of another origin may")
    .addOption(
      choice("--kv-layout <kind>", "how cells belong to requests (default: auto)", [
        "auto",
        "shared",
        "streams",
      ]),
    )
    .option(
      "--kv-cells <n>",
      "cells of the KV cache for all requests together (default: as --ctx-size)",
      integer(1, 2 ** 24),
    )
    .option(
      "--gap-ms <ms>",
      "time that running streams may wait while prompts are computed (default: 100)",
      integer(1, 60_000),
    )
    .option(
      "--max-requests <n>",
      "requests that wait or run; more are refused (default: 1024)",
      integer(1, 65_536),
    )
    .option("--body-limit <bytes>", "most bytes of a request (default: 67108864)", integer(1024, 2 ** 31))
    .option("--lora-init-without-apply", "load adapters with scale 0, until /lora-adapters says otherwise")
    .option("--jinja", "render chats by Jinja templates (always so)")
    .option("--no-webui", "serve no web page (always so)")
    .option("--no-warmup", "load without a trial run (always so)")
    .option("--cont-batching", "batch requests as they come (always so)")
    .addOption(choice("--log-format <kind>", "lines for people, or JSON (default: text)", ["text", "json"]))
    .option("--log-file <file>", "log there instead of to standard error")
    .option("--log-disable", "log nothing")
    .addOption(choice("--log-colors <when>", "colours in the log (default: auto)", ["on", "off", "auto"]))
    .option(
      "--lv, --log-verbosity <n>",
      "0 errors, 1 and 2 warnings, 3 and more every request",
      integer(0, 5),
      3,
    );
  addRefusedFlags(command);
  readEnvironment(command);
  return command;
}
