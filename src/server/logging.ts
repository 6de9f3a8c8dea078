import { createWriteStream } from "node:fs";
import {
  configure,
  dispose,
  getAnsiColorFormatter,
  getLogger,
  getTextFormatter,
  jsonLinesFormatter,
  type LogLevel,
  type LogRecord,
} from "@logtape/logtape";
import type { ServerLog } from "./options.ts";

export interface LoggingOptions {
  /** Lines for people, or one JSON object a line. */
  readonly format: "text" | "json";
  readonly level: LogLevel;
  readonly colors: boolean;
  /** Instead of standard error. */
  readonly file?: string | undefined;
}

/** Control characters as what they stand for: whoever reads the log at a terminal is not at their mercy. */
function harmless(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are meant.
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, (character) => JSON.stringify(character).slice(1, -1));
}

/** Sets logging up, and gives what the app reports to. Content of requests is never logged. */
export async function serverLog({ format, level, colors, file }: LoggingOptions): Promise<{
  log: ServerLog;
  end: () => Promise<void>;
}> {
  // Words stand without quotes; what is not a word has been made harmless before.
  const value = (given: unknown) => (typeof given === "string" ? given : JSON.stringify(given));
  const text = colors ? getAnsiColorFormatter({ value }) : getTextFormatter({ value });
  const formatter = format === "json" ? jsonLinesFormatter : text;
  const target = file === undefined ? process.stderr : createWriteStream(file, { flags: "a" });
  await configure({
    sinks: { main: (record: LogRecord) => void target.write(formatter(record)) },
    loggers: [
      { category: "cria", sinks: ["main"], lowestLevel: level },
      { category: ["logtape", "meta"], lowestLevel: "error" },
    ],
    reset: true,
  });
  const logger = getLogger(["cria", "server"]);
  const log: ServerLog = {
    request: ({ method, path, status, milliseconds }) =>
      logger.info("{method} {path} {status} in {milliseconds} ms", {
        method: harmless(method),
        path: harmless(path),
        status,
        milliseconds: Math.round(milliseconds),
      }),
    failure: (error, { method, path }) =>
      logger.error("{method} {path} failed: {error}", {
        method: harmless(method),
        path: harmless(path),
        error: harmless(error instanceof Error ? (error.stack ?? error.message) : String(error)),
      }),
  };
  return { log, end: () => dispose() };
}
