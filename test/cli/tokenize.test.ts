import { expect, setDefaultTimeout, test } from "bun:test";
import { embeddedModelPath } from "../../src/embedded-model.ts";
import { Model } from "../../src/model.ts";
import { cria } from "../support/cli.ts";

setDefaultTimeout(30_000);

test("shows ids and pieces that add up to the text", async () => {
  const text = 'Hello, "world"\n\tof <|im_end|>';
  const { code, stdout, stderr } = await cria(["tokenize", "-p", text, "--show-count"]);
  const lines = stdout.trimEnd().split("\n");
  expect([code, stderr]).toEqual([0, ""]);
  using model = await Model.load(embeddedModelPath(), { vocabOnly: true });
  const tokens = [...model.vocab.tokenize(text, { parseSpecial: true })];
  expect(lines.pop()).toBe(`Total number of tokens: ${tokens.length}`);
  const rows = lines.map((line) => /^ *(\d+) -> (".*")$/.exec(line)!);
  expect(rows.map(([, id]) => Number(id))).toEqual(tokens);
  expect(rows.map(([, , piece]) => JSON.parse(piece!)).join("")).toBe(text);
});

test("characters of several tokens are shown as bytes, and none is lost", async () => {
  const input = "\ufeffA🦙\n";
  const [shown, list] = await Promise.all([
    cria(["tokenize"], { input }),
    cria(["tokenize", "--ids", "-f", "-"], { input }),
  ]);
  expect(shown.code).toBe(0);
  const pieces = shown.stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.split(" -> ")[1]);
  const hex = (...bytes: string[]) => bytes.map((byte) => `"\\x${byte}"`);
  expect(pieces).toEqual([...hex("ef", "bb", "bf"), '"A"', ...hex("f0", "9f", "a6", "99"), '"\\n"']);
  using model = await Model.load(embeddedModelPath(), { vocabOnly: true });
  const bytes = (JSON.parse(list.stdout) as number[]).flatMap((id) => [...model.vocab.pieceBytes(id)]);
  expect(new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes))).toBe(input);
});

test("bytes that are no UTF-8 are refused", async () => {
  const { code, stdout, stderr } = await cria(["tokenize"], { input: Uint8Array.of(0x41, 0xff) });
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toBe("cria: standard input is not valid UTF-8; convert it first\n");
});

test("--ids, with and without control tokens, and of nothing", async () => {
  const input = "<|im_end|>";
  const [special, plain, nothing] = await Promise.all([
    cria(["tokenize", "--ids"], { input }),
    cria(["tokenize", "--ids", "--no-parse-special", "-p", input]),
    cria(["tokenize", "--ids", "--show-count"]),
  ]);
  expect(JSON.parse(special.stdout)).toEqual([1023]);
  expect(JSON.parse(plain.stdout).length).toBeGreaterThan(3);
  expect([nothing.code, nothing.stdout]).toEqual([0, "[]\nTotal number of tokens: 0\n"]);
});
