// Runs the test suite once per foreign function interface and adds up the runner's own counts.
// usage: bun run scripts/test.ts [bun test arguments]
import { spawn } from "node:child_process";

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

const total: Counts = { passed: 0, failed: 0, skipped: 0 };
let status = 0;
for (const backend of ["bun", "koffi"]) {
  const { code, counts } = await run(backend, process.argv.slice(2));
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
