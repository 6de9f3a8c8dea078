// Runs the test suite once per foreign function interface and adds up the runner's own counts. What comes to no such
// interface runs once.
// usage: bun run scripts/test.ts [bun test arguments]
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { Glob, Transpiler } from "bun";

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

function run(backend: string, args: readonly string[]): Promise<{ code: number; counts: Counts }> {
  console.error(`\n== tests on ${backend} ==`);
  const child = spawn(process.execPath, ["test", ...args], {
    env: { ...process.env, CRIA_FFI: backend },
    stdio: ["ignore", "inherit", "pipe"],
  });
  let output = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    process.stderr.write(text);
  });
  const last = (word: string) =>
    Number([...output.matchAll(new RegExp(`^\\s*(\\d+) ${word}$`, "gm"))].at(-1)?.[1] ?? 0);
  return new Promise((resolve) => {
    child.on("close", (code) => {
      const counts = { passed: last("pass"), failed: last("fail"), skipped: last("skip") };
      resolve({ code: code ?? 1, counts });
    });
  });
}

const transpiler = new Transpiler({ loader: "ts" });

/** Whether a test comes to a foreign function interface: by what it imports, or by a process or thread that it starts. */
function needsInterface(test: string): boolean {
  const seen = new Set([test]);
  for (const file of seen) {
    const source = readFileSync(file, "utf8");
    if (file.startsWith("ffi/") || /\bspawn|\bnew Worker\b|child_process/.test(source)) return true;
    for (const { path } of transpiler.scanImports(source)) {
      if (path.startsWith(".") && path.endsWith(".ts")) seen.add(posix.join(posix.dirname(file), path));
    }
  }
  return false;
}

/** Arguments for the interfaces behind the first; the same where they name files. */
function argumentsForOthers(args: readonly string[]): readonly string[] {
  if (args.some((argument) => !argument.startsWith("-"))) return args;
  const tests = [...new Glob("test/**/*.test.ts").scanSync(".")].sort().filter(needsInterface);
  return [...args, ...tests.map((file) => `./${file}`)];
}

const total: Counts = { passed: 0, failed: 0, skipped: 0 };
let status = 0;
const given = process.argv.slice(2);
for (const [backend, args] of [
  ["bun", given],
  ["koffi", argumentsForOthers(given)],
] as const) {
  const { code, counts } = await run(backend, args);
  // A runner that dies prints no counts; it must not look like a success.
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
  if (code !== 0 || counts.passed === 0) status = 1;
}
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
process.exit(status);
