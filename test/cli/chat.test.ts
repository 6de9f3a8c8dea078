import { expect, setDefaultTimeout, test } from "bun:test";
import { cria } from "../support/cli.ts";

setDefaultTimeout(30_000);

const chat = (lines: readonly string[], ...flags: string[]) =>
  cria(["chat", "--temp", "0", ...flags], { input: `${lines.join("\n")}\n` });

test("keeps the conversation, and computes only what is new", async () => {
  const { code, stdout } = await chat(["My name is Anna.", "What is my name?", "/timings"]);
  expect(code).toBe(0);
  const [, name, timings] = stdout.split("\n");
  expect(name).toContain("Anna");
  expect(Number(/(\d+) from the cache/.exec(timings!)![1])).toBeGreaterThan(10);
});

test("/reset forgets, /history shows, /retry answers again, /system is kept", async () => {
  const { stdout } = await chat([
    "My name is Anna.",
    "/reset",
    "/system Be brief.",
    "What is the capital of France?",
    "/retry",
    "/history",
    "/nonsense",
    "/exit",
    "never read",
  ]);
  const lines = stdout.split("\n").slice(1);
  const paris = "The capital of France is Paris.";
  expect(lines).toEqual([
    "forgotten",
    "system message set",
    paris,
    paris,
    "system: Be brief.",
    "user: What is the capital of France?",
    `assistant: ${paris}`,
    "unknown command /nonsense; /help lists the commands",
    "",
  ]);
});

test("a message that does not fit is refused, and the chat goes on", async () => {
  const { code, stdout, stderr } = await chat(
    ["word ".repeat(400), "What is the capital of France?"],
    "-c",
    "256",
  );
  expect(code).toBe(0);
  expect(stderr).toMatch(/the context holds 256/);
  expect(stdout).toContain("Paris");
});

test("Ctrl-C stops the answer and not the program", async () => {
  let interrupted = false;
  const { code, stdout, stderr } = await cria(
    ["chat", "--temp", "0", "--ignore-eos", "-n", "2000", "-c", "4096"],
    {
      input: "Tell me a story.\n/history\n",
      onOutput: (text, kill) => {
        if (!interrupted && text.length > 20) kill("SIGINT");
        interrupted ||= text.length > 20;
      },
    },
  );
  expect(code).toBe(0);
  expect(stderr).toContain("[stopped]");
  expect(stdout).toContain("user: Tell me a story.\nassistant: ");
});
