import { expect, test } from "bun:test";
import {
  type AnswerMessage,
  AnswerParser,
  type AnswerParserOptions,
  chooseFormat,
  toolFormats,
} from "../../src/tools/index.ts";
import { city, type Family, families, note } from "./families.ts";
import { cuts, parseAnswer, type Reason, tools } from "./parse-answer.ts";

type Options = AnswerParserOptions & { reason?: Reason };

/** Reads an answer in all ways to cut it, and tells what all of them come to. */
function read(format: string, text: string, options: Options = {}): AnswerMessage {
  const chosen = chooseFormat("", format);
  let whole: AnswerMessage | undefined;
  for (const pieces of cuts(text)) {
    const message = parseAnswer(chosen, pieces, options);
    whole ??= message;
    if (!Bun.deepEquals(message, whole)) expect({ pieces, message }).toEqual({ pieces, message: whole });
  }
  return whole!;
}

/** Names and arguments, these as values. */
const callsOf = (message: AnswerMessage) =>
  message.toolCalls.map((call) => [call.name, JSON.parse(call.arguments)]);
const weatherCall = ["get_weather", { city, days: 3 }];
const say = (family: Family, text: string) => family.say?.(text) ?? text;
const thinks = (family: Family, text: string) => family.thought!.join(text);

test("every format has a family in these tests", () => {
  expect(families.map(({ format }) => format).sort()).toEqual(toolFormats.map(({ name }) => name).sort());
});

for (const family of families) {
  const { format } = family;

  test(`${format}: content`, () => {
    const text = "Hello, Zoë 👋 < {1} [x] ` #";
    expect(read(format, say(family, text))).toEqual({ content: text, reasoning: "", toolCalls: [] });
  });

  test(`${format}: one call, with content before it`, () => {
    expect(callsOf(read(format, family.one))).toEqual([weatherCall]);
    expect(read(format, family.one)).toMatchObject({ content: "", reasoning: "" });
    // These have a mark between two messages that a call at the beginning lacks.
    const between = { harmony: "<|end|><|start|>assistant", "functionary-v3.2": ">>>" }[format] ?? "\n\n";
    const both = read(format, say(family, "Let me look.") + between + family.one);
    expect(both).toMatchObject({ content: "Let me look.", reasoning: "" });
    expect(callsOf(both)).toEqual([weatherCall]);
  });

  test(`${format}: several calls`, () => {
    const message = read(format, family.two!);
    expect(callsOf(message)).toEqual([weatherCall, ["now", {}]]);
    expect(message.content).toBe("");
  });

  test(`${format}: nested arguments`, () => {
    expect(callsOf(read(format, family.nested))).toEqual([["send-note", note]]);
  });

  test(`${format}: what is no call comes out as content`, () => {
    for (const text of [family.almost, family.unknown]) {
      expect(read(format, text)).toEqual({ content: text, reasoning: "", toolCalls: [] });
    }
    const options = { tools: [], random: () => 0.5 };
    if (!family.say) expect(read(format, family.one, options).content).toBe(family.one);
    expect(read(format, family.one, options).toolCalls).toEqual([]);
  });

  test(`${format}: cut off`, () => {
    const whole = read(format, family.one).toolCalls[0]!;
    for (let length = 0; length < family.one.length; length++) {
      const text = family.one.slice(0, length);
      const parser = new AnswerParser(chooseFormat("", format), { tools, random: () => 0.5 });
      parser.push(text);
      parser.end("length");
      const { content, toolCalls } = parser.message;
      if (toolCalls.length === 0) expect(content.trim()).toBe(text.trim());
      else {
        expect(content).toBe("");
        expect(whole.arguments.startsWith(toolCalls[0]!.arguments)).toBe(true);
      }
    }
    read(format, family.one.slice(0, -20), { reason: "length" });
  });

  if (!family.thought) continue;
  const [, close] = family.thought;

  test(`${format}: a thought`, () => {
    const thought = "Hm, <x> {🤔}\n\nso.";
    const spoken = read(format, `${thinks(family, thought)}${say(family, "Yes.")}`);
    expect(spoken).toEqual({ content: "Yes.", reasoning: thought, toolCalls: [] });
    const called = read(format, thinks(family, `\n${thought}\n`) + family.one);
    expect(called).toMatchObject({ content: "", reasoning: thought });
    expect(callsOf(called)).toEqual([weatherCall]);
    const forced = read(format, `${thought}${close}${family.one}`, { thinking: "forced-open" });
    expect(forced).toEqual(called);
    const unfinished = read(format, thought, { thinking: "forced-open", reason: "length" });
    expect(unfinished).toEqual({ content: "", reasoning: thought, toolCalls: [] });
  });

  test(`${format}: a thought left in the content`, () => {
    const text = `${thinks(family, "\nHm.\n")}Yes.`;
    const message = read(format, text, { reasoningFormat: "none" });
    expect(message.reasoning).toBe("");
    if (format !== "harmony") expect(message.content).toBe(text);
    const legacy = read(format, text, { reasoningFormat: "deepseek-legacy" });
    expect(legacy).toMatchObject({ content: message.content, reasoning: "Hm." });
  });
}
