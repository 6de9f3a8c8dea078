import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cria } from "../support/cli.ts";

setDefaultTimeout(30_000);

const folder = mkdtempSync(join(tmpdir(), "cria-cli-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const none = join(folder, "none");
const rubbish = join(folder, "rubbish");
writeFileSync(rubbish, "hello (");

type Case = readonly [args: string, message: RegExp];

/** Runs all at once; each must end with `status`, say why on standard error, and print nothing else. */
async function refuses(status: number, cases: readonly Case[]): Promise<void> {
  const results = await Promise.all(cases.map(([args]) => cria(args.split(" "), { input: "Hello" })));
  for (const [index, { code, stdout, stderr }] of results.entries()) {
    const [args, message] = cases[index]!;
    expect({ args, code, stdout }).toEqual({ args, code: status, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^ {4}at /m);
  }
}

describe("wrong values name the flag, before a model is loaded", () => {
  const cases: Case[] = [
    ["run -n many", /^cria: option '-n, --predict <n>' argument 'many' is invalid: it must be an integer/],
    ["run -n 1.5", /--predict.*an integer/],
    ["run -n -3", /--predict.*at least -2/],
    ["run --predict=", /--predict.*an integer/],
    ["chat -n NaN", /--predict.*an integer/],
    ["run -c -1", /--ctx-size.*between 0 and 16777216/],
    ["run -c 99999999999", /--ctx-size.*between 0 and 16777216/],
    ["run -b 0", /--batch-size.*between 1/],
    ["run -b NaN", /--batch-size.*an integer/],
    ["run -ub 0", /--ubatch-size.*between 1/],
    ["run -t 0", /--threads .*between 1 and 512/],
    ["chat -tb 100000", /--threads-batch.*between 1 and 512/],
    ["run -ngl -1", /--gpu-layers.*at least 0/],
    ["run -s 4294967296", /--seed.*between -1 and 4294967295/],
    ["run --temp warm", /--temp.*a number/],
    ["run --temp -1", /--temp.*between 0/],
    ["run --temp Infinity", /--temp.*a number/],
    ["run --top-k 1.5", /--top-k.*an integer/],
    ["run --top-p 1.1", /--top-p.*between 0 and 1\b/],
    ["run --min-p -0.1", /--min-p.*between 0 and 1\b/],
    ["run --repeat-penalty 0", /--repeat-penalty.*between 0.001/],
    ["run --mirostat 3", /--mirostat.*between 0 and 2/],
    ["run --rope-freq-base -1", /--rope-freq-base.*at least|--rope-freq-base.*between 0/],
    ["run -fa maybe", /--flash-attn.*on, off, auto/],
    ["run -ctk f8", /--cache-type-k.*q8_0/],
    ["run --chat-template nope", /--chat-template.*chatml/],
    ["run --override-kv x=1", /--override-kv.*KEY=TYPE:VALUE/],
    ["run -l one+1", /--logit-bias.*token id/],
    ["run --stop=", /--stop.*must not be empty/],
    ["run --grammar root", /^cria: --grammar: .*line 1/],
    ["run --json-schema {", /^cria: --json-schema: JSON/],
    ["chat -j 7", /^cria: --json-schema: /],
    ['serve -j {"$ref":"#/x"}', /^cria: --json-schema: .*#\/\$ref/],
    ["run --reasoning-budget -2", /--reasoning-budget.*at least -1/],
    ["chat --reasoning-format apart", /--reasoning-format.*deepseek-legacy/],
    ["serve -rea maybe", /--reasoning.*on, off or auto/],
    ["chat --chat-template-kwargs [1]", /--chat-template-kwargs.*a JSON object/],
    ["run --chat-template-kwargs {x", /--chat-template-kwargs.*a JSON object/],
    ["inspect -c -3", /--ctx-size.*between 0/],
    ["inspect --ctx-size=", /--ctx-size.*an integer/],
  ];
  for (let start = 0; start < cases.length; start += 8) {
    test(`${cases
      .slice(start, start + 8)
      .map(([args]) => args)
      .join(", ")}`, async () => {
      await refuses(2, cases.slice(start, start + 8));
      expect((await cria(cases[start]![0].split(" "))).stderr).not.toContain("tiny model");
    });
  }
});

test("what only the model can tell names the flag too", () =>
  refuses(2, [
    ["run -b 64 -ub 128", /--ubatch-size: .*between 1 and 64/],
    ["run -l 99999+1", /--logit-bias: .*between 0 and 1023/],
    ["run --samplers nope", /--samplers: .*"nope" is unknown; there are/],
  ]));

test("flags that are unknown or exclude each other", () =>
  refuses(2, [
    ["run --nope", /unknown option '--nope'/],
    ["run extra", /too many arguments/],
    ["run -p a -f b", /either --prompt or --file/],
    ["tokenize -p a -f b", /either --prompt or --file/],
    ["run -sys x", /--system-prompt needs --chat/],
    ["chat -sys x -sysf y", /either --system-prompt or --system-prompt-file/],
    ["run --grammar x --grammar-file y", /either --grammar or --grammar-file/],
    ["chat --grammar x -j {}", /either --grammar or --json-schema, not both/],
    ["serve -j {} -jf y", /either --json-schema or --json-schema-file/],
    ["run --reasoning-budget 3", /reasoning need --chat/],
    ["run --reasoning off", /reasoning need --chat/],
    ["inspect a -m b", /not both/],
  ]));

test("files that are missing, folders, or hold rubbish are named, with what to do", () =>
  refuses(1, [
    [`run -m ${none}`, /none cannot be opened: there is no such file; check the path/],
    [`chat -m ${folder}`, /is a folder; name the GGUF file in it/],
    [`tokenize -m ${rubbish}`, /rubbish: this is no GGUF file/],
    [`inspect ${none}`, /none cannot be opened: there is no such file; check the path/],
    [`run -f ${none}`, /--file: .*none cannot be read: there is no such file; check the path/],
    [`run -f ${folder}`, /--file: .* cannot be read: it is a folder; name a file in it/],
    [`run --grammar-file ${none}`, /--grammar-file: .*no such file/],
    [`run --grammar-file ${rubbish}`, /--grammar-file: .*rubbish: .*line 1/],
    [`run -jf ${none}`, /--json-schema-file: .*no such file/],
    [`run -jf ${rubbish}`, /--json-schema-file: .*rubbish: JSON/],
    [`chat -sysf ${none}`, /--system-prompt-file: .*no such file/],
    [`run --lora ${none} -p x`, /none cannot be opened: there is no such file/],
  ]));

test("prompts that are empty or too long", () =>
  refuses(1, [
    ["run -p ", /the prompt is empty/],
    [
      `run -c 256 -p ${"word,".repeat(400)}`,
      /prompt has \d+ tokens, the context holds 256; .*--ctx-size \(-c\)/,
    ],
  ]));
