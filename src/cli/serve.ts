import type { Command } from "commander";
import type { EngineOptions } from "../engine/engine-options.ts";
import type { LoggingOptions } from "../server/logging.ts";
import type { ServerOptions } from "../server/options.ts";
import { loadEngine, loadOptions } from "./options.ts";
import { reasoningParams } from "./reasoning.ts";
import { samplingParams } from "./sampling.ts";
import { addServeFlags, type ServeFlags } from "./serve-flags.ts";
import { readText } from "./text.ts";
import { untilStopped } from "./until-stopped.ts";

export function addServeCommand(program: Command): void {
  const command = program
    .command("serve")
    .description("Serve a model over HTTP: OpenAI's API and llama-server's.");
  addServeFlags(command).action((flags: ServeFlags) => serve(flags));
}

function readKeys({ apiKey = [], apiKeyFile }: ServeFlags): string[] {
  if (apiKeyFile === undefined) return apiKey;
  const keys = readText(apiKeyFile, "--api-key-file")
    .split(/\r?\n/)
    .map((line) => line.trim());
  const known = keys.filter((line) => line !== "");
  if (known.length === 0) throw new TypeError(`--api-key-file: ${apiKeyFile} holds no key`);
  return [...apiKey, ...known];
}

function engineOptions(flags: ServeFlags): EngineOptions {
  const { chatTemplate: _, chatTemplateName: __, ...options } = loadOptions(flags);
  return {
    ...options,
    parallel: flags.parallel,
    cells: flags.kvCells,
    kvLayout: flags.kvLayout,
    gapMs: flags.gapMs,
    maxRequests: flags.maxRequests,
    ...(flags.pooling === undefined ? {} : { pooling: flags.pooling }),
  };
}

function serverOptions(flags: ServeFlags): ServerOptions {
  const { chatTemplate, chatTemplateName, adapters = [] } = loadOptions(flags);
  const predict = flags.predict === undefined ? {} : { max_tokens: flags.predict };
  const cache = flags.cachePrompt === false ? { cache_prompt: false } : {};
  return {
    chatTemplate,
    chatTemplateName,
    adapters,
    alias: flags.alias,
    apiKeys: readKeys(flags),
    cors: flags.cors === false ? false : (flags.cors ?? "*"),
    bodyLimit: flags.bodyLimit,
    parallel: flags.parallel,
    metrics: flags.metrics,
    slots: flags.slots,
    slotSavePath: flags.slotSavePath,
    maxRequests: flags.maxRequests,
    lora: flags.loraInitWithoutApply ? [] : undefined,
    contextShift: flags.contextShift,
    chatDefaults: reasoningParams(flags),
    defaults: { timeout_ms: 1000 * flags.timeout, ...predict, ...cache, ...samplingParams(flags) },
  };
}

function loggingOptions(flags: ServeFlags): LoggingOptions {
  const colors = flags.logColors ?? "auto";
  return {
    format: flags.logFormat ?? "text",
    level: flags.logDisable
      ? "fatal"
      : flags.logVerbosity >= 3
        ? "info"
        : flags.logVerbosity >= 1
          ? "warning"
          : "error",
    colors:
      colors === "on" || (colors === "auto" && flags.logFile === undefined && process.stderr.isTTY === true),
    file: flags.logFile,
  };
}

function tlsFiles({ sslKeyFile, sslCertFile }: ServeFlags) {
  if (sslKeyFile === undefined && sslCertFile === undefined) return undefined;
  if (sslKeyFile === undefined || sslCertFile === undefined)
    throw new TypeError("--ssl-key-file and --ssl-cert-file go together; give both");
  return { keyFile: sslKeyFile, certFile: sslCertFile };
}

async function serve(flags: ServeFlags): Promise<void> {
  // Other commands need none of this, and start sooner without.
  const [{ createApp, drain }, { listen }, { serverLog }, { Hono }] = await Promise.all([
    import("../server/app.ts"),
    import("../server/listen.ts"),
    import("../server/logging.ts"),
    import("hono"),
  ]);
  const tls = tlsFiles(flags);
  const options = serverOptions(flags);
  const { log, end } = await serverLog(loggingOptions(flags));
  await using engine = await loadEngine(flags.model, engineOptions(flags));
  const app = createApp(engine, { ...options, log });
  const root = flags.apiPrefix === "" ? app : new Hono().route(flags.apiPrefix, app);
  const listener = await listen(root.fetch as never, { hostname: flags.host, port: flags.port, tls });
  const base = listener.url + flags.apiPrefix;
  const name = options.alias ?? engine.model.metadata.get("general.name") ?? "the model";
  process.stdout.write(
    `cria serves ${name} at ${base} (OpenAI's API at ${base}/v1, documentation at ${base}/docs)\n`,
  );
  if (process.stdout.isTTY || flags.model === undefined)
    process.stdout.write(`${example(base, options.apiKeys)}\n`);
  await untilStopped({ listener, engine, drain: () => drain(app), seconds: flags.drainTimeout });
  await end();
}

/** A command line that shows what the server does. */
function example(base: string, keys: readonly string[] = []): string {
  const key = keys.length > 0 ? ' -H "Authorization: Bearer $KEY"' : "";
  const body = JSON.stringify({ messages: [{ role: "user", content: "What is the capital of France?" }] });
  return `Try: curl ${base}/v1/chat/completions${key} -d '${body}'`;
}
