import { expect, setDefaultTimeout, test } from "bun:test";
import { spawn } from "node:child_process";
import { resolve } from "node:path";

// A module with a default export of `{ fetch }`, as the runtimes serve it by themselves.
setDefaultTimeout(60_000);

const root = resolve(import.meta.dir, "../..");
const file = resolve(root, "examples/deploy/edge.ts");

/** A port that is free now; the runtimes cannot be asked which one they took. */
function freePort(): number {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const { port } = server;
  server.stop(true);
  return port!;
}

test.each([
  ["bun run", process.execPath, (_: number) => ["run", file]],
  [
    "deno serve",
    resolve(root, "node_modules/.bin/deno"),
    (port: number) => ["serve", "-A", "--host", "127.0.0.1", "--port", `${port}`, file],
  ],
] as const)("%s serves it", async (_, command, args) => {
  const port = freePort();
  // Each runtime chooses its own foreign function interface.
  const { CRIA_FFI: __, ...env } = process.env;
  const child = spawn(command, args(port), {
    env: { ...env, PORT: `${port}` },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  const listening = new Promise<void>((ready, failed) => {
    const hear = (text: Buffer) => {
      said += text;
      if (said.includes(`:${port}`)) ready();
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("exit", () => failed(new Error(`it ended: ${said}`)));
  });
  try {
    await listening;
    const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify({
        messages: [{ role: "user", content: "What is the capital of France?" }],
        temperature: 0,
      }),
    });
    const { choices } = (await response.json()) as { choices: { message: { content: string } }[] };
    expect(choices[0]?.message.content).toContain("Paris");
  } finally {
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill();
    await ended;
  }
});
