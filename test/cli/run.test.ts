import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

describe("cria run", () => {
  test("answers through the chat template, on standard output alone", async () => {
    const { code, stdout, stderr } = await cria(["run", "--chat", "--temp", "0", "-p", question]);
    expect([code, stdout]).toEqual([0, answer]);
    expect(stderr).toBe("cria: no -m given, using the tiny model that comes with cria\n");
  });

  test("goes on with a story", async () => {
    const { code, stdout } = await cria(["run", "-p", "Once upon a time", "--temp", "0", "-n", "40"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^, there was a \w+ \w+ named \w+\. .{40,}\n$/);
  });

  test("takes the prompt from -p, a file, and standard input alike", async () => {
    const flags = ["run", "--chat", "--temp", "0"];
    const path = file("prompt.txt", question);
    const results = await Promise.all([
      cria([...flags, "-f", path]),
      cria([...flags, "--file=-"], { input: question }),
      cria(flags, { input: question }),
    ]);
    for (const { code, stdout } of results) expect([code, stdout]).toEqual([0, answer]);
  });

  test("the same seed gives the same text, another one another", async () => {
    const flags = ["run", "-p", "Once upon a time", "--temp", "1.5", "-n", "30", "--top-k", "0"];
    const [a, b, c] = await Promise.all([
      cria([...flags, "--seed", "1"]),
      cria([...flags, "-s", "1"]),
      cria([...flags, "--seed", "2"]),
    ]);
    expect(a.stdout).toBe(b.stdout);
    expect(a.stdout).not.toBe(c.stdout);
  });

  test("--json is the whole response", async () => {
    const { code, stdout } = await cria([
      "run",
      "--chat",
      "--json",
      "--temp",
      "0",
      "-p",
      question,
      "-sys",
      "Be brief.",
    ]);
    expect(code).toBe(0);
    const { object, choices, usage } = JSON.parse(stdout);
    expect(object).toBe("chat.completion");
    expect(choices[0].message.content).toContain("Paris");
    expect(usage.total_tokens).toBe(usage.prompt_tokens + usage.completion_tokens);
  });

  test("-n, -r, --grammar, --grammar-file and --logit-bias", async () => {
    const flags = ["run", "--temp", "0", "-p", question];
    const [one, stopped, yes, no, banned] = await Promise.all([
      cria([...flags, "--chat", "-n", "1"]),
      cria([...flags, "--chat", "-r", " France", "-r", "nowhere"]),
      cria([...flags, "--grammar", 'root ::= "yes" | "yep"']),
      cria([...flags, "--grammar-file", file("no.gbnf", 'root ::= "no"')]),
      cria(["tokenize", "-p", "The", "--ids"]).then(({ stdout }) =>
        cria([...flags, "--chat", "-l", `${JSON.parse(stdout)[0]}-inf`]),
      ),
    ]);
    expect(one.stdout).toBe("The\n");
    expect(stopped.stdout).toBe("The capital of\n");
    expect(yes.stdout).toMatch(/^ye[sp]\n$/);
    expect(no.stdout).toBe("no\n");
    expect(banned.stdout).not.toStartWith("The");
  });

  test("Ctrl-C ends it with 130, and what was printed stays", async () => {
    let interrupted = false;
    const { code, stdout, stderr } = await cria(
      ["run", "-p", "Once upon a time", "--ignore-eos", "-c", "4096"],
      {
        onOutput: (text, kill) => {
          // A second one would end the process at once.
          if (!interrupted && text.length > 20) kill("SIGINT");
          interrupted ||= text.length > 20;
        },
      },
    );
    expect(code).toBe(130);
    expect(stdout.length).toBeGreaterThan(20);
    expect(stderr).not.toContain("    at ");
  });
});

describe("wrong usage", () => {
  const cases: [name: string, args: string[], code: number, message: RegExp][] = [
    ["a missing model", ["-m", join(folder, "none.gguf")], 1, /none\.gguf/],
    ["a model that is none", ["-m", file("no-model.gguf", "hello")], 1, /no-model\.gguf/],
    ["an unknown flag", ["--nope"], 2, /unknown option '--nope'/],
    ["a temperature that is no number", ["--temp", "warm"], 2, /--temp.*number/],
    ["threads of 0", ["-t", "0"], 2, /threads must be/],
    ["a negative context", ["-c", "-1"], 2, /contextLength must be/],
    ["a huge context", ["-c", "99999999999"], 2, /contextLength must be/],
    ["a batch of NaN", ["-b", "NaN"], 2, /--batch-size.*integer/],
    ["a bad grammar", ["--grammar", "root ::= ("], 1, /line 1/],
    [
      "a missing grammar file",
      ["--grammar-file", join(folder, "none.gbnf")],
      1,
      /--grammar-file.*none\.gbnf/,
    ],
    ["a prompt and a file", ["-f", folder], 2, /either --prompt or --file/],
    ["a system message without --chat", ["--system-prompt", "x"], 2, /needs --chat/],
    ["a bad override", ["--override-kv", "x=1"], 2, /KEY=TYPE:VALUE/],
    ["an unknown chat template", ["--chat", "--chat-template", "nope"], 2, /nope/],
  ];
  test.each(cases)("%s", async (_, args, code, message) => {
    const result = await cria(["run", "-p", "Hello", "-n", "2", ...args]);
    expect([result.code, result.stdout]).toEqual([code, ""]);
    expect(result.stderr).toMatch(message);
    expect(result.stderr).not.toContain("    at ");
  });

  test("a folder for a prompt, an empty prompt, one longer than the context, and rubbish", async () => {
    const [folderCase, empty, long, rubbish] = await Promise.all([
      cria(["run", "-f", folder]),
      cria(["run"]),
      cria(["run", "-c", "256", "-p", "word ".repeat(400)]),
      cria(["run", "-n", "3"], { input: new Uint8Array([0xff, 0xfe, 0x41, 0xc3]) }),
    ]);
    expect([folderCase.code, empty.code, long.code, rubbish.code]).toEqual([1, 1, 1, 0]);
    expect(folderCase.stderr).toMatch(/--file.*cannot be read/);
    expect(empty.stderr).toMatch(/the prompt is empty/);
    expect(long.stderr).toMatch(/prompt has \d+ tokens, the context holds 256/);
  });
});
