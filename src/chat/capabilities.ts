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
  /** Tool call arguments may be JSON text. */
  readonly stringArguments: boolean;
  /** Tool call arguments may be an object. */
  readonly objectArguments: boolean;
  /** Tool calls are written beside content that is null. */
  readonly nullContent: boolean;
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

/** Finds out what a template supports; about a dozen renders. `literals` are the template's string literals. */
export function probeCapabilities(tryRender: TryRender, literals: ReadonlySet<string>): TemplateCapabilities {
  const render = (messages: Json[], tools: Json = null) =>
    tryRender({ messages, tools, add_generation_prompt: true }) ?? "";

  const stringContent = render([{ role: "user", content: NEEDLE }]).includes(NEEDLE);
  const typed = render([{ role: "user", content: [{ type: "text", text: NEEDLE }] }]);
  // A template that knows nothing of parts prints the array itself.
  const typedContent = typed.includes(NEEDLE) && !/["']text["']/.test(typed);
  const content = (text: string): Json => (typedContent && !stringContent ? [{ type: "text", text }] : text);

  const user = { role: "user", content: content("u") };
  const shows = (role: string) => render([{ role, content: content(NEEDLE) }, user]).includes(NEEDLE);
  return {
    stringContent,
    typedContent,
    systemRole: shows("system"),
    developerRole: literals.has("developer") && shows("developer"),
    tools: render([user], TOOLS).includes(NEEDLE),
    ...probeToolCalls((messages) => render([user, ...messages], TOOLS), content),
  };
}

type ToolCallCapabilities = Pick<
  TemplateCapabilities,
  "toolCalls" | "parallelToolCalls" | "toolResults" | "stringArguments" | "objectArguments" | "nullContent"
>;

/** `render` puts a user's message in front. */
function probeToolCalls(
  render: (messages: Json[]) => string,
  content: (text: string) => Json,
): ToolCallCapabilities {
  // Some templates insist on ids of nine letters and digits.
  const assistant = (names: string[], given: Json, text: Json): Json => ({
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

  // Some templates fail on null beside calls, and some write the calls only there.
  const nullContent = [ARGUMENTS_TEXT, ARGUMENTS_OBJECT].some((given) => {
    if (answered(given, null).includes(CALLED)) return true;
    return !answered(given, content("")).includes(CALLED) && unanswered(given, null).includes(CALLED);
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

  const two = assistant([CALLED, ALSO_CALLED], given, blank);
  const parallel = [render([two, result(0, "r"), result(1, "r")]), render([two])];
  return {
    toolCalls: stringArguments || objectArguments,
    parallelToolCalls: parallel.some((text) => text.includes(CALLED) && text.includes(ALSO_CALLED)),
    toolResults: render([assistant([CALLED], given, blank), result(0, ALSO_CALLED)]).includes(ALSO_CALLED),
    stringArguments,
    objectArguments,
    nullContent,
  };
}

/** How often the argument's name stands there, not counting `\"name\"`: JSON text that was quoted once more. */
function countUnescaped(text: string): number {
  const before = text.split(ARGUMENT).slice(0, -1);
  return before.filter((part) => !part.endsWith('\\"')).length;
}
