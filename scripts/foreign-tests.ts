import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, normalize } from "node:path";

/** Test files by whether they may come to call C. Paths from the root. */
export interface TestFiles {
  /** Run once for each foreign function interface. */
  readonly foreign: readonly string[];
  /** Pure TypeScript. */
  readonly plain: readonly string[];
}

/**
 * Sorts the test files: those that lead to `ffi/` by way of imports or of files that they name, or that start a process or thread, may
 * call C.
 */
export function sortTests(): TestFiles {
  const files = readdirSync("test", { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".test.ts"))
    .map((path) => join("test", path).replaceAll("\\", "/"))
    .sort();
  const known = new Map<string, ReturnType<typeof inspect>>();
  const look = (path: string) => {
    let found = known.get(path);
    if (!found) {
      found = inspect(path);
      known.set(path, found);
    }
    return found;
  };
  const mayCallC = (start: string) => {
    const seen = new Set([start]);
    for (const path of seen) {
      if (path.startsWith("ffi/") || look(path).starts) return true;
      for (const named of look(path).names) seen.add(named);
    }
    return false;
  };
  return {
    foreign: files.filter(mayCallC),
    plain: files.filter((file) => !mayCallC(file)),
  };
}

/** Files that one names, types apart, and whether it starts processes or threads. */
function inspect(path: string): { names: readonly string[]; starts: boolean } {
  const text = readFileSync(path, "utf8").replace(/^(?:import|export) type [^;]*;/gm, "");
  const names: string[] = [];
  for (const [, name] of text.matchAll(/["'`]([\w./-]+\.ts)["'`]/g)) {
    const target = normalize(name!.startsWith(".") ? join(path, "..", name!) : name!).replaceAll("\\", "/");
    if (existsSync(target)) names.push(target);
  }
  return { names, starts: /\bspawn|\bexecFile|\bfork\(|new Worker\b/.test(text) };
}
