import { readFileSync } from "node:fs";
import { isBun } from "../../ffi/index.ts";

export interface ListenOptions {
  readonly hostname: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly tls?: { readonly keyFile: string; readonly certFile: string } | undefined;
}

/** A server that listens. */
export interface Listener {
  readonly url: string;
  /** Takes no new connections, and resolves when those there are have ended. */
  stop(): Promise<void>;
  /** Ends all connections. */
  end(): Promise<void>;
}

/** What Bun hands to `fetch` beside the request, and what an app takes of it. */
type Fetch = (request: Request, env: object) => Response | Promise<Response>;

/** Seconds that a connection may be idle: one that sends nothing, or half a request, does not stay for ever. */
const idleSeconds = 60;

function urlOf({ hostname, tls }: ListenOptions, port: number): string {
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return `${tls ? "https" : "http"}://${host}:${port}`;
}

/** Serves an app: with `Bun.serve` on Bun, with Node's own server elsewhere. @throws Error where the address is taken */
export function listen(fetch: Fetch, options: ListenOptions): Promise<Listener> {
  return isBun ? listenOnBun(fetch, options) : listenOnNode(fetch, options);
}

async function listenOnBun(fetch: Fetch, options: ListenOptions): Promise<Listener> {
  const { hostname, port, tls } = options;
  const server = Bun.serve({
    hostname,
    port,
    idleTimeout: idleSeconds,
    // The app has a limit of its own, and says so.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch: (request, server) => fetch(request, server),
    ...(tls ? { tls: { key: Bun.file(tls.keyFile), cert: Bun.file(tls.certFile) } } : {}),
  });
  return {
    url: urlOf(options, server.port ?? port),
    stop: () => server.stop(),
    end: () => server.stop(true),
  };
}

async function listenOnNode(fetch: Fetch, options: ListenOptions): Promise<Listener> {
  const [{ createAdaptorServer }, { createServer }] = await Promise.all([
    import("@hono/node-server"),
    import("node:https"),
  ]);
  const { hostname, port, tls } = options;
  const server = createAdaptorServer({
    fetch: (request: Request) => fetch(request, {}),
    ...(tls
      ? { createServer, serverOptions: { key: readFileSync(tls.keyFile), cert: readFileSync(tls.certFile) } }
      : {}),
  }) as import("node:http").Server;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, resolve);
  });
  const stopped = () => new Promise<void>((resolve) => server.close(() => resolve()));
  const address = server.address();
  return {
    url: urlOf(options, typeof address === "object" && address ? address.port : port),
    stop: stopped,
    end: () => {
      const done = stopped();
      server.closeAllConnections();
      return done;
    },
  };
}
