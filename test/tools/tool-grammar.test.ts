import { expect, test } from "bun:test";
import type { ChatFunctionTool } from "../../src/chat/types.ts";
import { Grammar } from "../../src/grammar.ts";
import {
  type AnswerPart,
  answerGrammar,
  type Thinking,
  type ToolFormat,
  type ToolGrammarOptions,
  toolFormats,
  toolGrammar,
} from "../../src/tools/index.ts";
import type { Vocab } from "../../src/vocab.ts";
import { jsonRules } from "./json-rules.ts";
import { follows } from "./matches.ts";
import { parseAnswer, tools } from "./parse-answer.ts";

const characters = [
  ..."\n\t !'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]_`abcdefghijklmnopqrstuvwxyz{|}~\"é🌧｜▁",
];

/** Characters, and the literals of a format, so that random texts meet them; in no order. */
function piecesFor(format: ToolFormat): string[] {
  const literals: string[] = [];
  JSON.stringify(format, (_, value) => {
    if (typeof value === "string" && value !== "") literals.push(value, value.trim(), value.slice(0, -1));
    return value;
  });
  const structure = characters.filter((character) => /[\n"'<>[\]{}()/:,|]/.test(character));
  const pieces = [...characters, ...structure, ...literals.filter((text) => text.trim() !== "")];
  return pieces
    .map((piece, index) => ({ piece, order: (index * 7919) % 1009 }))
    .sort((x, y) => x.order - y.order)
    .map(({ piece }) => piece);
}

/** A text that a grammar accepts, by chance; it ends as soon as it may, more often the longer it is. */
function sample({ source, root }: AnswerPart, pieces: readonly string[], random: () => number): string {
  const bytes = pieces.map((piece) => new TextEncoder().encode(piece));
  const vocab = {
    size: pieces.length,
    pieceBytes: (token: number) => bytes[token]!,
    isEndOfGeneration: () => false,
    tokenize: () => new Int32Array(0),
  } as unknown as Vocab;
  const matcher = Grammar.parse(source, { root }).matcher(vocab);
  let text = "";
  for (let length = 0; length < 3000; length++) {
    if (matcher.canEnd && random() < 0.3) return text;
    const start = Math.floor(random() * pieces.length);
    let token = -1;
    for (let step = 0; step < pieces.length && token < 0; step++) {
      const candidate = (start + step) % pieces.length;
      if (matcher.accept(candidate)) token = candidate;
    }
    if (token < 0) {
      if (matcher.canEnd) return text;
      throw new Error(`nothing may follow ${JSON.stringify(text.slice(-80))}`);
    }
    text += pieces[token];
  }
  throw new Error(`no end after ${JSON.stringify(text.slice(0, 80))}`);
}

/** A generator of numbers in [0, 1) that always gives the same (Park and Miller's). */
function numbers(seed: number): () => number {
  let state = seed * 48271 + 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

const typeName = (value: unknown) =>
  Array.isArray(value) ? "array" : Number.isInteger(value) ? "integer" : typeof value;

/** What is wrong with a call's arguments by the schema of its function; undefined where nothing is. */
function faultOf(tool: ChatFunctionTool, given: string): string | undefined {
  const parsed: Record<string, unknown> = JSON.parse(given);
  const { properties, required = [] } = tool.function.parameters as {
    properties: Record<string, { type?: string | string[] }>;
    required?: string[];
  };
  for (const key of required) if (!Object.hasOwn(parsed, key)) return `${key} is missing`;
  for (const [key, value] of Object.entries(parsed)) {
    if (!Object.hasOwn(properties, key)) return `${key} is unknown`;
    const { type } = properties[key]!;
    if (type !== undefined && ![type].flat().includes(typeName(value)))
      return `${key} is a ${typeName(value)}`;
  }
  return undefined;
}

function check(
  format: ToolFormat,
  { thinking, ...options }: ToolGrammarOptions & { thinking: Thinking },
  texts: number,
): void {
  const grammar = answerGrammar(format, { thinking, calls: toolGrammar(format, tools, options, jsonRules) });
  const random = numbers(texts);
  const pieces = piecesFor(format);
  for (let count = 0; count < texts; count++) {
    const text = sample(grammar, pieces, random);
    const bytes = new TextEncoder().encode(text);
    const cut = Math.floor(random() * bytes.length);
    const message = parseAnswer(format, [bytes.subarray(0, cut), bytes.subarray(cut)], {
      thinking: thinking === "forced-open" ? "forced-open" : "none",
    });
    const faults = message.toolCalls.map((call) => {
      const tool = tools.find((known) => known.function.name === call.name)!;
      return faultOf(tool, call.arguments);
    });
    const names = message.toolCalls.map((call) => call.name);
    const isWrong =
      names.length === 0 ||
      message.content !== "" ||
      faults.some((fault) => fault !== undefined) ||
      (options.parallel === "single" && names.length > 1) ||
      (typeof options.choice === "object" &&
        names.some((name) => name !== (options.choice as { name: string }).name));
    if (isWrong) expect({ text, faults, message }).toEqual("a call and nothing else" as never);
  }
}

/** What formats of messages with headers write before a call. */
const said: Readonly<Record<string, string>> = {
  harmony: "<|channel|>final<|message|>Look: <|end|><|start|>assistant",
  "functionary-v3.2": "all\nLook: >>>",
};

for (const format of toolFormats) {
  test(`${format.name}: what the grammar lets through is a call`, () => {
    check(format, { choice: "required", parallel: "several", thinking: "none" }, 15);
    check(format, { choice: { name: "send-note" }, parallel: "single", thinking: "none" }, 6);
  });

  test(`${format.name}: a thought may stand before the calls`, () => {
    check(format, { choice: "required", parallel: "single", thinking: "allowed" }, 4);
    if (format.thought) check(format, { choice: "required", parallel: "single", thinking: "forced-open" }, 4);
  });

  test(`${format.name}: calls begin with a trigger, and may stand behind any text without one`, () => {
    const calls = toolGrammar(format, tools, { choice: "auto", parallel: "single" }, jsonRules);
    const { triggers } = calls;
    const any = answerGrammar(format, { thinking: "none", calls, triggers });
    const random = numbers(5);
    const before = said[format.name] ?? "Look: ";
    for (let count = 0; count < 3; count++) {
      const text = sample(calls, piecesFor(format), random);
      const trigger = triggers.find((known) => text.startsWith(known));
      if (trigger === undefined) expect(text).toBe(triggers.join(" or "));
      const message = parseAnswer(format, [new TextEncoder().encode(before + text)]);
      expect(message).toMatchObject({ content: "Look:", toolCalls: [{}] });
      const ways = [before + text, `${before + trigger}\u0001`, before];
      expect(ways.map((way) => follows(any.source, any.root, way))).toEqual(["whole", "no", "whole"]);
    }
  });
}
