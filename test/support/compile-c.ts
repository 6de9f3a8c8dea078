import { spawnSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Whether a C compiler is at hand; tests that need one go through `requireOrSkip(haveCompiler, needsCompiler)`. */
export const haveCompiler = process.platform !== "win32" && spawnSync("cc", ["--version"]).status === 0;
export const needsCompiler = "a C compiler (cc) is needed";

const cache = join(import.meta.dir, "../../node_modules/.cache/cria-c");
const extension = process.platform === "darwin" ? "dylib" : "so";

/** Compiles shared libraries, by stem and C source, into one folder; done once per content. Returns the folder. */
export function compileLibraries(sources: Readonly<Record<string, string>>): string {
  const hash = createHash("sha256").update(JSON.stringify(sources)).digest("hex").slice(0, 16);
  const folder = join(cache, hash);
  if (existsSync(folder)) return folder;
  const temporary = join(cache, `.${randomUUID()}`);
  mkdirSync(temporary, { recursive: true });
  for (const [stem, source] of Object.entries(sources)) {
    const file = join(temporary, `${stem}.c`);
    writeFileSync(file, source);
    const target = join(temporary, `${stem}.${extension}`);
    const { status, stderr } = spawnSync("cc", ["-shared", "-fPIC", "-O1", "-o", target, file], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`cc failed on ${stem}.c: ${stderr}`);
  }
  // Another process may have finished first; its folder holds the same.
  if (!existsSync(folder)) renameSync(temporary, folder);
  return folder;
}

/** Compiles one shared library and returns its path. */
export function compileLibrary(source: string): string {
  return join(compileLibraries({ library: source }), `library.${extension}`);
}
