// Runs every example with the runtime its first comment names, and checks what it prints.
// The first lines of an example say `// run: bun|node|deno` and `// prints: REGULAR EXPRESSION`.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const commands: Readonly<Record<string, readonly string[]>> = {
  bun: [process.execPath, "run"],
  node: ["node"],
  deno: ["node_modules/.bin/deno", "run", "-A"],
};

function field(text: string, name: string): string | undefined {
  return new RegExp(`^// ${name}: (.*)$`, "m").exec(text)?.[1];
}

let failures = 0;
for (const file of readdirSync("examples")
  .filter((name) => /\.m?[jt]s$/.test(name))
  .sort()) {
  const path = join("examples", file);
  const text = readFileSync(path, "utf8");
  const command = commands[field(text, "run") ?? "bun"];
  const expected = field(text, "prints");
  if (!command || expected === undefined) {
    console.log(`${path}: needs "// run: bun|node|deno" and "// prints: ..."`);
    failures++;
    continue;
  }
  const [program = "", ...args] = [...command, path];
  const run = spawnSync(program, args, { encoding: "utf8", timeout: 120_000, input: "" });
  const good = run.status === 0 && new RegExp(expected, "s").test(run.stdout);
  console.log(`${good ? "ok  " : "FAIL"} ${path}`);
  if (good) continue;
  failures++;
  console.log(`exit ${run.status}, expected ${expected}\n${run.stdout}\n${run.stderr}`);
}
process.exit(failures > 0 ? 1 : 0);
