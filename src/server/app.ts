import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { routePath } from "hono/route";
import type { Engine } from "../engine/engine.ts";
import { authentication } from "./auth.ts";
import { errorResponse, HttpError } from "./errors.ts";
import { openapiRoutes } from "./openapi.ts";
import type { ServerOptions } from "./options.ts";
import { nativeRoutes } from "./routes/native.ts";
import { openaiRoutes } from "./routes/openai.ts";
import { statusRoutes } from "./routes/status.ts";
import { Service } from "./service.ts";

const defaultBodyLimit = 64 * 2 ** 20;

function assemble(service: Service) {
  const { options } = service;
  const app = new Hono();
  if (options.cors !== false) {
    const origin = options.cors ?? "*";
    app.use(
      cors({ origin: typeof origin === "string" ? origin : [...origin], exposeHeaders: ["Retry-After"] }),
    );
  }
  app.use(async (c, next) => {
    const started = performance.now();
    await next();
    const { status } = c.res;
    service.metrics.answered(routePath(c, -1), status);
    const milliseconds = performance.now() - started;
    options.log?.request({ method: c.req.method, path: c.req.path, status, milliseconds });
  });
  if (options.apiKeys && options.apiKeys.length > 0) app.use(authentication(options.apiKeys));
  const maxSize = options.bodyLimit ?? defaultBodyLimit;
  app.use(
    bodyLimit({
      maxSize,
      onError: () => {
        throw new HttpError("invalid_request_error", `the body has more than ${maxSize} bytes`, {
          status: 413,
        });
      },
    }),
  );
  app.use(async (c, next) => {
    if (service.draining && c.req.method === "POST")
      throw new HttpError("unavailable_error", "the server is shutting down");
    await next();
  });
  app.onError((error, c) => {
    // Nobody hears what is said to a client that has left, and it is nobody's failure.
    if (c.req.raw.signal.aborted) return new Response(null, { status: 499 });
    const response = errorResponse(error);
    if (response.status >= 500 && response.status !== 501 && response.status !== 503)
      options.log?.failure(error, { method: c.req.method, path: c.req.path });
    return response;
  });
  app.notFound((c) =>
    errorResponse(
      new HttpError("not_found_error", `there is no ${c.req.method} ${c.req.path.slice(0, 200)} here`),
    ),
  );
  const openai = openaiRoutes(service);
  return app
    .route("/v1", openai)
    .route("/", statusRoutes(service))
    .route("/", nativeRoutes(service))
    .route("/", openapiRoutes(service))
    .route("/", openai);
}

/** The type of the app, for typed clients: `hc<App>(url)` of `hono/client`. */
export type App = ReturnType<typeof assemble>;

const services = new WeakMap<object, Service>();

/**
 * OpenAI's and llama-server's HTTP interface to an engine, as a Hono app: serve its `fetch`, mount it in another app with
 * `route`, or call it in process. The engine stays the caller's.
 * @throws TemplateError for a bad chat template
 */
export function createApp(engine: Engine, options: ServerOptions = {}): App {
  const service = new Service(engine, options);
  const app = assemble(service);
  services.set(app, service);
  return app;
}

/** Has an app refuse new requests from now on, and its `/health` say so; those that run go on. */
export function drain(app: App): void {
  const service = services.get(app);
  if (service) service.draining = true;
}
