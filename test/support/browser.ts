import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A browser of the Chromium family, where there is one. */
export const chromium: string | null = Bun.which("chromium") ?? Bun.which("chromium-browser");

/** Without a screen, a sandbox of its own or anything that it does by itself. */
const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--no-default-browser-check",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-default-apps",
  "--disable-extensions",
  "--disable-sync",
  "--password-store=basic",
];

/** Served pages, and what they send back. */
export interface PageServer extends AsyncDisposable {
  readonly url: string;
  /** What the page at a path has reported, once it has. */
  report(path: string): Promise<string>;
}

/** Serves pages by their path, and takes one report of each: a POST to the page's own address. */
export function servePages(pages: Readonly<Record<string, string>>): PageServer {
  const reports = new Map(Object.keys(pages).map((path) => [path, Promise.withResolvers<string>()]));
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const page = pages[pathname];
      if (page === undefined) return new Response("no such page", { status: 404 });
      if (request.method === "POST") {
        reports.get(pathname)!.resolve(await request.text());
        return new Response("thanks");
      }
      return new Response(page, { headers: { "Content-Type": "text/html; charset=utf-8" } });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    report: (path) => reports.get(path)!.promise,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

/** Has a browser open a page while `use` runs. @throws what the browser said where it ends before that. */
export async function withPage<T>(url: string, use: () => Promise<T>): Promise<T> {
  const profile = await mkdtemp(join(tmpdir(), "cria-browser-"));
  const child = Bun.spawn([chromium!, ...flags, `--user-data-dir=${profile}`, url], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const errors = new Response(child.stderr).text();
  const ended = child.exited.then(async (status) => {
    throw new Error(`the browser ended with ${status}: ${(await errors).slice(-500)}`);
  });
  ended.catch(() => {});
  try {
    return await Promise.race([use(), ended]);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
