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

const NEEDLE = "needle_7f3a";
const SECOND_NEEDLE = "needle_9c1e";
const ARGUMENT = "argument_5d2b";
const ARGUMENTS_TEXT = `{"${ARGUMENT}": "v"}`;

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
  const parts = (text: string): Json => [{ type: "text", text }];

  const stringContent = render([{ role: "user", content: NEEDLE }]).includes(NEEDLE);
  const typed = render([{ role: "user", content: parts(NEEDLE) }]);
  // A template that knows nothing of parts prints the array itself.
  const typedContent = typed.includes(NEEDLE) && !/["']text["']/.test(typed);
  const content = (text: string): Json => (typedContent && !stringContent ? parts(text) : text);

  const user = { role: "user", content: content("u") };
  const shows = (role: string) => render([{ role, content: content(NEEDLE) }, user]).includes(NEEDLE);

  // Some templates insist on ids of nine letters and digits.
  const call = (name: string, id: string, given: Json): Json => ({
    id,
    type: "function",
    function: { name, arguments: given },
  });
  const result = (text: string, id: string): Json => ({
    role: "tool",
    name: NEEDLE,
    tool_call_id: id,
    content: content(text),
  });
  const withCall = (given: Json, text: Json) =>
    render(
      [user, { role: "assistant", content: text, tool_calls: [call(SECOND_NEEDLE, "abcdef123", given)] }],
      TOOLS,
    );
  // Some templates fail on null beside calls, and some write the calls only there.
  const nullContent = [ARGUMENTS_TEXT, { [ARGUMENT]: "v" }].some((given) =>
    withCall(given, null).includes(SECOND_NEEDLE),
  );
  const blank: Json = nullContent ? null : content("");
  const accepts = (given: Json, without: Json): boolean => {
    const rendered = withCall(given, blank);
    return (
      rendered.includes(SECOND_NEEDLE) && countUnescaped(rendered) > countUnescaped(withCall(without, blank))
    );
  };
  const stringArguments = accepts(ARGUMENTS_TEXT, "{}");
  const objectArguments = accepts({ [ARGUMENT]: "v" }, {});
  const given: Json = stringArguments ? ARGUMENTS_TEXT : { [ARGUMENT]: "v" };

  const twoCalls = [call("first_name", "abcdef123", given), call(SECOND_NEEDLE, "abcdef456", given)];
  const parallel = render([user, { role: "assistant", content: blank, tool_calls: twoCalls }], TOOLS);
  const results = render(
    [
      user,
      { role: "assistant", content: blank, tool_calls: [call(NEEDLE, "abcdef123", given)] },
      result(SECOND_NEEDLE, "abcdef123"),
    ],
    TOOLS,
  );
  return {
    stringContent,
    typedContent,
    systemRole: shows("system"),
    developerRole: literals.has("developer") && shows("developer"),
    tools: render([user], TOOLS).includes(NEEDLE),
    toolCalls: stringArguments || objectArguments,
    parallelToolCalls: parallel.includes("first_name") && parallel.includes(SECOND_NEEDLE),
    toolResults: results.includes(SECOND_NEEDLE),
    stringArguments,
    objectArguments,
    nullContent,
  };
}

/** How often the argument's name stands there unquoted or in plain quotes, but not in `\"…\"`. */
function countUnescaped(text: string): number {
  return text
    .split(ARGUMENT)
    .filter((before, index, all) => index < all.length - 1 && !before.endsWith('\\"')).length;
}
