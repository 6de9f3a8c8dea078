import type { Json } from "./types.ts";

/** What a template does with the parts of a chat, found by rendering small ones. */
export interface TemplateCapabilities {
  /** Content may be a plain string. */
  readonly stringContent: boolean;
  /** Content may be an array of `{ type: "text", text }`. */
  readonly typedContent: boolean;
  readonly systemRole: boolean;
  /** The role `developer` is known by name. */
  readonly developerRole: boolean;
  readonly tools: boolean;
  readonly toolCalls: boolean;
  readonly parallelToolCalls: boolean;
  /** Messages of role `tool` are printed. */
  readonly toolResults: boolean;
  /** Results are written as they should be only where the message with the calls has them, as `tool_responses`. */
  readonly toolResponses: boolean;
  /** Tool call arguments may be JSON text. */
  readonly stringArguments: boolean;
  /** Tool call arguments may be an object. */
  readonly objectArguments: boolean;
  /** Tool calls are written beside content that is null, and not beside content that is empty. */
  readonly nullContent: boolean;
  /** Tool calls are written beside content that is neither null nor empty. */
  readonly contentBesideCalls: boolean;
  /** Where the template looks for an earlier thought: a field of the message, or a part of its content. */
  readonly reasoning: "reasoning_content" | "reasoning" | "thinking" | "thought" | "part";
  /** A message with tool calls may have both a thought and content. */
  readonly reasoningBesideContent: boolean;
}

/** Renders template variables; undefined when the template fails on them. */
export type TryRender = (variables: Record<string, Json>) => string | undefined;

// Names that no template holds.
const NEEDLE = "needle_7f3a";
const CALLED = "called_9c1e";
const ALSO_CALLED = "called_2b8d";
const ARGUMENT = "argument_5d2b";

const ARGUMENTS_TEXT = `{"${ARGUMENT}": "v"}`;
const ARGUMENTS_OBJECT: Json = { [ARGUMENT]: "v" };

const TOOLS: Json = [
  {
    type: "function",
    function: {
      name: NEEDLE,
      description: "d",
      parameters: {
        type: "object",
        properties: { [ARGUMENT]: { type: "string", description: "d" } },
        required: [],
      },
    },
  },
];

/** Finds out what a template supports; about a dozen renders. `words` are the template's string literals and names of fields. */
export function probeCapabilities(tryRender: TryRender, words: ReadonlySet<string>): TemplateCapabilities {
  const render = (messages: Json[], tools: Json = null) =>
    tryRender({ messages, tools, add_generation_prompt: true }) ?? "";

  const stringContent = render([{ role: "user", content: NEEDLE }]).includes(NEEDLE);
  const typed = render([{ role: "user", content: [{ type: "text", text: NEEDLE }] }]);
  // A template that knows nothing of parts prints the array itself.
  const typedContent = typed.includes(NEEDLE) && !/["']text["']/.test(typed);
  const content = (text: string): Json => (typedContent && !stringContent ? [{ type: "text", text }] : text);

  const user = { role: "user", content: content("u") };
  const shows = (role: string) => render([{ role, content: content(NEEDLE) }, user]).includes(NEEDLE);
  const thoughts = (parts: Json[]) => render([user, { role: "assistant", content: parts }, user]);
  const reasoning = findReasoning(words, thoughts);
  return {
    stringContent,
    typedContent,
    systemRole: shows("system"),
    developerRole: words.has("developer") && shows("developer"),
    tools: render([user], TOOLS).includes(NEEDLE),
    reasoning,
    ...probeToolCalls((messages) => render([user, ...messages], TOOLS), content, { reasoning, words }),
  };
}

function findReasoning(
  words: ReadonlySet<string>,
  render: (parts: Json[]) => string,
): TemplateCapabilities["reasoning"] {
  const field = (["reasoning_content", "reasoning", "thought"] as const).find((name) => words.has(name));
  if (field) return field;
  if (!words.has("thinking")) return "reasoning_content";
  const parts = [
    { type: "thinking", thinking: NEEDLE },
    { type: "text", text: "a" },
  ];
  const rendered = render(parts);
  // A template that knows nothing of parts prints the array itself.
  return rendered.includes(NEEDLE) && !/["']thinking["']/.test(rendered) ? "part" : "thinking";
}

type ToolCallCapabilities = Pick<
  TemplateCapabilities,
  | "toolCalls"
  | "parallelToolCalls"
  | "toolResults"
  | "toolResponses"
  | "stringArguments"
  | "objectArguments"
  | "nullContent"
  | "contentBesideCalls"
  | "reasoningBesideContent"
>;

/** `render` puts a user's message in front. */
function probeToolCalls(
  render: (messages: Json[]) => string,
  content: (text: string) => Json,
  { reasoning, words }: { reasoning: TemplateCapabilities["reasoning"]; words: ReadonlySet<string> },
): ToolCallCapabilities {
  // Some templates insist on ids of nine letters and digits.
  const assistant = (names: string[], given: Json, text: Json) => ({
    role: "assistant",
    content: text,
    tool_calls: names.map((name, index) => ({
      id: `abcdef12${index}`,
      type: "function",
      function: { name, arguments: given },
    })),
  });
  const result = (index: number, text: string): Json => ({
    role: "tool",
    name: NEEDLE,
    tool_call_id: `abcdef12${index}`,
    content: content(text),
  });
  const answered = (given: Json, text: Json) => render([assistant([CALLED], given, text), result(0, "r")]);
  const unanswered = (given: Json, text: Json) => render([assistant([CALLED], given, text)]);

  // Some templates fail on null beside calls or make a word of it, and some write the calls only there.
  const nullContent = [ARGUMENTS_TEXT, ARGUMENTS_OBJECT].some((given) => {
    if (answered(given, content("")).includes(CALLED)) return false;
    return answered(given, null).includes(CALLED) || unanswered(given, null).includes(CALLED);
  });
  const blank = nullContent ? null : content("");
  // Some templates write calls and have no words for results; others look for results behind the calls.
  const write = (given: Json): string => {
    const rendered = answered(given, blank);
    return rendered.includes(CALLED) ? rendered : unanswered(given, blank);
  };
  const accepts = (given: Json, empty: Json): boolean => {
    const rendered = write(given);
    return rendered.includes(CALLED) && countUnescaped(rendered) > countUnescaped(write(empty));
  };
  const stringArguments = accepts(ARGUMENTS_TEXT, "{}");
  const objectArguments = accepts(ARGUMENTS_OBJECT, {});
  const given = stringArguments ? ARGUMENTS_TEXT : ARGUMENTS_OBJECT;

  const thoughtful = (text: Json) => {
    const message = assistant([CALLED], given, text);
    return render([reasoning === "part" ? message : { ...message, [reasoning]: "t" }, result(0, "r")]);
  };
  const resultText = render([assistant([CALLED], given, blank), result(0, ALSO_CALLED)]);
  const responses = [{ name: CALLED, response: ALSO_CALLED }];
  const responseText = words.has("tool_responses")
    ? render([{ ...assistant([CALLED], given, blank), tool_responses: responses }])
    : "";
  const two = assistant([CALLED, ALSO_CALLED], given, blank);
  const parallel = [render([two, result(0, "r"), result(1, "r")]), render([two])];
  return {
    toolCalls: stringArguments || objectArguments,
    parallelToolCalls: parallel.some((text) => text.includes(CALLED) && text.includes(ALSO_CALLED)),
    toolResults: resultText.includes(ALSO_CALLED),
    toolResponses: responseText.includes(ALSO_CALLED) && responseText !== resultText,
    stringArguments,
    objectArguments,
    nullContent,
    contentBesideCalls:
      answered(given, content("c")).includes(CALLED) || !answered(given, blank).includes(CALLED),
    reasoningBesideContent: thoughtful(content("c")).includes(CALLED) || !thoughtful(blank).includes(CALLED),
  };
}

/**
 * How often the argument's name stands there, not counting `\"name\"`, JSON text that was quoted once more, and `{'name'`, a
 * dictionary where the template expected text.
 */
function countUnescaped(text: string): number {
  const before = text.split(ARGUMENT).slice(0, -1);
  return before.filter((part) => !/(?:\\"|\{')$/.test(part)).length;
}
