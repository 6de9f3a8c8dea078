import { ggml_log_level, type Native, type Pointer } from "../ffi/index.ts";

export type LogLevel = "none" | "debug" | "info" | "warn" | "error";

export interface LogMessage {
  readonly level: LogLevel;
  readonly text: string;
}

const levels = new Map<number, LogLevel>([
  [ggml_log_level.GGML_LOG_LEVEL_DEBUG, "debug"],
  [ggml_log_level.GGML_LOG_LEVEL_INFO, "info"],
  [ggml_log_level.GGML_LOG_LEVEL_WARN, "warn"],
  [ggml_log_level.GGML_LOG_LEVEL_ERROR, "error"],
]);

/** An error message quotes no more of these than a reader would look at. */
const quotedLines = 6;

/**
 * Runs `body` and collects what llama.cpp logs meanwhile on this thread; before and after, it logs nowhere.
 *
 * The callback is JavaScript and must only be called by this thread, but llama.cpp has one for the process: another
 * Worker that logs meanwhile stops both. Prefer {@link captureFailure}, which listens only where there is a failure.
 * Lines that go on without a level of their own ("continue") are joined to the line before.
 */
export function captureLog<T>(native: Native, body: () => T): { result: T; messages: LogMessage[] } {
  const messages: { level: LogLevel; text: string }[] = [];
  const callback = native.backend.callback(
    { returns: "void", args: ["i32", "ptr", "ptr"] },
    (level, text) => {
      const line = native.memory.readString(text as Pointer<"char">) ?? "";
      const last = messages.at(-1);
      if (level === ggml_log_level.GGML_LOG_LEVEL_CONT && last) last.text += line;
      else messages.push({ level: levels.get(level!) ?? "none", text: line });
      return undefined;
    },
  );
  native.c.llama_log_set(callback.address, 0 as Pointer);
  try {
    return { result: body(), messages };
  } finally {
    native.c.llama_log_set(native.libc.absAddress, 0 as Pointer);
    callback.release();
  }
}

/**
 * Runs `create`, which gives a C object or NULL; after NULL it runs it once more, listening for the reason.
 * @returns the object, or 0 and what llama.cpp said.
 */
export function captureFailure<P extends Pointer>(
  native: Native,
  create: () => P,
): { result: P; messages: LogMessage[] } {
  const result = create();
  return result === 0 ? captureLog(native, create) : { result, messages: [] };
}

/** The last errors among messages, else warnings, on one line; what an error message quotes. */
export function complaints(messages: readonly LogMessage[]): string {
  const lines = (level: LogLevel) =>
    messages
      .filter((message) => message.level === level)
      .map(({ text }) => text.trim())
      .filter((text) => text !== "");
  const errors = lines("error");
  const chosen = errors.length > 0 ? errors : lines("warn");
  return chosen.slice(-quotedLines).join("; ") || "llama.cpp gave no reason";
}
