import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type CliResult, cria } from "../support/cli.ts";

setDefaultTimeout(30_000);

const folder = mkdtempSync(join(tmpdir(), "cria-serve-"));
const started: (() => void)[] = [];
afterAll(() => {
  // Those of tests that failed are still there.
  for (const end of started) end();
  rmSync(folder, { recursive: true });
});

interface Running {
  readonly url: string;
  /** Sends a signal. */
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<CliResult>;
}

const main = resolve(import.meta.dir, "../../src/cli/main.ts");

/** Starts a server on a free port, and waits until it says where. */
function serve(args: readonly string[], env: Record<string, string> = {}): Promise<Running> {
  const child = spawn(process.execPath, [main, "serve", "--port", "0", "-t", "1", ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.push(() => child.kill("SIGKILL"));
  let [stdout, stderr] = ["", ""];
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<CliResult>((done) => {
    child.on("close", (code, signal) => done({ code, signal, stdout, stderr }));
  });
  return new Promise((ready, failed) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      const url = /at (https?:\/\/\S+)/.exec(stdout)?.[1];
      if (url) ready({ url, ended, kill: (signal) => child.kill(signal) });
    });
    ended.then(({ stderr }) => failed(new Error(`it ended before it was ready: ${stderr}`)));
  });
}

const ask = (url: string, fields: object = {}, headers: Record<string, string> = {}) =>
  fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers,
    body: JSON.stringify({
      messages: [{ role: "user", content: "What is the capital of France?" }],
      temperature: 0,
      ...fields,
    }),
  });

describe("a server", () => {
  test("says where it is, with a command line that works; SIGTERM ends it well", async () => {
    const server = await serve([]);
    const answer = (await (await ask(server.url)).json()) as { choices: { message: { content: string } }[] };
    expect(answer.choices[0]?.message.content).toContain("Paris");
    server.kill("SIGTERM");
    const { code, stdout, stderr } = await server.ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(/POST \/v1\/chat\/completions 200 in \d+ ms/);
    expect(stderr).not.toContain("capital");
    const [, command] = /^Try: (curl .*)$/m.exec(stdout) ?? [];
    expect(command).toContain(`${server.url}/v1/chat/completions -d '`);
  });

  test("what runs when it is told to stop goes on to its end, and nothing new is taken", async () => {
    const server = await serve([]);
    const response = await ask(server.url, {
      messages: [{ role: "user", content: "Tell me a story." }],
      stream: true,
      max_tokens: 400,
      ignore_eos: true,
    });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = (await reader.read()).value ?? "";
    server.kill("SIGTERM");
    for (let step = await reader.read(); !step.done; step = await reader.read()) text += step.value;
    expect(text).toEndWith("data: [DONE]\n\n");
    expect((await server.ended).code).toBe(0);
    expect(ask(server.url)).rejects.toThrow();
  });

  test("its time to end is limited, and a second signal ends it at once", async () => {
    for (const args of [
      ["--drain-timeout", "0"],
      ["--drain-timeout", "1000"],
    ]) {
      const server = await serve(args);
      // A stream that nobody reads never ends by itself.
      const response = await ask(server.url, { stream: true, ignore_eos: true, max_tokens: 4000 });
      expect(response.status).toBe(200);
      server.kill("SIGTERM");
      if (args[1] !== "0") setTimeout(() => server.kill("SIGTERM"), 100);
      expect((await server.ended).code).toBe(0);
    }
  });
});

test("keys, alias, prefix, defaults and log format from flags and llama-server's environment variables", async () => {
  const keyFile = join(folder, "keys");
  writeFileSync(keyFile, "filed\n\n");
  const server = await serve(
    ["--api-key-file", keyFile, "--api-prefix", "/llm", "--log-format", "json", "-n", "3"],
    {
      LLAMA_API_KEY: "first,second",
      LLAMA_ARG_ALIAS: "small",
      LLAMA_ARG_ENDPOINT_METRICS: "1",
      LLAMA_ARG_ENDPOINT_SLOTS: "0",
      LLAMA_ARG_CTX_SIZE: "777",
    },
  );
  expect(server.url).toEndWith("/llm");
  const get = (path: string) => fetch(`${server.url}${path}`, { headers: { "X-Api-Key": "second" } });
  expect((await ask(server.url)).status).toBe(401);
  for (const key of ["first", "second", "filed"]) {
    const response = await ask(server.url, {}, { Authorization: `Bearer ${key}` });
    expect(await response.json()).toMatchObject({ model: "small", usage: { completion_tokens: 3 } });
  }
  expect(await (await get("/props")).json()).toMatchObject({
    model_alias: "small",
    default_generation_settings: { n_ctx: 777 },
  });
  expect([(await get("/metrics")).status, (await get("/slots")).status]).toEqual([200, 501]);
  server.kill("SIGINT");
  const { stderr } = await server.ended;
  const lines = stderr.split("\n").filter((line) => line.startsWith("{"));
  expect(lines.length).toBeGreaterThan(5);
  expect(lines.map((line) => JSON.parse(line).properties.status)).toContain(401);
});

test.each([
  [["--props"], "--props is not taken"],
  [["--mmproj", "x"], "images and audio are not supported"],
  [["--cache-ram", "-2"], "between -1 and"],
  [["-cram", "much"], "must be an integer"],
  [["--cache-dir", ""], "--cache-dir"],
  [["--cache-disk", "100"], "--cache-disk needs --cache-dir"],
  [["--cache-dir", "x", "--cache-disk", "0"], "--cache-disk"],
  [["--flsh-attn", "on"], "--flash-attn"],
  [["--ssl-key-file", "x"], "--ssl-cert-file"],
  [["--port", "70000"], "--port"],
  [["--api-prefix", "no"], "path such as /llm"],
  [["--parallel", "0"], "--parallel"],
])("%j is refused with the reason, before anything is loaded", async (args, reason) => {
  const { code, stdout, stderr } = await cria(["serve", ...args]);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(reason);
  expect(stderr).not.toContain("using the tiny model");
});

describe("the cache beside the context", () => {
  const metric = async (url: string, name: string) => {
    const text = await (await fetch(`${url}/metrics`)).text();
    const [, value] =
      new RegExp(`^cria:cache_${name.replace(/[{}]/g, "\\$&")} (\\d+)$`, "m").exec(text) ?? [];
    return value && Number(value);
  };
  const prompt = "Tom had a big red ball. ".repeat(80);
  const complete = async (url: string) => {
    const body = JSON.stringify({ prompt, n_predict: 1, temperature: 0 });
    const answer = await fetch(`${url}/completion`, { method: "POST", body });
    return ((await answer.json()) as { timings: { cache_n: number; prompt_n: number } }).timings;
  };

  test("a folder makes the next start warm, by a flag and by a variable", async () => {
    const cacheDir = join(folder, "cache");
    const starts = [
      [["--cache-dir", cacheDir, "-cram", "64", "--cache-disk", "100"], {}],
      [[], { CRIA_CACHE_DIR: cacheDir, LLAMA_ARG_CACHE_RAM: "0" }],
      [[], { CRIA_CACHE_DIR: "" }],
    ] as const;
    const computed: number[] = [];
    for (const [flags, env] of starts) {
      const server = await serve(["--metrics", ...flags], env);
      computed.push((await complete(server.url)).prompt_n);
      const kept = await metric(server.url, 'bytes{tier="disk"}');
      expect(kept === undefined).toBe(computed.length === starts.length);
      server.kill("SIGTERM");
      expect((await server.ended).code).toBe(0);
    }
    expect(computed[0]).toBeGreaterThan(500);
    expect(computed.slice(1)).toEqual([1, computed[0]!]);
  });

  test("a prompt is computed once, unless --no-cache-prompt says otherwise", async () => {
    for (const [flags, again] of [
      [[], 1],
      [["--no-cache-prompt"], 562],
    ] as const) {
      const server = await serve(flags);
      expect([(await complete(server.url)).prompt_n, (await complete(server.url)).prompt_n]).toEqual([
        562,
        again,
      ]);
      server.kill("SIGTERM");
      await server.ended;
    }
  });

  test("none where there is no memory for it", async () => {
    const server = await serve(["--metrics", "--cache-ram", "0"]);
    await complete(server.url);
    expect(await metric(server.url, 'bytes{tier="host"}')).toBeUndefined();
    server.kill("SIGTERM");
    await server.ended;
  });
});

test("a shape and how to think, from flags and from llama-server's environment variables", async () => {
  const template = join(folder, "thinking.jinja");
  writeFileSync(
    template,
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}" +
      "<|im_start|>assistant\n{% if enable_thinking is defined and not enable_thinking %}{{ lead }}" +
      "{% else %}<think>\n{% endif %}",
  );
  const schema = JSON.stringify({ enum: ["Paris", "Oslo"] });
  const server = await serve(["--chat-template-file", template, "-j", schema], {
    LLAMA_ARG_THINK: "deepseek",
    LLAMA_ARG_THINK_BUDGET: "3",
    LLAMA_ARG_THINK_BUDGET_MESSAGE: " So.",
    LLAMA_ARG_CHAT_TEMPLATE_KWARGS: '{"lead": "Hm"}',
  });
  type Reply = { choices: { message: { content: string; reasoning_content?: string } }[] };
  const messageOf = async (fields: object) =>
    ((await (await ask(server.url, fields)).json()) as Reply).choices[0]!.message;
  const { content, reasoning_content } = await messageOf({});
  expect(["Paris", "Oslo"]).toContain(JSON.parse(content));
  expect(reasoning_content).toEndWith(" So.");
  const promptOf = async ({ url }: Running, fields: object = {}) => {
    const body = JSON.stringify({ messages: [{ role: "user", content: "Hi." }], ...fields });
    const response = await fetch(`${url}/apply-template`, { method: "POST", body });
    return ((await response.json()) as { prompt: string }).prompt;
  };
  const chat_template_kwargs = { enable_thinking: false };
  expect(await promptOf(server, { chat_template_kwargs })).toEndWith("assistant\nHm");
  server.kill("SIGTERM");
  await server.ended;
  const silent = await serve(["--chat-template-file", template, "--reasoning-format", "none"], {
    LLAMA_ARG_REASONING: "0",
  });
  expect(await promptOf(silent)).toEndWith("assistant\n");
  silent.kill("SIGTERM");
  await silent.ended;
});

test("an address that is taken is an error that names it", async () => {
  const server = await serve([]);
  const { port } = new URL(server.url);
  const { code, stderr } = await cria(["serve", "--port", port, "--log-disable"]);
  expect(code).toBe(1);
  expect(stderr).toContain(port);
  server.kill("SIGTERM");
  await server.ended;
});
