import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embeddedModelPath } from "../../src/embedded-model.ts";
import { cria } from "../support/cli.ts";

setDefaultTimeout(30_000);

const folder = mkdtempSync(join(tmpdir(), "cria-cli-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}
const question = "What is the capital of France?";
const answer = "The capital of France is Paris.\n";
const ask = ["run", "--chat", "--temp", "0"];
const story = ["run", "-p", "Once upon a time"];
const embedded = "cria: no -m given, using the tiny model that comes with cria\n";

test("answers through the chat template, on standard output alone", async () => {
  const [without, named] = await Promise.all([
    cria([...ask, "-p", question]),
    cria([...ask, "-p", question, "-m", embeddedModelPath()]),
  ]);
  expect(without).toEqual({ code: 0, signal: null, stdout: answer, stderr: embedded });
  expect(named).toEqual({ code: 0, signal: null, stdout: answer, stderr: "" });
});

test("goes on with a story", async () => {
  const { code, stdout, stderr } = await cria([...story, "--temp", "0", "-n", "40"]);
  expect([code, stderr]).toEqual([0, embedded]);
  expect(stdout).toMatch(/^, there was a \w+ \w+ named \w+\. .{40,}\n$/);
});

test("takes the prompt from -p, a file, and standard input alike, whether or not a line break ends it", async () => {
  const results = await Promise.all([
    cria([...ask, "-f", file("prompt.txt", question)]),
    cria([...ask, "-f", file("line.txt", `${question}\r\n`)]),
    cria([...ask, "-f", file("marked.txt", `\ufeff${question}\n`)]),
    cria([...ask, "--file=-"], { input: question }),
    cria(ask, { input: `${question}\n` }),
  ]);
  for (const { code, stdout, stderr } of results)
    expect([code, stdout, stderr]).toEqual([0, answer, embedded]);
});

test("bytes that are no UTF-8 are replaced, and standard error says so", async () => {
  const input = Buffer.concat([Uint8Array.of(0xff, 0xfe), Buffer.from(question)]);
  const { code, stdout, stderr } = await cria([...ask, "-n", "3"], { input });
  expect(code).toBe(0);
  expect(stdout.length).toBeGreaterThan(1);
  expect(stderr).toStartWith("cria: standard input is not valid UTF-8; wrong bytes are read as U+FFFD\n");
});

test("-e reads escapes as llama.cpp does", async () => {
  const prompt = String.raw`<|im_start|>user\nWhat is the capital of France?<|im_end|>\x0a<|im_start|>assistant\n`;
  const [escaped, plain] = await Promise.all([
    cria(["run", "-e", "--temp", "0", "-p", prompt]),
    cria(["tokenize", "--show-count", "-p", prompt]),
  ]);
  expect([escaped.code, escaped.stdout]).toEqual([0, answer]);
  expect(plain.stdout).toContain("\\\\");
});

test("the same seed gives the same text, another one another", async () => {
  const flags = [...story, "--temp", "0.8", "-n", "30"];
  const [a, b, c] = await Promise.all([
    cria([...flags, "--seed", "1"]),
    cria([...flags, "-s", "1"]),
    cria([...flags, "--seed", "3"]),
  ]);
  expect(a.stdout.length).toBeGreaterThan(40);
  expect(a.stdout).toBe(b.stdout);
  expect(a.stdout).not.toBe(c.stdout);
});

test("a cache folder makes the next start warm; default is the one of `cria cache`", async () => {
  const long = ["run", "-p", "Tom had a big red ball. ".repeat(80), "-n", "4", "--temp", "0", "-v"];
  const env = { XDG_CACHE_HOME: folder };
  const first = await cria([...long, "--cache-dir", "default"], { env });
  expect(first.stderr).toContain(" tokens computed, 0 from the cache");
  const [again, listed] = [
    await cria([...long, "--cache-dir", join(folder, "cria")]),
    await cria(["cache", "list", "--json"], { env }),
  ];
  expect(again.stdout).toBe(first.stdout);
  expect(again.stderr).toContain("prompt: 1 tokens computed");
  expect(JSON.parse(listed.stdout).tokens).toBeGreaterThan(500);
});

test("the temperature counts", async () => {
  const flags = [...story, "--seed", "1", "-n", "30", "--top-k", "0", "--top-p", "1", "--min-p", "0"];
  const [cold, frozen, hot] = await Promise.all([
    cria([...flags, "--temp", "0.0001"]),
    cria([...flags, "--temp", "0"]),
    cria([...flags, "--temperature", "5"]),
  ]);
  expect(cold.stdout).toBe(frozen.stdout);
  expect(hot.stdout).not.toBe(frozen.stdout);
});

test("--json is the whole response, and nothing else is on standard output", async () => {
  const [chat, text] = await Promise.all([
    cria([...ask, "--json", "-p", question, "-sys", "Be brief."]),
    cria([...story, "--json", "-n", "4", "--temp", "0"]),
  ]);
  const { object, choices, usage } = JSON.parse(chat.stdout);
  expect(object).toBe("chat.completion");
  expect(choices).toHaveLength(1);
  expect(choices[0].message.content).toContain("Paris");
  expect(choices[0].finish_reason).toBe("stop");
  expect(usage.total_tokens).toBe(usage.prompt_tokens + usage.completion_tokens);
  expect(JSON.parse(text.stdout)).toMatchObject({
    object: "text_completion",
    choices: [{ text: ", there was a", finish_reason: "length" }],
    usage: { completion_tokens: 4 },
  });
});

test("-n limits, -r and --reverse-prompt stop", async () => {
  const [none, one, stopped, alias] = await Promise.all([
    cria([...ask, "-p", question, "-n", "0"]),
    cria([...ask, "-p", question, "--n-predict", "1"]),
    cria([...ask, "-p", question, "-r", " France", "-r", "nowhere"]),
    cria([...ask, "-p", question, "--reverse-prompt", " is"]),
  ]);
  expect([none.code, none.stdout]).toEqual([0, "\n"]);
  expect(one.stdout).toBe("The\n");
  expect(stopped.stdout).toBe("The capital of\n");
  expect(alias.stdout).toBe("The capital of France\n");
});

test("--grammar, --grammar-file and --logit-bias", async () => {
  const flags = ["run", "--temp", "0", "-p", question];
  const { stdout: ids } = await cria(["tokenize", "-p", "The", "--ids"]);
  const [yes, no, banned] = await Promise.all([
    cria([...flags, "--grammar", 'root ::= "yes" | "yep"']),
    cria([...flags, "--grammar-file", file("no.gbnf", '\ufeffroot ::= "no"')]),
    cria([...flags, "--chat", "-n", "5", "-l", `${JSON.parse(ids)[0]}-inf`]),
  ]);
  expect(yes.stdout).toMatch(/^ye[sp]\n$/);
  expect(no.stdout).toBe("no\n");
  expect(banned.stdout).not.toStartWith("The");
  expect(banned.code).toBe(0);
});

test("--json-schema and --json-schema-file, in both spellings, with a chat and without", async () => {
  const schema = JSON.stringify({ enum: ["yes", "no"] });
  const flags = ["run", "--temp", "0", "-p", question];
  const path = file("schema.json", `\ufeff${schema}`);
  const results = await Promise.all([
    cria([...flags, "-j", schema]),
    cria([...flags, "--json-schema", schema]),
    cria([...flags, "-jf", path]),
    cria([...flags, "--json-schema-file", path]),
  ]);
  for (const { code, stdout } of results) {
    expect([code, stdout]).toEqual([0, results[0].stdout]);
    expect(["yes", "no"]).toContain(JSON.parse(stdout));
  }
  const properties = { name: { type: "string" }, age: { type: "integer" }, city: { type: "string" } };
  const person = JSON.stringify({ type: "object", properties, required: ["name", "age", "city"] });
  const chat = await cria([...ask, "-p", "Write JSON for Anna, age 30, from Oslo.", "-j", person]);
  expect(JSON.parse(chat.stdout)).toEqual({ name: "Anna", age: 30, city: "Oslo" });
});

test("flags of reasoning", async () => {
  const template = file(
    "thinking.jinja",
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}" +
      "<|im_start|>assistant\n{% if enable_thinking is defined and not enable_thinking %}{{ lead }}" +
      "{% else %}<think>\n{% endif %}",
  );
  const flags = [...ask, "-p", question, "--chat-template-file", template, "-n", "30", "--json"];
  const budget = ["--reasoning-budget", "2", "--reasoning-budget-message", " So."];
  const [thinks, shown, off, kwargs] = await Promise.all([
    cria([...flags, ...budget]),
    cria([...flags, ...budget, "--reasoning-format", "none"]),
    cria([...flags, "-rea", "off"]),
    cria([
      ...flags,
      "--chat-template-kwargs",
      '{"enable_thinking": false, "lead": "<think>"}',
      "--reasoning-budget=0",
    ]),
  ]);
  const messageOf = ({ stdout }: { stdout: string }) => JSON.parse(stdout).choices[0].message;
  expect(messageOf(thinks).reasoning_content).toEndWith(" So.");
  expect(messageOf(thinks).content).not.toContain("think");
  expect(messageOf(shown).content).toContain(" So.\n</think>");
  expect(messageOf(off)).toMatchObject({ content: answer.trim() });
  expect(messageOf(off).reasoning_content).toBeUndefined();
  expect(messageOf(kwargs).content).not.toContain("think");
});

test("-v adds timings to standard error, and nothing to standard output", async () => {
  const { stdout, stderr } = await cria([...ask, "-p", question, "-v"]);
  expect(stdout).toBe(answer);
  expect(stderr).toMatch(/prompt: 17 tokens computed, 0 from the cache, .* answer: 12 tokens/);
});

test("an interrupt ends it with 130, and what was printed stays", async () => {
  const { code, stdout, stderr } = await cria([...story, "--temp", "0", "--ignore-eos", "-c", "8192"], {
    on: { pattern: /there was a/, act: ({ kill }) => kill("SIGINT") },
  });
  expect(code).toBe(130);
  expect(stdout).toStartWith(", there was a");
  expect(stderr).toBe(embedded);
});

test("a reader that has seen enough ends it in silence", async () => {
  const { code, signal, stdout, stderr } = await cria([...story, "--ignore-eos", "-c", "8192"], {
    on: { pattern: /.{20}/, act: ({ stopReading }) => stopReading() },
  });
  expect([code, signal, stderr]).toEqual([0, null, embedded]);
  // Far less than the context would hold.
  expect(stdout.length).toBeLessThan(5000);
});
