import { spawnSync } from "node:child_process";
import { join } from "node:path";

/** How a script in a process of its own ended; `signal` is set where an assert or a bad access ended it. */
export interface ChildResult {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a file of test/support in a process of its own, with this process's environment: what ends that process fails one
 * test, not all. Arguments arrive as `process.argv.slice(2)`.
 */
export function runChild(file: string, args: readonly string[] = []): ChildResult {
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    ["run", join(import.meta.dir, file), ...args],
    { encoding: "utf8", timeout: 120_000, maxBuffer: 2 ** 26 },
  );
  return { status, signal, stdout, stderr };
}
