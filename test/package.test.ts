import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Llama } from "../src/index.ts";

// The package as users get it: packed, installed into a project of its own, and run by each runtime.
setDefaultTimeout(180_000);

const root = resolve(import.meta.dir, "..");
const program = `
import { Llama } from "cria";
const llama = await Llama.load();
const { choices } = await llama.createCompletion({ prompt: PROMPT, temperature: 0, max_tokens: 40 });
console.log(JSON.stringify(choices[0].text));
await llama.close();
`;
const serverProgram = `
import { embeddedModelPath, WorkerEngine } from "cria";
import { createApp } from "cria/server";
const engine = await WorkerEngine.load(embeddedModelPath());
const body = JSON.stringify({ prompt: PROMPT, temperature: 0, max_tokens: 40 });
const response = await createApp(engine).request("/v1/completions", { method: "POST", body });
console.log(JSON.stringify((await response.json()).choices[0].text));
await engine.close();
`;
const prompt = "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n";
let project = "";
let expected = "";

function run(command: string, args: readonly string[], cwd: string): string {
  // Each runtime chooses its own foreign function interface.
  const { CRIA_FFI: _, ...env } = process.env;
  const child = spawnSync(command, args, { cwd, env, encoding: "utf8" });
  if (child.status !== 0) throw new Error(`${command} ${args.join(" ")}: ${child.status}\n${child.stderr}`);
  return child.stdout;
}

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), "cria-package-"));
  const packed = run("npm", ["pack", "--json", "--pack-destination", project], root);
  const [{ filename }] = JSON.parse(packed.slice(packed.indexOf("["))) as [{ filename: string }];
  writeFileSync(
    join(project, "package.json"),
    JSON.stringify({ name: "user", private: true, type: "module" }),
  );
  run(
    "npm",
    ["install", "--prefer-offline", "--no-audit", "--no-fund", "--omit=dev", `./${filename}`],
    project,
  );
  writeFileSync(join(project, "main.js"), program.replace("PROMPT", JSON.stringify(prompt)));
  writeFileSync(join(project, "server.js"), serverProgram.replace("PROMPT", JSON.stringify(prompt)));
  await using llama = await Llama.load();
  const { choices } = await llama.createCompletion({ prompt, temperature: 0, max_tokens: 40 });
  expected = choices[0]!.text;
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

for (const [runtime, command, args] of [
  ["Bun", process.execPath, ["main.js"]],
  ["Node", "node", ["main.js"]],
  ["Deno", join(root, "node_modules/.bin/deno"), ["run", "-A", "main.js"]],
] as const) {
  test(`the packed package generates the same text on ${runtime}`, () => {
    expect(expected).toContain("Paris");
    expect(JSON.parse(run(command, args, project))).toBe(expected);
  });

  test(`its server answers the same on ${runtime}`, () => {
    const server = args.map((arg) => (arg === "main.js" ? "server.js" : arg));
    expect(JSON.parse(run(command, server, project))).toBe(expected);
  });
}

test("its command runs, and finds the model that comes with it", () => {
  const cria = join(project, "node_modules/.bin/cria");
  const answer = run(cria, ["run", "--chat", "--temp", "0", "-p", "What is the capital of France?"], project);
  expect(answer).toContain("Paris");
});

test("its command serves on Node, and ends when it is told to", async () => {
  const main = join(project, "node_modules/cria/dist/src/cli/main.js");
  const { CRIA_FFI: _, ...env } = process.env;
  const child = spawn("node", [main, "serve", "--port", "0"], { cwd: project, env });
  let said = "";
  const url = await new Promise<string>((ready, failed) => {
    child.stdout.on("data", (text) => {
      said += text;
      const found = /at (http:\S+)/.exec(said)?.[1];
      if (found) ready(found);
    });
    child.once("exit", () => failed(new Error(`it ended: ${said}`)));
  });
  const ended = new Promise<number | null>((done) => child.once("close", done));
  const stream = await fetch(`${url}/v1/completions`, {
    method: "POST",
    body: JSON.stringify({ prompt, temperature: 0, max_tokens: 40, stream: true }),
  });
  const chunks = (await stream.text()).split("\n\n").filter((line) => line.startsWith("data: {"));
  expect(chunks.map((line) => JSON.parse(line.slice(6)).choices[0].text).join("")).toBe(expected);
  child.kill("SIGTERM");
  expect(await ended).toBe(0);
});

test("it holds what it needs, and nothing else", () => {
  const installed = join(project, "node_modules/cria");
  for (const file of ["LICENSE", "README.md", "models/tiny-chat-f16.gguf", "dist/src/index.d.ts"]) {
    expect(existsSync(join(installed, file))).toBe(true);
  }
  for (const folder of ["src", "test", "node_modules", "models/training"]) {
    expect(existsSync(join(installed, folder))).toBe(false);
  }
});
