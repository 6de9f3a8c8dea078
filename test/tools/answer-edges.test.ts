import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { AnswerParser, chooseFormat, toolFormats } from "../../src/tools/index.ts";
import { families } from "./families.ts";
import { addUp, cuts, parseAnswer, tools } from "./parse-answer.ts";

/** Names and arguments of an answer's calls, and its content; the same for all ways to cut it. */
function read(format: string, text: string) {
  const messages = [...cuts(text)].map((pieces) => parseAnswer(chooseFormat("", format), pieces));
  for (const message of messages) expect(message).toEqual(messages[0]!);
  const { content, toolCalls } = messages[0]!;
  return { content, calls: toolCalls.map((call) => [call.name, call.arguments]) };
}

/** The deltas of each character. */
function stream(format: string, text: string) {
  const parser = new AnswerParser(chooseFormat("", format), { tools, random: () => 0.5 });
  return [...text].map((character) => parser.push(character));
}

test("anything made of a format's markers and texts comes to the same, however it is cut", () => {
  for (const family of families) {
    const format = chooseFormat("", family.format);
    const markers = [
      family.one,
      family.two!,
      family.nested,
      family.unknown,
      family.almost,
      ...(family.thought ?? []),
    ];
    const parts = [...markers, "{", "[", "<", "\n", " ", '"', "x", "now", "}", "]", "👋", ")"];
    const fragment = fc
      .tuple(fc.constantFrom(...parts), fc.nat(), fc.nat())
      .map(([part, one, other]) => {
        const [start, end] = [one % (part.length + 1), other % (part.length + 1)].sort((x, y) => x - y);
        // Half of the time the whole part.
        return one % 2 === 0 ? part : part.slice(start, end);
      })
      .map((text) => text.toWellFormed());
    fc.assert(
      fc.property(
        fc.array(fragment, { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 5 }),
        (fragments, places) => {
          const bytes = new TextEncoder().encode(fragments.join(""));
          const ends = places.map((place) => place % (bytes.length + 1)).sort((x, y) => x - y);
          const pieces = [...ends, bytes.length].map((end, index) =>
            bytes.subarray(ends[index - 1] ?? 0, end),
          );
          for (const reason of ["stop", "length"] as const) {
            expect(parseAnswer(format, pieces, { reason })).toEqual(parseAnswer(format, [bytes], { reason }));
          }
        },
      ),
      { numRuns: 40 },
    );
  }
});

test("without tools or thoughts every text is content", () => {
  fc.assert(
    fc.property(fc.constantFrom(...families), fc.array(fc.string({ unit: "binary" })), (family, pieces) => {
      const parser = new AnswerParser(chooseFormat("", "llama3"), { tools: [] });
      const texts = [family.almost, ...pieces, family.one];
      const deltas = texts.flatMap((text) => parser.push(text));
      deltas.push(...parser.end("stop"));
      expect(addUp(deltas)).toEqual({ content: texts.join(""), reasoning: "", toolCalls: [] });
    }),
    { numRuns: 50 },
  );
});

describe("deltas come as early as they can", () => {
  test("content but for white space and beginnings of markers", () => {
    const texts = stream("hermes", "a b<c <tool").map((deltas) => addUp(deltas).content);
    expect(texts).toEqual(["a", "", " b", "", "<c", "", "", "", "", "", ""]);
  });

  test("the name once it is known, the arguments character by character", () => {
    const text = '<tool_call>\n{"name": "now", "arguments": {"a": "b c"}}';
    const deltas = stream("hermes", text);
    expect(deltas[text.indexOf('",')]).toMatchObject([{ type: "tool-call", index: 0, name: "now" }]);
    const begin = text.indexOf('{"a"');
    const given = deltas
      .slice(begin)
      .map((some) => addUp([{ type: "tool-call", index: 0, id: "", name: "" }, ...some]));
    expect(given.map(({ toolCalls }) => toolCalls[0]!.arguments)).toEqual([...'{"a": "b c"}', ""]);
  });

  test("strings between tags as they are written", () => {
    const text = '<tool_call><function=get_weather><parameter=city>\nA "b"\n</parameter>';
    const written = stream("qwen3-coder", text)
      .flat()
      .flatMap((delta) => (delta.type === "arguments" ? [delta.text] : []));
    expect(written).toEqual(['{"city": "', "A", " ", '\\"', "b", '\\"', '"']);
  });

  test("one delta for neighbours of one kind", () => {
    const parser = new AnswerParser(chooseFormat("", "hermes"), { tools });
    const text = '<think>a b</think>c d <tool_call>{"name": "now", "arguments": {"a": 1}}</tool_call>';
    expect(parser.push(text).map(({ type }) => type)).toEqual([
      "reasoning",
      "content",
      "tool-call",
      "arguments",
    ]);
    expect(parser.end("stop")).toEqual([]);
    expect(parser.end("stop")).toEqual([]);
    expect(() => parser.push("x")).toThrow(TypeError);
  });
});

describe("calls that are not quite as they should be", () => {
  const now = ["now", "{}"];
  const cases: [what: string, format: string, text: string, calls: string[][], content?: string][] = [
    [
      "arguments first",
      "hermes",
      '<tool_call>{"arguments": {"a": 1}, "name": "now"}</tool_call>',
      [["now", '{"a": 1}']],
    ],
    ["no arguments", "hermes", '<tool_call>{"name": "now"}</tool_call>', [now]],
    ["null as arguments", "hermes", '<tool_call>{"name": "now", "arguments": null}</tool_call>', [now]],
    [
      "arguments as text",
      "hermes",
      '<tool_call>{"name": "now", "arguments": "{\\"a\\": \\"\\\\n\\\\u00e9\\u00e9\\"}"}</tool_call>',
      [["now", '{"a": "\\n\\u00e9\\u00e9"}']],
    ],
    [
      "broken arguments",
      "hermes",
      '<tool_call>{"name": "now", "arguments": {"a": [}</tool_call>b',
      [["now", '{"a": [}']],
      "</tool_call>b",
    ],
    [
      "arguments that a tag ends",
      "functionary-v3.1",
      '<function=now>{"a": 1</function>b',
      [["now", '{"a": 1']],
      "b",
    ],
    ["no closing tag", "hermes", '<tool_call>{"name": "now", "arguments": {}}', [now]],
    [
      "text between and behind",
      "hermes",
      '<tool_call>{"name": "now"}</tool_call> and\n<tool_call>{"name": "now"}</tool_call>\nbye',
      [now, now],
      " and\nbye",
    ],
    [
      "an unknown one behind",
      "hermes",
      '<tool_call>{"name": "now"}</tool_call><tool_call>{"name": "x"}</tool_call>',
      [now],
      '<tool_call>{"name": "x"}</tool_call>',
    ],
    ["an opening twice", "hermes", '<tool_call><tool_call>{"name": "now"}</tool_call>', [now], "<tool_call>"],
    [
      "keys that nobody knows",
      "llama3",
      '{"name": "now", "color": "red", "parameters": {}}',
      [],
      '{"name": "now", "color": "red", "parameters": {}}',
    ],
    [
      "further keys behind",
      "hermes",
      '<tool_call>{"name": "now", "arguments": {}, "x": [{"y": 1}], "id": "z"}</tool_call>',
      [now],
    ],
    ["bare JSON behind words", "llama3", 'Sure: {"name": "now", "parameters": {}}', [now], "Sure:"],
    [
      "one of Llama's own tools",
      "llama3",
      '<|python_tag|>get_weather.call(city="Rome")',
      [["get_weather", '{"city": "Rome"}']],
    ],
    ["an id of the model's", "mistral-args", "[TOOL_CALLS]now[CALL_ID]123456789[ARGS]{}", [now]],
    ["the other Mistral", "mistral", '[TOOL_CALLS]now[ARGS]{"a": 1}', [["now", '{"a": 1}']]],
    ["an empty list", "mistral", "[TOOL_CALLS][]", [], "[TOOL_CALLS][]"],
    [
      "arguments without names",
      "lfm2",
      "<|tool_call_start|>[get_weather('Rome', 2, metric=True)]<|tool_call_end|>",
      [["get_weather", '{"city": "Rome", "days": 2, "metric": true}']],
    ],
    [
      "numbers of Python",
      "lfm2",
      "<|tool_call_start|>[now(a=1_000, b=.5, c=-2e3, d=None, e=x, f=(1, 2,))]<|tool_call_end|>",
      [["now", '{"a": 1000, "b": 0.5, "c": -2e3, "d": null, "e": "x", "f": [1, 2]}']],
    ],
    [
      "words that every object inherits, unquoted",
      "lfm2",
      "<|tool_call_start|>[now(a=constructor, b=toString)]<|tool_call_end|>",
      [["now", '{"a": "constructor", "b": "toString"}']],
    ],
    [
      "words that every object inherits",
      "qwen3-coder",
      "<tool_call><function=get_weather><parameter=days>\nconstructor\n</parameter></function></tool_call>",
      [["get_weather", '{"days": "constructor"}']],
    ],
    [
      "escapes of Python",
      "lfm2",
      `<|tool_call_start|>[now(a="\\x41\\u00e9\\U0001F44B\\d\\'", b='"')]<|tool_call_end|>`,
      [["now", '{"a": "A\\u00e9👋\\\\d\'", "b": "\\""}']],
    ],
    [
      "brackets in strings",
      "lfm2",
      '<|tool_call_start|>[now(a="[)]", b={"c": ")"})]<|tool_call_end|>',
      [["now", '{"a": "[)]", "b": {"c": ")"}}']],
    ],
    [
      "values that do not fit",
      "qwen3-coder",
      "<tool_call><function=get_weather><parameter=days>\nthree\n</parameter><parameter=metric>\nTrue\n</parameter></function></tool_call>",
      [["get_weather", '{"days": "three", "metric": true}']],
    ],
    [
      "values that may be either",
      "glm-4.5",
      "<tool_call>send-note\n<arg_key>ref</arg_key><arg_value>7</arg_value><arg_key>text</arg_key><arg_value>7</arg_value></tool_call>",
      [["send-note", '{"ref": 7, "text": "7"}']],
    ],
    [
      "tags inside JSON",
      "glm-4.5",
      '<tool_call>send-note\n<arg_key>to</arg_key><arg_value>{"name": "</arg_value>"}</arg_value></tool_call>',
      [["send-note", '{"to": {"name": "</arg_value>"}}']],
    ],
    [
      "line ends kept inside",
      "qwen3-coder",
      "<tool_call><function=send-note><parameter=text>\n\na\n\n</parameter></function></tool_call>",
      [["send-note", '{"text": "\\na\\n"}']],
    ],
    ["the outer tag left out", "qwen3-coder", "<function=now>\n</function>", [now]],
    [
      "an end left out",
      "qwen3-coder",
      "<tool_call><function=get_weather><parameter=city>\nRome\n</parameter>",
      [["get_weather", '{"city": "Rome"}']],
    ],
    [
      "text behind a header",
      "harmony",
      "<|channel|>commentary to=functions.now<|message|>hello",
      [["now", ""]],
      "hello",
    ],
    [
      "a preamble",
      "harmony",
      "<|channel|>commentary<|message|>Wait.<|end|><|start|>assistant<|channel|>commentary to=functions.now<|message|>{}",
      [now],
      "Wait.",
    ],
    [
      "nobody's recipient",
      "harmony",
      "<|channel|>commentary to=python<|message|>1+1",
      [],
      "<|channel|>commentary to=python<|message|>1+1",
    ],
    ["no header", "harmony", "Hello.", [], "Hello."],
  ];
  for (const [what, format, text, calls, content = ""] of cases) {
    test(`${what} (${format})`, () => expect(read(format, text)).toEqual({ content, calls }));
  }
});

test("ids have the shape that the family's templates want", () => {
  const idOf = (format: string) => {
    const parser = new AnswerParser(chooseFormat("", format), { tools });
    parser.push(families.find((family) => family.format === format)!.one);
    parser.end("stop");
    return parser.message.toolCalls[0]!.id;
  };
  const shapes: Readonly<Record<string, RegExp>> = {
    mistral: /^[a-zA-Z0-9]{9}$/,
    "mistral-args": /^abcdefgh1$/,
    "solar-open": /^a1b2c3d4e5$/,
    "kimi-k2": /^functions\.get_weather:0$/,
  };
  for (const { name } of toolFormats) expect(idOf(name)).toMatch(shapes[name] ?? /^call_[a-zA-Z0-9]{24}$/);
});

test("an id that the model writes once more becomes another one", () => {
  const kimi = (index: number) =>
    `<|tool_call_begin|>functions.now:${index}<|tool_call_argument_begin|>{}<|tool_call_end|>`;
  const idsOf = (format: string, text: string) => {
    const parser = new AnswerParser(chooseFormat("", format), { tools });
    parser.push(text);
    parser.end("stop");
    return parser.message.toolCalls.map(({ id }) => id);
  };
  const section = (...indices: number[]) =>
    `<|tool_calls_section_begin|>${indices.map(kimi).join("")}<|tool_calls_section_end|>`;
  expect(idsOf("kimi-k2", section(4, 5))).toEqual(["functions.now:4", "functions.now:5"]);
  expect(idsOf("kimi-k2", section(1, 1, 1))).toEqual([
    "functions.now:1",
    "functions.now:2",
    "functions.now:3",
  ]);
  const [first, second] = idsOf("mistral-args", "[TOOL_CALLS]now[CALL_ID]abcdefghi[ARGS]{}".repeat(2));
  expect([first, second]).toEqual(["abcdefghi", expect.stringMatching(/^[a-zA-Z0-9]{9}$/)]);
  expect(second).not.toBe(first);
});

test("what looks like the beginning of a marker is thought where the model ended there, and dropped where it was cut off", () => {
  for (const [format, open] of [
    ["hermes", "<think>"],
    ["harmony", "<|channel|>analysis<|message|>"],
  ] as const) {
    const thoughtOf = (reason: "stop" | "length") => {
      const parser = new AnswerParser(chooseFormat("", format), { tools });
      parser.push(`${open}if a <`);
      parser.end(reason);
      return parser.message.reasoning;
    };
    expect([format, thoughtOf("stop"), thoughtOf("length")]).toEqual([format, "if a <", "if a"]);
  }
});

test("long texts take time in proportion to their length", () => {
  const begun: [format: string, beginning: string][] = [
    ["hermes", ""],
    ["hermes", "<think>"],
    ["hermes", "<tool_call>"],
    ["hermes", '<tool_call>{"arguments": {"a": "'],
    ["qwen3-coder", "<tool_call><function=get_weather><parameter=city>"],
    ["harmony", "<|channel|>final<|message|>"],
  ];
  // With work for each piece that grows with the text before, any of these would take minutes.
  for (const [format, beginning] of begun) {
    for (const piece of ["  \n ", "<to ", "\n <t", "x"]) {
      const parser = new AnswerParser(chooseFormat("", format), { tools });
      parser.push(beginning);
      for (let count = 0; count < 20_000; count++) parser.push(piece);
      parser.end("length");
    }
  }
});
