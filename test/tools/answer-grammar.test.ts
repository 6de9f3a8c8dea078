import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  answerGrammar,
  chooseFormat,
  type Thinking,
  toolFormats,
  toolGrammar,
} from "../../src/tools/index.ts";
import { families } from "./families.ts";
import { jsonRules } from "./json-rules.ts";
import { follows } from "./matches.ts";
import { parseAnswer, tools } from "./parse-answer.ts";

const shape = { source: 'shape ::= "{\\"n\\": " [0-9]{1,3} "}"', root: "shape" };
const callsOf = (format: string) =>
  toolGrammar(chooseFormat("", format), tools, { choice: "auto", parallel: "single" }, jsonRules);

/** Follows texts along the grammar of an answer that may be anything, with calls or without. */
function anyAnswer(format: string, thinking: Thinking) {
  const calls = callsOf(format);
  const { source, root } = answerGrammar(chooseFormat("", format), {
    thinking,
    calls,
    triggers: calls.triggers,
  });
  return (text: string) => follows(source, root, text);
}

const call = '<tool_call>\n{"name": "now", "arguments": {}}\n</tool_call>';

describe("an answer that may be anything", () => {
  const cases: [thinking: Thinking, text: string, expected: ReturnType<typeof follows>][] = [
    ["none", "", "whole"],
    ["none", "Hello, Zoë <tool", "whole"],
    ["none", "Hello <tool_call>", "beginning"],
    ["none", "Hello <tool_call> there", "no"],
    ["none", `Hello. ${call}`, "whole"],
    ["none", `${call} more`, "no"],
    // A word that begins calls does not count inside a thought, and does behind it.
    ["forced-open", `Shall I write <tool_call> here? No.`, "whole"],
    ["forced-open", `Shall I write <tool_call> here?</think>\n\nHello.`, "whole"],
    ["forced-open", `Hm.</think>Hello <tool_call> there`, "no"],
    ["forced-open", `Hm <tool_call>.</think>${call}`, "whole"],
    ["forced-open", `Hm <tool_call>.</think>\n\nSo: ${call}`, "whole"],
    ["allowed", `<think>Shall I write <tool_call> here?</think>Hello.`, "whole"],
    ["allowed", `\n<think>Shall I write <tool_call> here`, "whole"],
    ["allowed", `<think>Hm <tool_call>.</think>${call}`, "whole"],
    ["allowed", `<think>Hm.</think>Hello <tool_call> there`, "no"],
    ["allowed", `Hello <think> <tool_call> there`, "no"],
    ["allowed", "Hello.", "whole"],
  ];
  test.each(cases)("%s: %j", (thinking, text, expected) => {
    expect(anyAnswer("hermes", thinking)(text)).toBe(expected);
  });

  test("in every format, thoughts with all that calls are made of", () => {
    for (const { format, thought, one, say = (text: string) => text } of families) {
      if (!thought || format === "harmony") continue;
      const follow = anyAnswer(format, "allowed");
      const [open, close] = thought;
      expect([format, follow(`${open}Like ${one}?${close}\n\n${say("Hello.")}`)]).toEqual([format, "whole"]);
    }
  });

  test("messages: thoughts, preambles and answers, as many as there are", () => {
    const follow = anyAnswer("harmony", "allowed");
    const start = "<|start|>assistant";
    const thought = `<|channel|>analysis<|message|>Hm.<|end|>${start}`;
    const preamble = `<|channel|>commentary<|message|>Wait.<|end|>${start}`;
    const final = "<|channel|>final<|message|>Hello.";
    const called = "<|channel|>commentary to=functions.now <|constrain|>json<|message|>{}";
    for (const text of [
      final,
      thought + final,
      thought + preamble + thought + final,
      thought + called,
      preamble + called,
    ])
      expect([text, follow(text)]).toEqual([text, "whole"]);
    expect(follow("<|channel|>commentary to=functions.nope")).toBe("no");
  });
});

describe("calls, or content of a shape", () => {
  /** What stands around content, where a format has that. */
  const around: Readonly<Record<string, readonly [before: string, after: string]>> = {
    harmony: ["<|channel|>final<|message|>", ""],
    "functionary-v3.2": ["all\n", ""],
    "command-r7b": ["<|START_RESPONSE|>", "<|END_RESPONSE|>"],
    granite: ["<response>", "</response>"],
  };

  test.each(toolFormats.map(({ name }) => name))("%s", (format) => {
    const calls = callsOf(format);
    const { source, root } = answerGrammar(chooseFormat("", format), { thinking: "allowed", calls, shape });
    const [before, after] = around[format] ?? ["", ""];
    const text = `${before}{"n": 12}${after}`;
    expect([text, follows(source, root, text)]).toEqual([text, "whole"]);
    expect(follows(source, root, calls.triggers[0]!)).toBe("beginning");
    expect(follows(source, root, `${before}Hello`)).toBe("no");
    expect(follows(source, root, "")).toBe("beginning");
    const options = { calls: "instead-of-content" } as const;
    const message = parseAnswer(chooseFormat("", format), [new TextEncoder().encode(text)], options);
    expect(message).toEqual({ content: '{"n": 12}', reasoning: "", toolCalls: [] });
  });

  test("content of a shape that holds what looks like a call stays whole", () => {
    const call = { name: "now", arguments: {} };
    for (const format of ["llama3", "plain-json", "hermes", "qwen3-coder"]) {
      for (const value of [[call], { a: call }, { a: "<tool_call><function=now></function></tool_call>" }]) {
        const text = JSON.stringify(value);
        const pieces = Array.from(new TextEncoder().encode(text), (byte) => Uint8Array.of(byte));
        const message = parseAnswer(chooseFormat("", format), pieces, { calls: "instead-of-content" });
        if (!(format === "plain-json" && Array.isArray(value)))
          expect({ format, ...message }).toEqual({ format, content: text, reasoning: "", toolCalls: [] });
      }
    }
  });
});

test("rules of a caller's grammar keep their names", () => {
  const taken = {
    source: 'root ::= answer-thought answer\nanswer ::= "42"\nanswer-thought ::= "so: "\nanswer-0 ::= "x"',
    root: "root",
  };
  const { source, root } = answerGrammar(chooseFormat("", "hermes"), {
    thinking: "forced-open",
    shape: taken,
  });
  expect(follows(source, root, "answer</think>\n\nso: 42")).toBe("whole");
  expect(follows(source, root, "answer</think>\n\n42")).toBe("no");
});

test("whatever is thought, the shape holds behind it and only there", () => {
  const { source, root } = answerGrammar(chooseFormat("", "hermes"), { thinking: "forced-open", shape });
  const unit = fc.constantFrom("<", "/", "</think", "think>", "<think>", "{", '"n"', "\n", "é", "🌧");
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 12 }), fc.nat(1200), (thought, number) => {
      if (thought.includes("</think>")) return;
      expect(follows(source, root, thought)).toBe("beginning");
      const expected = number < 1000 ? "whole" : "no";
      expect(follows(source, root, `${thought}</think>\n{"n": ${number}}`)).toBe(expected);
    }),
  );
});
