/** Codes of {@link CriaError}; stable, meant for `switch`. */
export type CriaErrorCode =
  | "LIBRARY_LOAD"
  | "ABI_MISMATCH"
  | "MODEL_LOAD"
  | "CONTEXT_INIT"
  | "DECODE"
  | "DISPOSED"
  | "REQUEST"
  | "BUSY"
  | "GRAMMAR"
  | "TEMPLATE"
  | "ANSWER"
  | "ABORTED"
  | "WORKER_CRASHED";

/** Base of every error that is not plain misuse (misuse is `TypeError` or `RangeError`). */
export class CriaError extends Error {
  readonly code: CriaErrorCode;

  constructor(code: CriaErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The shared library was not found or could not be opened; the message lists every place tried. */
export class LibraryLoadError extends CriaError {
  constructor(message: string, options?: ErrorOptions) {
    super("LIBRARY_LOAD", message, options);
  }
}

/** The library was opened but is not the release whose layout we know; it has not been called further. */
export class AbiMismatchError extends CriaError {
  constructor(message: string, options?: ErrorOptions) {
    super("ABI_MISMATCH", message, options);
  }
}

/** A model, adapter or control vector file could not be loaded. */
export class ModelLoadError extends CriaError {
  constructor(message: string, options?: ErrorOptions) {
    super("MODEL_LOAD", message, options);
  }
}

/** `llama_init_from_model` failed. */
export class ContextInitError extends CriaError {
  constructor(message: string, options?: ErrorOptions) {
    super("CONTEXT_INIT", message, options);
  }
}

/** `llama_decode` or `llama_encode` failed; `status` is the C return code. */
export class DecodeError extends CriaError {
  readonly status: number;

  constructor(message: string, status: number, options?: ErrorOptions) {
    super("DECODE", message, options);
    this.status = status;
  }
}

/** A method was called on an object that has been disposed. */
export class DisposedError extends CriaError {
  constructor(objectName: string) {
    super("DISPOSED", `${objectName} has been disposed; create a new one`);
  }
}

/** A request cannot be served as it stands; `field` names the offending parameter. */
export class RequestError extends CriaError {
  readonly field: string | undefined;

  constructor(message: string, field?: string, options?: ErrorOptions) {
    super("REQUEST", message, options);
    this.field = field;
  }
}

/** A prompt is longer than the context; lengths in tokens, that of the prompt at the least. */
export class ContextOverflowError extends RequestError {
  readonly promptLength: number;
  readonly contextLength: number;

  constructor(promptLength: number, contextLength: number) {
    super(
      `the prompt has ${promptLength} tokens, the context holds ${contextLength}; ` +
        "shorten it or load with a larger contextLength",
      "prompt",
    );
    this.promptLength = promptLength;
    this.contextLength = contextLength;
  }
}

/** Too many requests wait or run already; the same request may be served later. */
export class BusyError extends CriaError {
  constructor(message: string) {
    super("BUSY", message);
  }
}

/** A GBNF grammar is wrong; `line` and `column` are 1-based. */
export class GrammarError extends CriaError {
  readonly line: number;
  readonly column: number;

  constructor(message: string, line: number, column: number, options?: ErrorOptions) {
    super("GRAMMAR", message, options);
    this.line = line;
    this.column = column;
  }
}

/** A chat template is wrong, refused the messages, or ran past its limits. */
export class TemplateError extends CriaError {
  constructor(message: string, options?: ErrorOptions) {
    super("TEMPLATE", message, options);
  }
}

/** The worker that owned the model died. */
export class WorkerCrashedError extends CriaError {
  constructor(message: string, options?: ErrorOptions) {
    super("WORKER_CRASHED", message, options);
  }
}
