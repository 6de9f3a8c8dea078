import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { RequestError } from "../../lib/errors.ts";
import { type ChatMessage, ChatTemplate, type RenderOptions } from "../../src/chat/index.ts";

const template = new ChatTemplate(
  "{% for t in tools or [] %}{{ t | tojson }}{% endfor %}" +
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}" +
    "{% for c in m.tool_calls or [] %}{{ c.function.name ~ c.function.arguments }}{% endfor %}{% endfor %}",
);

const user = { role: "user", content: "x" };

/** Renders what the types forbid, as a server does with a request's body. */
function renderAny(messages: unknown, options: unknown = {}): string {
  return template.render(messages as ChatMessage[], options as RenderOptions);
}

function call(change: Record<string, unknown>): unknown {
  return {
    role: "assistant",
    tool_calls: [{ id: "a", type: "function", function: { name: "f", arguments: "{}" }, ...change }],
  };
}

describe("wrong messages are refused with the path and what is allowed", () => {
  const wrong: [what: string, messages: unknown, field: string, allowed: string][] = [
    ["no messages", [], "messages", "at least one message"],
    ["null", null, "messages", "at least one message"],
    ["a string", "hello", "messages", "an array"],
    ["a message that is a string", ["hello"], "messages[0]", "role and content"],
    [
      "no role",
      [{ content: "x" }],
      "messages[0].role",
      '"system", "developer", "user", "assistant", "tool", "function"',
    ],
    [
      "an unknown role",
      [user, user, { role: "bot", content: "x" }],
      "messages[2].role",
      '"bot"; allowed: "system"',
    ],
    ["a role of another type", [{ role: 1, content: "x" }], "messages[0].role", "1; allowed"],
    ["no content", [{ role: "user" }], "messages[0].content", "undefined; allowed: a string"],
    ["null content of a user", [{ role: "user", content: null }], "messages[0].content", "null; allowed"],
    ["content that is a number", [{ role: "user", content: 7 }], "messages[0].content", "7; allowed"],
    ["content that is an object", [{ role: "assistant", content: {} }], "messages[0].content", "or null"],
    [
      "a part that is a string",
      [{ role: "user", content: ["x"] }],
      "messages[0].content[0]",
      '{ type: "text"',
    ],
    [
      "an image",
      [
        user,
        {
          role: "user",
          content: [
            { type: "text", text: "x" },
            { type: "image_url", image_url: { url: "data:" } },
          ],
        },
      ],
      "messages[1].content[1].type",
      '"image_url"; allowed: "text"',
    ],
    [
      "a refusal of the user's",
      [{ role: "user", content: [{ type: "refusal", refusal: "x" }] }],
      "messages[0].content[0].type",
      '"text"',
    ],
    [
      "a part without text",
      [{ role: "user", content: [{ type: "text" }] }],
      "messages[0].content[0].text",
      "a string",
    ],
    ["a name that is a number", [{ ...user, name: 3 }], "messages[0].name", "3; allowed: a string"],
    [
      "an id that is a number",
      [{ role: "tool", content: "x", tool_call_id: 3 }],
      "messages[0].tool_call_id",
      "a string",
    ],
    [
      "calls of the user's",
      [{ ...user, tool_calls: [{ function: { name: "f", arguments: "" } }] }],
      "messages[0].tool_calls",
      '"assistant"',
    ],
    [
      "calls that are no array",
      [{ role: "assistant", tool_calls: {} }],
      "messages[0].tool_calls",
      "an array",
    ],
    [
      "a call that is a string",
      [{ role: "assistant", tool_calls: ["f"] }],
      "messages[0].tool_calls[0]",
      "an object",
    ],
    [
      "a custom call",
      [call({ type: "custom" })],
      "messages[0].tool_calls[0].type",
      '"custom"; allowed: "function"',
    ],
    [
      "a call without a function",
      [call({ function: undefined })],
      "messages[0].tool_calls[0].function",
      "undefined",
    ],
    [
      "a call without a name",
      [call({ function: { name: "", arguments: "" } })],
      "messages[0].tool_calls[0].function.name",
      "not empty",
    ],
    [
      "a call without arguments",
      [call({ function: { name: "f" } })],
      "messages[0].tool_calls[0].function.arguments",
      "JSON",
    ],
    ["a call whose id is a number", [call({ id: 1 })], "messages[0].tool_calls[0].id", "a string"],
    [
      "functions inside",
      [{ ...user, extra: { f: () => 1 } }],
      "messages[0].extra.f",
      "a function; use JSON data",
    ],
    ["dates inside", [{ ...user, extra: [new Date(0)] }], "messages[0].extra[0]", "a Date; use JSON data"],
    ["numbers that JSON lacks", [{ ...user, extra: Number.NaN }], "messages[0].extra", "NaN"],
  ];

  for (const [what, messages, field, allowed] of wrong) {
    test(what, () => {
      expect(() => renderAny(messages)).toThrow(RequestError);
      expect(() => renderAny(messages)).toThrow(expect.objectContaining({ field }));
      expect(() => renderAny(messages)).toThrow(allowed);
    });
  }

  test("data that holds itself", () => {
    const loop: Record<string, unknown> = {};
    loop.loop = loop;
    expect(() => renderAny([{ ...user, loop }])).toThrow("nests deeper than 100 levels");
  });
});

describe("wrong options", () => {
  const tool = { type: "function", function: { name: "f" } };
  const wrong: [what: string, options: unknown, field: string][] = [
    ["tools that are no array", { tools: {} }, "tools"],
    ["a tool that is a string", { tools: ["f"] }, "tools[0]"],
    ["a custom tool", { tools: [tool, { type: "custom", custom: { name: "g" } }] }, "tools[1].type"],
    ["a tool without a function", { tools: [{ type: "function" }] }, "tools[0].function"],
    ["a tool without a name", { tools: [{ type: "function", function: {} }] }, "tools[0].function.name"],
    [
      "a description that is no text",
      { tools: [{ type: "function", function: { name: "f", description: 1 } }] },
      "tools[0].function.description",
    ],
    [
      "parameters that are no schema",
      { tools: [{ type: "function", function: { name: "f", parameters: [] } }] },
      "tools[0].function.parameters",
    ],
    ["a choice that is unknown", { toolChoice: "maybe" }, "tool_choice"],
    ["a required choice without tools", { toolChoice: "required" }, "tool_choice"],
    [
      "a chosen tool that is not there",
      { tools: [tool], toolChoice: { type: "function", function: { name: "g" } } },
      "tool_choice.function.name",
    ],
    ["variables that are no object", { chatTemplateKwargs: [] }, "chat_template_kwargs"],
    ["a reserved variable", { chatTemplateKwargs: { messages: [] } }, "chat_template_kwargs.messages"],
    [
      "a replaced helper",
      { chatTemplateKwargs: { raise_exception: "x" } },
      "chat_template_kwargs.raise_exception",
    ],
    ["a function as a variable", { chatTemplateKwargs: { f: () => 1 } }, "chat_template_kwargs.f"],
    [
      "both ends of the prompt",
      { addGenerationPrompt: true, continueFinalMessage: true },
      "add_generation_prompt",
    ],
    ["going on with the user's message", { continueFinalMessage: true }, "messages[0]"],
  ];

  for (const [what, options, field] of wrong) {
    test(what, () => {
      expect(() => renderAny([user], options)).toThrow(RequestError);
      expect(() => renderAny([user], options)).toThrow(expect.objectContaining({ field }));
    });
  }

  test("a chosen tool that is there is fine", () => {
    const options = { tools: [tool], toolChoice: { type: "function", function: { name: "f" } } };
    expect(renderAny([user], options)).toBe('{"type": "function", "function": {"name": "f"}}[user]x');
  });
});

test("any value at all gives text or a RequestError", () => {
  const message = fc.record(
    {
      role: fc.oneof(
        fc.constantFrom("system", "developer", "user", "assistant", "tool", "function"),
        fc.anything(),
      ),
      content: fc.oneof(
        fc.string(),
        fc.constant(null),
        fc.array(fc.record({ type: fc.constant("text"), text: fc.string() })),
        fc.anything(),
      ),
      tool_calls: fc.oneof(fc.constant(undefined), fc.array(fc.anything())),
      name: fc.anything(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(fc.array(message), fc.anything()), (messages) => {
      try {
        expect(typeof renderAny(messages)).toBe("string");
      } catch (error) {
        expect(error).toBeInstanceOf(RequestError);
      }
    }),
    { numRuns: 500 },
  );
});

test("the caller's messages are left as they were", () => {
  const messages: ChatMessage[] = [
    { role: "user", content: [{ type: "text", text: "a" }] },
    { role: "assistant", content: "b" },
  ];
  const before = structuredClone(messages);
  Object.freeze(messages);
  for (const message of messages) Object.freeze(message);
  template.render(messages, { continueFinalMessage: true });
  expect(messages).toEqual(before);
});

test("the text that ends an open message may hold the marker that finds it", () => {
  for (const content of ["[end-of-final-message]", "[[end-of-final-message]]", "a[end-of-final-message"]) {
    const messages: ChatMessage[] = [
      { role: "user", content },
      { role: "assistant", content },
    ];
    expect(template.render(messages, { continueFinalMessage: true })).toBe(
      `[user]${content}[assistant]${content}`,
    );
  }
});
