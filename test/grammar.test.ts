import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { GrammarError } from "../lib/errors.ts";
import { Grammar, grammarLimits } from "../src/grammar.ts";
import { Model } from "../src/model.ts";

const model = await Model.load("models/tiny-chat-f16.gguf", { vocabOnly: true });

const json = String.raw`
# a comment
root   ::= object
value  ::= object | array | string | number | ("true" | "false" | "null") ws
object ::= "{" ws ( string ":" ws value ("," ws string ":" ws value)* )? "}" ws
array  ::= "[" ws ( value ("," ws value)* )? "]" ws
string ::= "\"" ( [^"\\\x7F\x00-\x1F] | "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4}) )* "\"" ws
number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [1-9] [0-9]{0,15})? ws
ws ::= | " " | "\n" [ \t]{0,20}
`;

const good: readonly string[] = [
  json,
  'root ::= "a"',
  "root ::= ",
  'root ::= | "a"',
  'root ::= ""',
  "root ::= .*",
  'root ::= "\\x41\\u00e9\\U0001F600\\n\\r\\t\\"\\\\\\[\\]\\-"',
  "root ::= [a-zA-Z_] [^\\]\\-] [-a] [a-] [\\x00-\\x1f]",
  'root ::= ("a" | \n # a comment\n "b"\n)+ "é日😀"',
  'root ::=\n  "a" |\n  "b"\r\nother ::= "c"\r',
  'root ::= a-b2{2,3} "x"? [y]*{2}\na-b2 ::= "q"',
  'root ::= "a"{0} "b"{0,0} "c"{,}'.replace("{,}", "{3,}"),
  'root ::= "a"{ 2 , 3 }',
  'root ::= "a"{0,5000}',
  'root ::= "a"{2000}',
  "root ::= <[5]> !<[6]> <|im_start|>",
  'root ::= "a" root | "b"',
  'root ::= "(" root ")" |',
  'root ::= x\nx ::= "a"\nx ::= "b"',
  'root ::= ("a"?)*',
  "root ::= (x y)*\nx ::= z\nz ::= [a]?\ny ::= z",
  "root ::= (([a]{30}){30}){30}",
  `root ::= ${"(".repeat(200)}"a"${")".repeat(200)}`,
];

/** Source, line and column of the error, and what its message must say. */
const bad: readonly (readonly [source: string, line: number, column: number, message: RegExp])[] = [
  ["", 1, 1, /no rule "root"/],
  ["# only a comment", 1, 1, /no rule "root"/],
  ['start ::= "a"', 1, 1, /no rule "root"/],
  ["root", 1, 5, /"::="/],
  ['root := "a"', 1, 6, /"::="/],
  ['root ::= "a', 1, 12, /end of the literal/],
  ["root ::= [a", 1, 12, /end of the character class/],
  ["root ::= [a-", 1, 13, /end of the character class/],
  ['root ::= "\\q"', 1, 11, /unknown escape \\q/],
  ['root ::= "\\x4"', 1, 11, /2 hexadecimal digits/],
  ['root ::= "\\u12G4"', 1, 11, /4 hexadecimal digits/],
  ['root ::= ("a"', 1, 14, /"\)"/],
  ['root ::= "a")', 1, 13, /end of the line/],
  ["root ::= 'a'", 1, 10, /double quotes/],
  ['root ::= "a"\n  | "b"', 2, 3, /parentheses/],
  ["root ::= a_b", 1, 11, /letters, digits and hyphens/],
  ['root ::= "a"\n\nx ::= y', 3, 7, /"y" is not defined/],
  ["root ::= *", 1, 10, /something to repeat/],
  ['root ::= "a" | +', 1, 16, /something to repeat/],
  ['root ::= ""*', 1, 12, /something to repeat/],
  ['root ::= "a"{0}*', 1, 16, /something to repeat/],
  ['root ::= "a"{}', 1, 14, /how many times/],
  ['root ::= "a"{,3}', 1, 14, /how many times/],
  ['root ::= "a"{1;2}', 1, 15, /"," or "}"/],
  ['root ::= "a"{2001}', 1, 13, /2000 times/],
  ['root ::= "a"{50}{50}', 1, 17, /2000 times/],
  ['root ::= ("a"? "b"?){1500}', 1, 21, /2000 times/],
  ['root ::= "a"{1,99999999999999999999999}', 1, 13, /too large/],
  ["root ::= <[x]>", 1, 10, /token's id/],
  ["root ::= <[5>", 1, 13, /"]"/],
  ["root ::= <a", 1, 12, /">"/],
  ['root ::= "a" <no token>', 1, 14, /not one token/],
  ["root ::= !a", 1, 11, /"<"/],
  ["root ::= root", 1, 1, /left recursion: root → root/],
  ['root ::= a\na ::= "x" | b\nb ::= a "y"', 2, 1, /left recursion: a → b → a/],
  ['root ::= e root "x" | "y"\ne ::= | "e"', 1, 1, /left recursion: root → root/],
  ['root ::= ("a" |)*', 1, 17, /left recursion/],
];

/** Refused by us alone: libllama takes them and then hangs, crashes, or matches something else than was meant. */
const stricter: readonly (readonly [source: string, message: RegExp])[] = [
  ['root ::= "a"{3,2}', /upper bound is below/],
  ["root ::= []", /empty/],
  ["root ::= [^]", /empty/],
  ["root ::= [z-a]", /wrong way round/],
  ["root ::= <[99999999999]>", /token's id/],
  ["root ::= <[1024]>", /the vocabulary has 1024/],
  ['root ::= "a" | c{0}', /"c" is not defined/],
  ['root ::= a root "x" | "y"\na ::= b\nb ::= ""  "q"?', /left recursion/],
  [`root ::= ${"(".repeat(300)}"a"${")".repeat(300)}`, /nested more than 256/],
  [`root ::= "${"a".repeat(400)}"{2000}`, /500000 elements/],
  [
    `${Array.from({ length: 10_001 }, (_, index) => `r${index} ::= "a"`).join("\n")}`,
    /more than 10000 rules/,
  ],
  [`${ladder(40)}`, /ways\)/],
  [`${chain(5000)}`, /deep/],
];

/** Rules each of which begins with the next in two ways: libllama would walk 2^length of them. */
function ladder(length: number): string {
  const rules = Array.from({ length }, (_, index) => `r${index} ::= r${index + 1} | r${index + 1} "x"`);
  return ["root ::= r0", ...rules, `r${length} ::= "a"`].join("\n");
}

function chain(length: number): string {
  const rules = Array.from({ length }, (_, index) => `r${index} ::= r${index + 1}`);
  return ["root ::= r0", ...rules, `r${length} ::= "a"`].join("\n");
}

function refusal(source: string): GrammarError | undefined {
  try {
    Grammar.parse(source).matcher(model.vocab);
    return undefined;
  } catch (error) {
    if (error instanceof GrammarError) return error;
    throw error;
  }
}

/** What libllama says of grammars, asked in a process of its own. */
function libllamaTakes(sources: readonly string[]): boolean[] {
  const input = JSON.stringify(sources.map((source) => [source, "root"]));
  const script = new URL("./grammar-verdicts.ts", import.meta.url).pathname;
  const { stdout, status, signal } = spawnSync(process.execPath, [script], {
    input,
    encoding: "utf8",
    stdio: ["pipe", "pipe", "ignore"],
    timeout: 60_000,
  });
  if (status !== 0) throw new Error(`libllama ended the process (status ${status}, signal ${signal})`);
  return JSON.parse(stdout) as boolean[];
}

test("good grammars are taken, by libllama too", () => {
  expect(good.map((source) => refusal(source)?.message)).toEqual(good.map(() => undefined));
  expect(libllamaTakes(good)).toEqual(good.map(() => true));
});

test.each(bad)("%j is refused at line %i, column %i", (source, line, column, message) => {
  const error = refusal(source);
  expect(error?.message).toMatch(message);
  expect({ line: error?.line, column: error?.column }).toEqual({ line, column });
});

test("libllama refuses the same grammars", () => {
  // The empty grammar it takes for no grammar at all.
  const sources = bad.map(([source]) => source).filter((source) => source !== "");
  expect(libllamaTakes(sources)).toEqual(sources.map(() => false));
});

test.each(stricter.map(([source, message]) => [source.slice(0, 40), source, message] as const))(
  "%j is refused though libllama would take it",
  (_, source, message) => {
    expect(refusal(source)?.message).toMatch(message);
  },
);

test("a root of another name, and misuse", () => {
  expect(Grammar.parse('start ::= "a"', { root: "start" }).root).toBe("start");
  expect(() => Grammar.parse(5 as never)).toThrow(TypeError);
  expect(() => Grammar.parse('root ::= "a"', { root: "root_1" })).toThrow(TypeError);
  expect(() => Grammar.parse('root ::= "a"\n# \0')).toThrow(/line 2, column 3.*NUL/);
  expect(() => Grammar.parse(`root ::= "${"a".repeat(grammarLimits.sourceLength)}"`)).toThrow(GrammarError);
});

/** Text that looks like a grammar, well formed or with a slip in it. */
const grammarText = (() => {
  const item = fc.constantFrom(
    '"a"',
    '"\\n"',
    "[a-c]",
    "[^x-]",
    ".",
    "a",
    "b",
    '"q" root',
    "<[7]>",
    '""',
    "",
  );
  const sign = fc.constantFrom("", "", "", "", "*", "+", "?", "{2}", "{0}", "{1,}", "{0,2}");
  const sequence = fc.array(fc.tuple(item, sign), { maxLength: 4 }).map((parts) => parts.flat().join(" "));
  const group = fc
    .tuple(sequence, sequence, sign)
    .map(([one, two, times]) => `"q" (${one} | ${two})${times}`);
  const body = fc.oneof(sequence, group);
  const whole = fc
    .tuple(body, body, body)
    .map(([root, a, b]) => `root ::= ${root}\na ::= ${a}\nb ::= ${b}\n`);
  const slip = fc.tuple(whole, fc.nat(), fc.constantFrom("(", ")", "|", '"', "]", "\n", "{", "c", "\\", "*"));
  const slipped = slip.map(([text, place, extra]) => {
    const at = place % text.length;
    return text.slice(0, at) + extra + text.slice(at);
  });
  return fc.oneof(whole, slipped);
})();

test("on arbitrary text, libllama and we agree", () => {
  const sources = fc.sample(grammarText, { numRuns: 1500, seed: 7 });
  const ours = sources.map(refusal);
  // Not asked: what libllama would loop on, and what it lets pass.
  const asked = sources
    .map((_, index) => index)
    .filter((index) => !/left recursion|wrong way|not defined/.test(ours[index]?.message ?? ""));
  const theirs = libllamaTakes(asked.map((index) => sources[index]!));
  const disagreements = asked.filter((index, at) => theirs[at] !== (ours[index] === undefined));
  expect(disagreements.map((index) => [sources[index], ours[index]?.message])).toEqual([]);
  expect(theirs.filter(Boolean).length).toBeGreaterThan(50);
  expect(theirs.filter((taken) => !taken).length).toBeGreaterThan(50);
});
