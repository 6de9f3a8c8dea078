import { ggml_log_level, type Native } from "../ffi/index.ts";

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

/**
 * Runs `body` and collects what llama.cpp logs meanwhile on this thread; before and after, it logs nowhere.
 *
 * The callback is JavaScript and must only be called by this thread: loading and creating contexts log from the
 * caller's thread, while compute threads do not log. Lines that go on without a level of their own ("continue") are
 * joined to the line before.
 */
export function captureLog<T>(native: Native, body: () => T): { result: T; messages: LogMessage[] } {
  const messages: { level: LogLevel; text: string }[] = [];
  const callback = native.backend.callback(
    { returns: "void", args: ["i32", "ptr", "ptr"] },
    (level, text) => {
      const line = native.memory.readString(text as never) ?? "";
      const last = messages.at(-1);
      if (level === ggml_log_level.GGML_LOG_LEVEL_CONT && last) last.text += line;
      else messages.push({ level: levels.get(level!) ?? "none", text: line });
      return undefined;
    },
  );
  native.c.llama_log_set(callback.address, 0 as never);
  try {
    return { result: body(), messages };
  } finally {
    native.c.llama_log_set(native.libc.absAddress, 0 as never);
    callback.release();
  }
}

/** The warnings and errors among messages, on one line; what an error message quotes. */
export function complaints(messages: readonly LogMessage[]): string {
  const lines = messages.filter(({ level }) => level === "error").map(({ text }) => text.trim());
  const chosen =
    lines.length > 0
      ? lines
      : messages.filter(({ level }) => level === "warn").map(({ text }) => text.trim());
  return chosen.join("; ") || "llama.cpp gave no reason";
}
