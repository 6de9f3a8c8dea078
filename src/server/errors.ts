import { HTTPException } from "hono/http-exception";
import {
  BusyError,
  ContextOverflowError,
  CriaError,
  DisposedError,
  RequestError,
  WorkerCrashedError,
} from "../../lib/errors.ts";

/** `type` of an error, as llama-server names them. */
export type WireErrorType =
  | "invalid_request_error"
  | "exceed_context_size_error"
  | "authentication_error"
  | "permission_error"
  | "not_found_error"
  | "not_supported_error"
  | "rate_limit_error"
  | "timeout_error"
  | "unavailable_error"
  | "server_error";

/** What every error answers with: OpenAI's object, with llama-server's `type` and `code`. */
export interface WireError {
  readonly error: {
    /** The HTTP status. */
    readonly code: number;
    readonly message: string;
    readonly type: WireErrorType;
    /** The field at fault. */
    readonly param: string | null;
    readonly n_prompt_tokens?: number;
    readonly n_ctx?: number;
  };
}

const statuses: Readonly<Record<WireErrorType, number>> = {
  invalid_request_error: 400,
  exceed_context_size_error: 400,
  authentication_error: 401,
  permission_error: 403,
  not_found_error: 404,
  not_supported_error: 501,
  rate_limit_error: 429,
  timeout_error: 408,
  unavailable_error: 503,
  server_error: 500,
};

/** The field that a message of the layers below begins with. */
const fieldOf = /^([a-z]\w*(?:\[\d+\]|\.\w+)*)(?:: | must | contains | needs )/;

/** An error of the HTTP interface itself. */
export class HttpError extends Error {
  readonly type: WireErrorType;
  readonly param: string | null;
  readonly status: number;

  constructor(
    type: WireErrorType,
    message: string,
    { param = null, status = statuses[type] }: { param?: string | null; status?: number } = {},
  ) {
    super(message);
    this.type = type;
    this.param = param;
    this.status = status;
  }
}

/** A client cannot load a model anew. */
const remedy = (message: string) => message.replace(" or load with a larger contextLength", "");

/** What a client is told of an error; what is not its own fault says no more than that. */
export function wireError(error: unknown): WireError {
  const body = (
    type: WireErrorType,
    message: string,
    more: { param?: string | null | undefined; code?: number } = {},
  ): WireError => ({
    error: { code: more.code ?? statuses[type], message, type, param: more.param ?? null },
  });
  if (error instanceof HttpError) {
    return body(error.type, error.message, { param: error.param, code: error.status });
  }
  if (error instanceof ContextOverflowError) {
    const { error: told } = body("exceed_context_size_error", remedy(error.message), {
      param: error.field,
    });
    return { error: { ...told, n_prompt_tokens: error.promptLength, n_ctx: error.contextLength } };
  }
  if (error instanceof RequestError) {
    const type = error.field === "timeout" ? "timeout_error" : "invalid_request_error";
    return body(type, remedy(error.message), {
      param: error.field === "timeout" ? "timeout_ms" : error.field,
    });
  }
  if (error instanceof BusyError) return body("unavailable_error", error.message);
  if (error instanceof DisposedError) return body("unavailable_error", "the server is shutting down");
  if (error instanceof WorkerCrashedError) return body("unavailable_error", error.message);
  if (error instanceof CriaError && (error.code === "GRAMMAR" || error.code === "TEMPLATE")) {
    const param = error.code === "GRAMMAR" ? "grammar" : "messages";
    return body("invalid_request_error", error.message, { param });
  }
  // The layers below throw these for a parameter that no request may have.
  if (error instanceof TypeError || error instanceof RangeError) {
    return body("invalid_request_error", error.message, {
      param: fieldOf.exec(error.message)?.[1],
    });
  }
  if (error instanceof HTTPException) {
    const type = error.status === 404 ? "not_found_error" : "invalid_request_error";
    return body(type, error.message || "the request was refused", { code: error.status });
  }
  return body("server_error", error instanceof CriaError ? error.message : "internal error");
}

/** The response to an error. */
export function errorResponse(error: unknown): Response {
  const wire = wireError(error);
  const { code } = wire.error;
  const retry = code === 503 || code === 429 ? { "Retry-After": "1" } : undefined;
  return Response.json(wire, { status: code, headers: { ...retry } });
}
