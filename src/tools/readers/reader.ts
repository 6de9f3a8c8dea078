/**
 * What a reader made of a character: it wants more, it is done with it, it was done before it (the character belongs to what
 * follows), or this is not what the reader is for.
 */
export type Verdict = "more" | "done" | "before" | "refused";

/** Reads one step of a call, a UTF-16 unit at a time. */
export interface Reader {
  read(unit: string): Verdict;
  /** Told when the model ended its answer here, to close what is complete. */
  finish?(): void;
}

export const isSpace = (unit: string): boolean =>
  unit === " " || unit === "\n" || unit === "\t" || unit === "\r";

/** Characters of a function's name. */
export const isNameUnit = (unit: string): boolean => /[a-zA-Z0-9_-]/.test(unit);
