import { describe, expect, setDefaultTimeout } from "bun:test";
import { requireOrSkip } from "../require.ts";
import { criaAtTerminal, ctrlC, ctrlD } from "../support/cli.ts";

setDefaultTimeout(30_000);

const test = requireOrSkip(
  typeof Bun.Terminal === "function" && process.platform !== "win32",
  "needs a pseudo terminal",
);
const prompt = /> $/;
const chat = ["chat", "--temp", "0"];

describe("cria chat at a terminal", () => {
  test("greets, prompts, answers, and Ctrl-D leaves", async () => {
    const { code, screen, stepsDone } = await criaAtTerminal(chat, [
      [prompt, "What is the capital of France?\r"],
      [/Paris\.\n> $/, "/reset\r"],
      [/forgotten\n> $/, ctrlD],
    ]);
    expect([code, stepsDone]).toEqual([0, 3]);
    expect(screen).toContain("using the tiny model");
    expect(screen).toContain("/help lists the commands, Ctrl-C stops an answer, Ctrl-D leaves\n> ");
    expect(screen).toEndWith("> \n");
  });

  test("Ctrl-C stops an answer, and the chat goes on", async () => {
    const endless = [...chat, "--ignore-eos", "-c", "8192"];
    const { code, screen, stepsDone } = await criaAtTerminal(endless, [
      [prompt, "Tell me a story.\r"],
      [/Once upon a time/, ctrlC],
      [/\[stopped\]\n> $/, "/history\r"],
      [/user: Tell me a story\.\nassistant: Once upon a time.*\n> $/s, "/exit\r"],
    ]);
    expect([code, stepsDone]).toEqual([0, 4]);
    expect(screen).not.toContain("    at ");
  });

  test("Ctrl-C without an answer says how to leave, or clears what was typed", async () => {
    const { code, screen, stepsDone } = await criaAtTerminal(chat, [
      [prompt, ctrlC],
      [/\(\/exit or Ctrl-D leaves\)\n> $/, "What is the"],
      [/What is the$/, ctrlC],
      // Clearing draws the prompt a second time.
      [/\n> (> )?$/, "/history\r"],
      [/\/history\n> $/, ctrlD],
    ]);
    expect([code, stepsDone]).toEqual([0, 5]);
    expect(screen.match(/Ctrl-D leaves\)/g)).toHaveLength(1);
  });
});

describe("cria run at a terminal", () => {
  test("Ctrl-C ends it with 130, and what was printed stays", async () => {
    const { code, screen } = await criaAtTerminal(
      ["run", "-p", "Once upon a time", "--temp", "0", "--ignore-eos", "-c", "8192"],
      [[/there was a/, ctrlC]],
    );
    expect(code).toBe(130);
    expect(screen).toContain(", there was a");
    expect(screen).not.toContain("    at ");
  });

  test.each(["run", "tokenize"])("cria %s without a prompt says how to give one", async (command) => {
    const { code, screen } = await criaAtTerminal([command], []);
    expect(code).toBe(2);
    expect(screen).toBe("cria: there is no prompt; give one with -p, a file with -f, or pipe it in\n");
  });
});
