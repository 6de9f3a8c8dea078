import { createHash, timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { HttpError } from "./errors.ts";

/** Open without a key, as on llama-server: what load balancers and lists of models ask for, and the documentation. */
const open = new Set(["/health", "/v1/health", "/models", "/v1/models", "/", "/docs", "/openapi.json"]);

const digest = (text: string) => createHash("sha256").update(text).digest();

/** Lets through who names one of the keys, as a bearer token or in `X-Api-Key`. */
export function authentication(keys: readonly string[]): MiddlewareHandler {
  // Digests are of equal length, so that comparing them takes the same time whatever was sent.
  const known = keys.map(digest);
  return async (c, next) => {
    const bearer = /^Bearer\s+(.+)$/i.exec(c.req.header("Authorization") ?? "")?.[1];
    const given = bearer?.trim() ?? c.req.header("X-Api-Key");
    // Mounted elsewhere, the app has that place before its paths, as this middleware has.
    const mount = routePath(c).replace(/\/?\*$/, "");
    if (!open.has(c.req.path.slice(mount.length) || "/")) {
      const sent = digest(given ?? "");
      let matches = 0;
      for (const key of known) matches += timingSafeEqual(key, sent) ? 1 : 0;
      if (given === undefined || matches === 0)
        throw new HttpError(
          "authentication_error",
          "Invalid API Key: send one of the server's keys as a bearer token",
        );
    }
    await next();
  };
}
