import { expect, setDefaultTimeout, test } from "bun:test";
import { type CliOptions, cria } from "../support/cli.ts";

setDefaultTimeout(30_000);

const chat = (lines: readonly string[], flags: readonly string[] = [], options: CliOptions = {}) =>
  cria(["chat", "--temp", "0", ...flags], { input: `${lines.join("\n")}\n`, ...options });
const question = "What is the capital of France?";
const paris = "The capital of France is Paris.";

test("keeps the conversation, and computes only what is new", async () => {
  const { code, stdout, stderr } = await chat(["My name is Anna.", "What is my name?", "/timings"]);
  expect(code).toBe(0);
  const [, name, timings] = stdout.split("\n");
  expect(name).toBe("Your name is Anna.");
  expect(Number(/(\d+) from the cache/.exec(timings!)![1])).toBeGreaterThan(10);
  expect(stderr).toBe("cria: no -m given, using the tiny model that comes with cria\n");
});

test("/reset forgets, /history shows, /retry answers again", async () => {
  const lines = ["My name is Anna.", "/reset", question, "/retry", "/history", "/exit", "never read"];
  const { code, stdout } = await chat(lines);
  expect(code).toBe(0);
  expect(stdout.split("\n").slice(1)).toEqual([
    "forgotten",
    paris,
    paris,
    `user: ${question}`,
    `assistant: ${paris}`,
    "",
  ]);
});

test("a system message comes from a flag, a file or /system, and outlives /reset", async () => {
  const { code, stdout } = await chat(
    ["/history", "/system  Be nice.", "/reset", "/history", "/system", "/history"],
    ["-sys", "Be brief."],
  );
  expect(code).toBe(0);
  expect(stdout).toBe(
    "system: Be brief.\nsystem message set\nforgotten\nsystem: Be nice.\nsystem message removed\n",
  );
  const fromFile = await chat(["/history"], ["-sysf", import.meta.path]);
  expect(fromFile.stdout).toStartWith('system: import { expect, setDefaultTimeout, test } from "bun:test";');
});

test("/help lists every command; nothing to retry, no timings", async () => {
  const { code, stdout } = await chat(["/help", "/retry", "/timings"]);
  expect(code).toBe(0);
  for (const name of ["help", "system", "reset", "retry", "history", "timings", "exit"]) {
    expect(stdout).toMatch(new RegExp(`^/${name}\\b`, "m"));
  }
  expect(stdout).toEndWith("there is nothing to answer again\nno answer yet\n");
});

test("an unknown command is refused, and the chat goes on", async () => {
  const { code, stdout, stderr } = await chat(["/nonsense", question]);
  expect([code, stdout]).toEqual([1, `${paris}\n`]);
  expect(stderr).toContain("unknown command /nonsense; /help lists the commands\n");
});

test("a message that does not fit is refused and forgotten, and the chat goes on", async () => {
  const { code, stdout, stderr } = await chat(["word ".repeat(400), question, "/history"], ["-c", "256"]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/the context holds 256; .*--ctx-size \(-c\); \/reset starts anew/);
  expect(stdout).toBe(`${paris}\nuser: ${question}\nassistant: ${paris}\n`);
});

test("an answer that fills the context says so, one that ends at -n does not", async () => {
  const [full, limited] = await Promise.all([
    chat(["Tell me a story."], ["--ignore-eos", "-c", "256"]),
    chat(["Tell me a story."], ["--ignore-eos", "-n", "5"]),
  ]);
  expect(full.stderr).toContain("[the context is full; /reset starts anew, -c makes it larger]");
  expect(limited.stderr).not.toContain("full");
  expect(limited.stdout.length).toBeLessThan(full.stdout.length);
});

test("an interrupt stops the answer and not the program", async () => {
  const { code, stdout, stderr } = await chat(
    ["Tell me a story.", "/history"],
    ["--ignore-eos", "-c", "8192"],
    { on: { pattern: /.{20}/, act: ({ kill }) => kill("SIGINT") } },
  );
  expect(code).toBe(0);
  expect(stderr).toContain("[stopped]");
  expect(stdout).toContain("user: Tell me a story.\nassistant: ");
});

test("an interrupt between answers ends it, where the input is no terminal", async () => {
  const { code, stdout } = await chat([question], [], {
    keepInput: true,
    on: { pattern: /Paris\.\n/, act: ({ kill }) => kill("SIGINT") },
  });
  expect([code, stdout]).toEqual([130, `${paris}\n`]);
});

test("a last line without a line break is read; empty ones are passed over", async () => {
  const { code, stdout } = await chat([], [], { input: `\n  \n${question}` });
  expect([code, stdout]).toEqual([0, `${paris}\n`]);
});

test("every answer has the shape that a flag asks for", async () => {
  const flags = ["-j", '{"enum": ["yes", "no"]}', "-rea", "off", "--reasoning-budget", "5"];
  const { code, stdout } = await chat(["Is it red?", question], flags);
  const answers = stdout.split("\n").slice(0, -1);
  expect([code, answers.length]).toEqual([0, 2]);
  for (const answer of answers) expect(["yes", "no"]).toContain(JSON.parse(answer));
});
