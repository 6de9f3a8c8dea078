// Fetches the headers of the pinned llama.cpp release into node_modules/.cache/cria/llama.cpp.
// The npm package node-llama-cpp carries llama.cpp's source as a git bundle; nothing of it is committed here.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const pinnedRelease = "v0.5.0";
const packageName = "node-llama-cpp@3.22.1";
const target = "node_modules/.cache/cria/llama.cpp";

/** Where the headers are: CRIA_HEADERS, or the cache. */
export function headerFolder(): string {
  return process.env.CRIA_HEADERS ?? target;
}

function step(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${text}\n`);
}

function run(command: string, args: readonly string[], cwd?: string): void {
  execFileSync(command, args, { stdio: ["ignore", "ignore", "pipe"], ...(cwd && { cwd }) });
}

export function fetchHeaders(): void {
  if (existsSync(join(headerFolder(), "include/llama.h"))) return;
  const scratch = mkdtempSync(join(tmpdir(), "cria-headers-"));
  try {
    step(`fetching ${packageName} (35 MB)`);
    run("npm", ["pack", packageName, "--pack-destination", scratch]);
    const archive = readdirSync(scratch).find((name) => name.endsWith(".tgz")) as string;
    step("unpacking");
    run("tar", ["-xzf", archive, "package/llama/gitRelease.bundle"], scratch);
    run("git", ["clone", "--quiet", "package/llama/gitRelease.bundle", "llama.cpp"], scratch);
    const staged = join(scratch, "headers");
    for (const folder of ["include", "ggml/include"]) {
      cpSync(join(scratch, "llama.cpp", folder), join(staged, folder), { recursive: true });
    }
    mkdirSync("node_modules/.cache/cria", { recursive: true });
    try {
      renameSync(staged, target);
    } catch {
      // Another file system: renaming cannot cross it.
      cpSync(staged, target, { recursive: true });
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  try {
    fetchHeaders();
  } catch (error) {
    console.error(`the headers could not be fetched: ${(error as Error).message}`);
    console.error(
      "npm, tar, git and the npm registry are needed; or set CRIA_HEADERS to a checkout of llama.cpp",
    );
    process.exit(1);
  }
}
