// Runs the test suite once per foreign function interface, and once without any what needs none; adds up the runner's own counts.
// usage: bun run scripts/test.ts [bun test arguments]
import { spawn } from "node:child_process";
import { sortTests } from "./foreign-tests.ts";

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

function run(backend: string, args: readonly string[]): Promise<{ code: number; counts: Counts }> {
  console.error(`\n== tests ${backend === "none" ? "that call no C" : `on ${backend}`} ==`);
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
const given = process.argv.slice(2);
const { foreign, plain } = sortTests();
// Tests taken for plain TypeScript fail where they call C after all: "none" is no interface.
const runs: [backend: string, args: readonly string[]][] =
  given.length > 0
    ? [
        ["bun", given],
        ["koffi", given],
      ]
    : [
        ["none", plain],
        ["bun", foreign],
        ["koffi", foreign],
      ];
for (const [backend, args] of runs) {
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
