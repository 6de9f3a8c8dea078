import { spawn } from "node:child_process";
import { resolve } from "node:path";

export interface CliResult {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a test may do to a command while it runs. */
export interface Handle {
  kill(signal: NodeJS.Signals): void;
  /** Closes the reader's end of standard output. */
  stopReading(): void;
}

export interface CliOptions {
  readonly input?: string | Uint8Array;
  /** Leaves standard input open after `input`. */
  readonly keepInput?: boolean;
  readonly env?: Record<string, string>;
  /** Called once, when standard output matches `pattern`. */
  readonly on?: { readonly pattern: RegExp; readonly act: (handle: Handle) => void };
}

const main = resolve(import.meta.dir, "../../src/cli/main.ts");

/** Runs `cria` in a process of its own, with this process's environment. */
export function cria(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = spawn(process.execPath, [main, ...args], { env: { ...process.env, ...options.env } });
  let stdout = "";
  let stderr = "";
  let waiting = options.on;
  const handle: Handle = {
    kill: (signal) => child.kill(signal),
    stopReading: () => child.stdout.destroy(),
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    const due = waiting?.pattern.test(stdout) ? waiting : undefined;
    if (due) waiting = undefined;
    due?.act(handle);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  // A command that ends early leaves its input unread.
  child.stdin.on("error", () => {});
  if (options.keepInput) child.stdin.write(options.input ?? "");
  else child.stdin.end(options.input ?? "");
  return new Promise((done) => {
    child.on("close", (code, signal) => done({ code, signal, stdout, stderr }));
  });
}

/** What to wait for, in the output since the step before, and what to type then. */
export type Step = readonly [pattern: RegExp, keys: string];

export const ctrlC = "\x03";
export const ctrlD = "\x04";

/** Runs `cria` at a terminal of its own. The screen is all that was written to it, without escape sequences. */
export async function criaAtTerminal(
  args: readonly string[],
  steps: readonly Step[],
): Promise<{ code: number; screen: string; stepsDone: number }> {
  let written = "";
  let stepStart = 0;
  let stepsDone = 0;
  const decoder = new TextDecoder();
  const child = Bun.spawn([process.execPath, main, ...args], {
    timeout: 20_000,
    terminal: {
      cols: 200,
      rows: 50,
      data: (terminal, bytes) => {
        written += decoder.decode(bytes, { stream: true });
        const step = steps[stepsDone];
        if (!step?.[0].test(withoutEscapes(written.slice(stepStart)))) return;
        stepsDone++;
        stepStart = written.length;
        terminal.write(step[1]);
      },
    },
  });
  const code = await child.exited;
  child.terminal?.close();
  return { code, screen: withoutEscapes(written), stepsDone };
}

function withoutEscapes(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminals write them.
  return text.replace(/\x1b\[[0-9;?]*[A-Za-z]|\r/g, "");
}
