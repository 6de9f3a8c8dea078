import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { normaliseArguments } from "../../src/cli/arguments.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { unescapeText } from "../../src/cli/text.ts";
import { cria } from "../support/cli.ts";

setDefaultTimeout(30_000);

test.each(["", "run", "chat", "tokenize", "inspect", "cache", "doctor", "serve"])(
  "cria %s --help lists every flag, and the manual the command",
  async (name) => {
    const { code, stdout, stderr } = await cria([...(name ? [name] : []), "--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    const program = buildProgram();
    const command = program.commands.find((each) => each.name() === name) ?? program;
    expect(stdout).toStartWith(`Usage: ${name ? `cria ${name}` : "cria"} `);
    for (const { flags, hidden } of command.options) if (!hidden) expect(stdout).toContain(`  ${flags} `);
    for (const each of command.commands) expect(stdout).toContain(`  ${each.name()} `);
    const manual = readFileSync(new URL("../../docs/cli.md", import.meta.url), "utf8");
    if (name) expect(manual).toContain(`| \`cria ${name}\` |`);
  },
);

test("defaults are shown as they are", async () => {
  const { stdout } = await cria(["run", "--help"]);
  const text = stdout.replace(/\s+/g, " ");
  for (const [flag, value] of [
    ["--temp <t>", "0.8"],
    ["--top-k <k>", "40"],
    ["--min-p <p>", "0.05"],
    ["--repeat-last-n <n>", "64"],
    ["-s, --seed <n>", "-1"],
  ] as const) {
    expect(text.split(`${flag} `)[1]).toMatch(new RegExp(`^[^(]*\\(default: ${value}\\)`));
  }
});

test("--version, no command, an unknown one", async () => {
  const [version, none, unknown] = await Promise.all([cria(["--version"]), cria([]), cria(["rum"])]);
  const { version: packageVersion } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  );
  expect([version.code, version.stdout, version.stderr]).toEqual([0, `${packageVersion}\n`, ""]);
  expect([none.code, none.stdout]).toEqual([2, ""]);
  expect(none.stderr).toContain("Usage: cria ");
  expect([unknown.code, unknown.stdout]).toEqual([2, ""]);
  expect(unknown.stderr).toMatch(/^cria: unknown command 'rum'.*run/s);
});

describe("arguments", () => {
  const normalise = (...argv: string[]) => normaliseArguments(buildProgram(), argv);

  test("llama.cpp's spellings become ours", () => {
    expect(
      normalise("run", "-ngl", "0", "-fa=on", "-sys", "x", "--n-predict", "3", "--temperature=1"),
    ).toEqual(["run", "--ngl", "0", "--fa=on", "--sys", "x", "--predict", "3", "--temp=1"]);
  });

  test("values and what follows -- are left alone", () => {
    expect(normalise("run", "-p", "-ngl", "--prompt", "-fa", "--mlock", "--", "-ngl")).toEqual([
      "run",
      "-p",
      "-ngl",
      "--prompt",
      "-fa",
      "--mlock",
      "--",
      "-ngl",
    ]);
    expect(normalise("run", "--sys", "-fa", "-p", "--", "-fa", "on")).toEqual([
      "run",
      "--sys",
      "-fa",
      "-p",
      "--",
      "--fa",
      "on",
    ]);
  });

  test("every spelling stands for a flag that exists", () => {
    const known = new Set(
      buildProgram().commands.flatMap(({ options }) =>
        options.flatMap(({ flags }) => flags.match(/-[\w-]+/g) ?? []),
      ),
    );
    const spellings = [
      ..."-ub -tb -ngl -fa -ctk -ctv -sys -sysf -sm -ts -mg -dev -nkvo -jf -rea --n-predict --n-gpu-layers".split(
        " ",
      ),
      ..."--reverse-prompt --temperature --typical-p --top-n-sigma".split(" "),
    ];
    for (const spelling of spellings) {
      const [flag] = normalise(spelling);
      expect(flag).not.toBe(spelling);
      expect(known).toContain(flag!);
    }
  });

  test("escapes", () => {
    expect(unescapeText(String.raw`a\nb\tc\\n\x41\'\"\q\x4`)).toBe("a\nb\tc\\nA'\"\\q\\x4");
  });
});
