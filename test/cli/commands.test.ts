import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { buildProgram } from "../../src/cli/program.ts";
import { Context } from "../../src/context.ts";
import { embeddedModelPath } from "../../src/embedded-model.ts";
import { Model } from "../../src/model.ts";
import { cria } from "../support/cli.ts";

setDefaultTimeout(30_000);

describe("help", () => {
  test.each(["", "run", "chat", "tokenize", "inspect", "doctor"])(
    "cria %s --help lists every flag",
    async (name) => {
      const { code, stdout, stderr } = await cria([...(name ? [name] : []), "--help"]);
      expect([code, stderr]).toEqual([0, ""]);
      const command = name ? buildProgram().commands.find((each) => each.name() === name)! : buildProgram();
      for (const { long } of command.options) expect(stdout).toContain(long!);
      for (const each of command.commands) expect(stdout).toContain(each.name());
    },
  );

  test("--version, no command, an unknown one", async () => {
    const [version, none, unknown] = await Promise.all([cria(["--version"]), cria([]), cria(["rum"])]);
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(none.code).toBe(2);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(/unknown command 'rum'.*run/s);
  });
});

describe("cria tokenize", () => {
  test("shows ids and pieces that add up to the text", async () => {
    const text = "Hello, wörld 🦙!";
    const { code, stdout } = await cria(["tokenize", "-p", text, "--show-count"]);
    const lines = stdout.trimEnd().split("\n");
    expect(code).toBe(0);
    using model = await Model.load(embeddedModelPath(), { vocabOnly: true });
    const tokens = [...model.vocab.tokenize(text, { parseSpecial: true })];
    expect(lines.pop()).toBe(`Total number of tokens: ${tokens.length}`);
    expect(lines.map((line) => Number(line.split("->")[0]))).toEqual(tokens);
  });

  test("--ids, from standard input, with and without control tokens", async () => {
    const input = "<|im_end|>";
    const [special, plain] = await Promise.all([
      cria(["tokenize", "--ids"], { input }),
      cria(["tokenize", "--ids", "--no-parse-special", "-f", "-"], { input }),
    ]);
    expect(JSON.parse(special.stdout)).toEqual([1023]);
    expect(JSON.parse(plain.stdout).length).toBeGreaterThan(3);
  });
});

describe("cria inspect", () => {
  test("shows metadata as it is in the file", async () => {
    const { code, stdout } = await cria(["inspect", "--tensors"]);
    expect(code).toBe(0);
    expect(stdout).toContain("architecture");
    expect(stdout).toMatch(/general\.name +"?tiny-chat"?/);
    expect(stdout).toMatch(/tokenizer\.ggml\.tokens +\[1024 values\]/);
    expect(stdout).toMatch(/token_embd\.weight +F16 \[256, 1024\]/);
    expect(stdout).not.toContain("object Object");
  });

  test("its estimate of the cache is what libllama reserves", async () => {
    const { stdout } = await cria(["inspect", "--json", "-c", "2048"]);
    const { memory, tensors } = JSON.parse(stdout);
    using model = await Model.load(embeddedModelPath());
    using context = new Context(model, { contextLength: 2048, threads: 1 });
    // A full sequence's state is its cells and a little about them.
    const tokens = new Int32Array(2000).fill(5);
    const { Batch } = await import("../../src/batch.ts");
    const batch = new Batch(model.native, { capacity: 2048 });
    context.decode(batch.fill(tokens, { position: 0, outputs: "none" }));
    const bytes = (context.state.saveSequence(0).length * 2048) / 2000;
    expect(Math.abs(bytes / memory.kvCacheBytes - 1)).toBeLessThan(0.02);
    expect(memory.weightsBytes).toBe(model.sizeBytes);
    expect(tensors).toHaveLength(38);
  });

  test("a file that is no model", async () => {
    const { code, stderr } = await cria(["inspect", import.meta.path]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/GGUF/);
  });
});

describe("cria doctor", () => {
  test("says what is used", async () => {
    const { code, stdout } = await cria(["doctor", "--json"]);
    const report = JSON.parse(stdout);
    expect([code, report.problems]).toEqual([0, []]);
    expect(report.devices.length).toBeGreaterThan(0);
    expect(report.version).toContain("0.5.0");
    const backend = process.env.CRIA_FFI ?? "bun";
    expect(report.ffi).toBe(backend === "bun" ? "bun:ffi" : "koffi");
  });

  test("says what is wrong and how to mend it", async () => {
    const { code, stdout } = await cria(["doctor"], { env: { CRIA_LIBRARY_PATH: "/nowhere" } });
    expect(code).toBe(1);
    expect(stdout).toMatch(/PROBLEM.*\/nowhere.*npm install/s);
  });
});
