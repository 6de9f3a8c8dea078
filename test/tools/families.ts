import {
  channel,
  coder,
  deepCall,
  deepCall31,
  deepSection,
  dsml,
  dsmlCalls,
  flatTags,
  gigachat,
  glm,
  hermes,
  hy3,
  hy3Calls,
  invoked,
  kimi,
  kimiSection,
  marked,
  python,
  solar,
} from "./family-texts.ts";

/** What a model of a family writes, constructed from its markers; the functions are those of `parse-answer.ts`. */
export interface Family {
  readonly format: string;
  /** One call: get_weather for {@link city}, 3 days. */
  readonly one: string;
  /** Two calls: that one, and `now` without arguments. */
  readonly two?: string;
  /** send-note with {@link note}. */
  readonly nested: string;
  /** A call of a function `nope` that there is not. */
  readonly unknown: string;
  /** Text that begins like a marker and is none. */
  readonly almost: string;
  /** Markers of the thought. */
  readonly thought?: readonly [open: string, close: string];
  /** How plain text is said; default: as it is. */
  readonly say?: (text: string) => string;
}

export const city = 'Zürich {"🌧"} \\ </x>';
export const note = {
  text: "line 1\nline 2 \t“q” 👩‍👩‍👧 [}",
  to: { name: 'A "B" </tag>', tags: ["x", { deep: [1, null, true, -2.5e3] }] },
  ref: 7,
};

const weather = { city, days: 3 };
const json = JSON.stringify(weather);
const noteJson = JSON.stringify(note);
const indented = JSON.stringify(note, null, 2);
const object = (name: string, given: unknown, keys: readonly [string, string] = ["name", "arguments"]) =>
  JSON.stringify({ [keys[0]]: name, [keys[1]]: given });
const think = ["<think>", "</think>"] as const;

const cohere = ["tool_name", "parameters"] as const;

/** A family whose calls are a list of JSON objects between two texts. */
function listed(
  format: string,
  before: string,
  after: string,
  almost: string,
  keys: readonly [string, string] = ["name", "arguments"],
): Family {
  const list = (...calls: string[]) => before + calls.join(", ") + after;
  return {
    format,
    one: list(object("get_weather", weather, keys)),
    two: list(object("get_weather", weather, keys), object("now", {}, keys)),
    nested: list(`{"${keys[0]}": "send-note",\n "${keys[1]}": ${indented}}`),
    unknown: list(object("nope", weather, keys)),
    almost,
  };
}

/** DeepSeek since V3.2. */
function dsmlFamily(format: string, outer: string): Family {
  return {
    format,
    one: dsmlCalls(outer, dsml("get_weather", weather)),
    two: dsmlCalls(outer, dsml("get_weather", weather), dsml("now", {})),
    nested: dsmlCalls(outer, dsml("send-note", note)),
    unknown: dsmlCalls(outer, dsml("nope", weather)),
    almost: `<｜DSML｜${outer}>\n<｜DSML｜invoke name=""> <｜DSML`,
    thought: think,
  };
}

export const families: readonly Family[] = [
  {
    format: "hermes",
    one: hermes(object("get_weather", weather)),
    two: `${hermes(object("get_weather", weather))}\n${hermes(object("now", {}))}`,
    nested: hermes(`{"arguments": ${indented}, "name": "send-note"}`),
    unknown: hermes(object("nope", weather)),
    almost: "a <tool_cal> b <tool_call>no</tool_call> <",
    thought: think,
  },
  {
    format: "qwen3-coder",
    one: coder("get_weather", weather),
    two: `${coder("get_weather", weather)}\n${coder("now", {})}`,
    nested: coder("send-note", note),
    unknown: coder("nope", weather),
    almost: "a <tool_call>\n<functio> b <function=> <tool",
    thought: think,
  },
  {
    format: "minimax-m2",
    one: `<minimax:tool_call>\n${invoked("get_weather", weather)}\n</minimax:tool_call>`,
    two: `<minimax:tool_call>\n${invoked("get_weather", weather)}\n${invoked("now", {})}\n</minimax:tool_call>`,
    nested: `<minimax:tool_call>\n${invoked("send-note", note)}\n</minimax:tool_call>`,
    unknown: `<minimax:tool_call>\n${invoked("nope", weather)}\n</minimax:tool_call>`,
    almost: '<minimax:tool_call>\n<invoke name=""> <invoke name',
    thought: think,
  },
  {
    format: "seed-oss",
    one: `<seed:tool_call>\n${flatTags("get_weather", weather)}\n</seed:tool_call>`,
    two: `<seed:tool_call>\n${flatTags("get_weather", weather)}\n${flatTags("now", {})}\n</seed:tool_call>`,
    nested: `<seed:tool_call>\n${flatTags("send-note", note)}\n</seed:tool_call>`,
    unknown: `<seed:tool_call>\n${flatTags("nope", weather)}\n</seed:tool_call>`,
    almost: "<seed:tool_call>\n<function=> <seed:tool",
    thought: ["<seed:think>", "</seed:think>"],
  },
  { ...listed("nemotron-v2", "<TOOLCALL>[", "]</TOOLCALL>", "<TOOLCALL>none <TOOL"), thought: think },
  {
    format: "llama3",
    one: object("get_weather", weather, ["name", "parameters"]),
    two: `${object("get_weather", weather, ["name", "parameters"])}; ${object("now", {}, ["name", "parameters"])}`,
    nested: `<|python_tag|>{"type": "function", "function": ${object("send-note", note)}}`,
    unknown: object("nope", weather, ["name", "parameters"]),
    almost: '{"name": "get_weather", "color": "red"} { x <|python_tag|',
  },
  {
    format: "llama-pythonic",
    one: `[${python("get_weather", weather)}]`,
    two: `<|python_start|>[${python("get_weather", weather)}, now()]<|python_end|>`,
    nested: `[${python("send-note", note)}]`,
    unknown: `[${python("nope", weather)}]`,
    almost: "[get_weather] is [1, 2] [",
  },
  { ...listed("mistral", "[TOOL_CALLS] [", "]", "[TOOL_CALLS] x [TOOL"), thought: ["[THINK]", "[/THINK]"] },
  {
    format: "mistral-args",
    one: `[TOOL_CALLS]get_weather[CALL_ID]abcdefgh1[ARGS]${json}`,
    two: `[TOOL_CALLS]get_weather[ARGS]${json}[TOOL_CALLS]now[ARGS]{}`,
    nested: `[TOOL_CALLS]send-note[ARGS]${noteJson}`,
    unknown: `[TOOL_CALLS]nope[ARGS]${json}`,
    almost: "a [TOOL_CALL] b [TOOL_CALLS]get_weather?",
    thought: ["[THINK]", "[/THINK]"],
  },
  {
    format: "deepseek",
    one: deepSection(deepCall("get_weather", json)),
    two: deepSection(`${deepCall("get_weather", json)}\n${deepCall("now", "{}")}`),
    // The section's own markers are left out now and then.
    nested: deepCall("send-note", indented),
    unknown: deepSection(deepCall("nope", json)),
    almost: "a <｜tool▁call b <｜tool▁calls▁begin｜>none <｜",
    thought: think,
  },
  {
    format: "deepseek-v3.1",
    one: deepSection(deepCall31("get_weather", json)),
    two: deepSection(deepCall31("get_weather", json) + deepCall31("now", "{}")),
    nested: deepSection(deepCall31("send-note", noteJson)),
    unknown: deepSection(deepCall31("nope", json)),
    almost: "a <｜tool▁call b <｜tool▁calls▁begin｜>none <｜",
    thought: think,
  },
  {
    format: "gemma",
    one: `\`\`\`tool_code\n${python("get_weather", weather)}\n\`\`\``,
    two: `\`\`\`tool_code\n${python("get_weather", weather)}\nnow()\n\`\`\``,
    nested: `\`\`\`tool_code\n${python("send-note", note)}\n\`\`\``,
    unknown: `\`\`\`tool_code\n${python("nope", weather)}\n\`\`\``,
    almost: "```tool_box\nx\n``` and ```tool_code\nprint(1)\n``` ``",
  },
  {
    format: "function-gemma",
    one: `<start_function_call>${marked("get_weather", weather, "<escape>")}<end_function_call>`,
    two: `<start_function_call>${marked("get_weather", weather, "<escape>")}<end_function_call><start_function_call>call:now{}<end_function_call>`,
    nested: `<start_function_call>${marked("send-note", note, "<escape>")}<end_function_call>`,
    unknown: `<start_function_call>${marked("nope", weather, "<escape>")}<end_function_call>`,
    almost: "<start_function> <start_function_call>cat",
  },
  {
    format: "gemma4",
    one: `<|tool_call>${marked("get_weather", weather, '<|"|>')}<tool_call|>`,
    two: `<|tool_call>${marked("get_weather", weather, '<|"|>')}<tool_call|><|tool_call>call:now{}<tool_call|>`,
    nested: `<|tool_call>${marked("send-note", note, '<|"|>')}<tool_call|>`,
    unknown: `<|tool_call>${marked("nope", weather, '<|"|>')}<tool_call|>`,
    almost: "<|tool> <|tool_call>cat <|",
    thought: ["<|channel>thought\n", "<channel|>"],
  },
  {
    format: "harmony",
    one: channel("get_weather", json),
    two: `${channel("get_weather", json)}<|start|>assistant${channel("now", "{}")}`,
    nested: ` to=functions.send-note<|channel|>commentary json<|message|>${noteJson}<|call|>`,
    unknown: "<|channel|>commentary to=functions.nope <|constrain|>json<|message|>{}",
    almost: "a <|chan <|start|>user <|",
    thought: ["<|channel|>analysis<|message|>", "<|end|><|start|>assistant"],
    say: (text) => `<|channel|>final<|message|>${text}`,
  },
  {
    format: "functionary-v3.1",
    one: `<function=get_weather>${json}</function>`,
    two: `<function=get_weather>${json}</function><function=now>{}</function>`,
    nested: `<function=send-note>${indented}</function>`,
    unknown: `<function=nope>${json}</function>`,
    almost: "<function> <function=get_weather <",
  },
  {
    format: "functionary-v3.2",
    one: `get_weather\n${json}`,
    two: `get_weather\n${json}>>>now\n{}`,
    nested: `send-note\n${noteJson}`,
    unknown: `nope\n${json}`,
    almost: "a >> b >>>c >",
    say: (text) => `all\n${text}`,
  },
  listed("command-r", "Action:\n```json\n[\n    ", "\n]```", "Action: none. Action:\n```json\nx", cohere),
  {
    ...listed("command-r7b", "<|START_ACTION|>[\n", "\n]<|END_ACTION|>", "<|START_ACTION|>x <|START", cohere),
    thought: ["<|START_THINKING|>", "<|END_THINKING|>"],
    say: (text) => `<|START_RESPONSE|>${text}<|END_RESPONSE|>`,
  },
  { ...listed("granite", "<|tool_call|>[", "]", "<|tool_call|>x <|tool_"), thought: think },
  {
    ...listed("phi4", "<|tool_call|>[", "]<|/tool_call|>", "functools is <|tool_call|>x func"),
    thought: think,
  },
  {
    format: "kimi-k2",
    one: kimiSection(kimi("get_weather:0", json)),
    two: kimiSection(kimi("get_weather:0", json) + kimi("now:1", "{}")),
    nested: kimiSection(kimi("send-note:0", noteJson)),
    unknown: kimiSection(kimi("nope:0", json)),
    almost: "<|tool_calls_section_begin|>x <|tool_call_begin|>functions.get_weather? <|",
    thought: think,
  },
  {
    format: "glm-4.5",
    one: glm("get_weather", weather),
    two: `${glm("get_weather", weather)}\n${glm("now", {})}`,
    nested: glm("send-note", note),
    unknown: glm("nope", weather),
    almost: "<tool_cal> <tool_call>? <tool",
    thought: think,
  },
  {
    format: "lfm2",
    one: `<|tool_call_start|>[${python("get_weather", weather)}]<|tool_call_end|>`,
    two: `<|tool_call_start|>[${python("get_weather", weather)}, now()]<|tool_call_end|>`,
    nested: `<|tool_call_start|>[${python("send-note", note)}]<|tool_call_end|>`,
    unknown: `<|tool_call_start|>[${python("nope", weather)}]<|tool_call_end|>`,
    almost: "<|tool_call_start|>(x) <|tool",
    thought: think,
  },
  {
    ...listed("plain-json", "```json\n[", "]\n```", '{"name": "get_weather"} ```json\n{"a": [{}]}\n``` [', [
      "name",
      "arguments",
    ]),
    thought: think,
  },
  dsmlFamily("deepseek-v3.2", "function_calls"),
  dsmlFamily("deepseek-v4", "tool_calls"),
  {
    format: "glm-4.7",
    one: glm("get_weather", weather, ""),
    two: glm("get_weather", weather, "") + glm("now", {}, ""),
    nested: glm("send-note", note, ""),
    unknown: glm("nope", weather, ""),
    almost: "<tool_cal> <tool_call>? <tool",
    thought: think,
  },
  {
    format: "hy3",
    one: hy3Calls(hy3("get_weather", weather)),
    two: hy3Calls(hy3("get_weather", weather), hy3("now", {})),
    nested: hy3Calls(hy3("send-note", note)),
    unknown: hy3Calls(hy3("nope", weather)),
    almost: "<tool_calls:opensource>? <tool_call:opensource>? <tool_",
    thought: ["<think:opensource>", "</think:opensource>"],
  },
  {
    format: "solar-open",
    one: `<|tool_calls|>${solar("a1b2c3d4e5", "get_weather", json)}`,
    two: `<|tool_calls|>${solar("a1b2c3d4e5", "get_weather", json)}${solar("a1b2c3d4e6", "now", "{}")}`,
    nested: `<|tool_calls|>${solar("a1b2c3d4e5", "send-note", noteJson)}`,
    unknown: `<|tool_calls|>${solar("a1b2c3d4e5", "nope", json)}`,
    almost: "<|tool_calls|>? <|tool_call:begin|>? <|tool_call",
    thought: ["<|think|>", "<|end|><|begin|>assistant"],
    say: (text) => `<|content|>${text}<|end|>`,
  },
  {
    format: "apertus",
    one: `<|tools_prefix|>[{"get_weather": ${json}}]<|tools_suffix|>`,
    two: `<|tools_prefix|>[{"get_weather": ${json}}, {"now": {}}]<|tools_suffix|>`,
    nested: `<|tools_prefix|>[\n{"send-note": ${indented}}\n]<|tools_suffix|>`,
    unknown: `<|tools_prefix|>[{"nope": ${json}}]<|tools_suffix|>`,
    almost: '{"get_weather": 1} <|tools_prefix|>[] <|tools_',
    thought: ["<|inner_prefix|>", "<|inner_suffix|>"],
  },
  {
    ...listed("apriel", "<tool_calls>[", "]</tool_calls>", "<tool_calls>? <tool_call"),
    thought: ["Here are my reasoning steps:\n", "\n[BEGIN FINAL RESPONSE]\n"],
  },
  {
    format: "minimax-m1",
    one: `<tool_calls>\n${object("get_weather", weather)}\n</tool_calls>`,
    two: `<tool_calls>\n${object("get_weather", weather)}\n${object("now", {})}\n</tool_calls>`,
    nested: `<tool_calls>\n{"name": "send-note", "arguments": ${indented}}\n</tool_calls>`,
    unknown: `<tool_calls>\n${object("nope", weather)}\n</tool_calls>`,
    almost: "<tool_calls>? <tool_call",
    thought: think,
  },
  {
    ...listed("cohere2-moe", "<|START_ACTION|>[\n", "\n]<|END_ACTION|>", "<|START_ACTION|>x <|START", cohere),
    thought: ["<|START_THINKING|>", "<|END_THINKING|>"],
    say: (text) => `<|START_TEXT|>${text}<|END_TEXT|>`,
  },
  listed("functools", "functools[", "]", "functools is fun"),
  {
    format: "gigachat3",
    one: gigachat(object("get_weather", weather)),
    two: gigachat(object("get_weather", weather)) + gigachat(object("now", {})),
    nested: gigachat(`{"name": "send-note", "arguments": ${indented}}`),
    unknown: gigachat(object("nope", weather)),
    almost: "<|message_sep|>\n\nfunction? <|message",
  },
  {
    format: "gigachat3.1",
    one: `<|function_call|>${object("get_weather", weather)}`,
    two: `<|function_call|>${object("get_weather", weather)}<|function_call|>${object("now", {})}`,
    nested: `<|function_call|>{"name": "send-note", "arguments": ${indented}}`,
    unknown: `<|function_call|>${object("nope", weather)}`,
    almost: "<|function_call|>? <|function",
  },
];
