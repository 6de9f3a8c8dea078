import { describe, expect, test } from "bun:test";
import { type ChatMessage, ChatTemplate, type ChatTool } from "../../src/chat/index.ts";

const tools: ChatTool[] = [{ type: "function", function: { name: "add" } }];
const user: ChatMessage = { role: "user", content: "u" };

function calling(content: string | null, reasoning?: string): ChatMessage {
  return {
    role: "assistant",
    content,
    ...(reasoning !== undefined && { reasoning_content: reasoning }),
    tool_calls: ["x", "y"].map((id) => ({
      id,
      type: "function",
      function: { name: `add-${id}`, arguments: '{"a": 1}' },
    })),
  };
}

/** A template that writes an assistant's message by these statements. */
function template(assistant: string): ChatTemplate {
  return new ChatTemplate(
    "{% for m in messages %}<{{ m.role }}>{% if m.role == 'assistant' %}" +
      `${assistant}{% else %}{{ m.content }}{% endif %}{% endfor %}`,
  );
}
const CALLS = "{% for c in m.tool_calls %}({{ c.function.name }}:{{ c.function.arguments }}){% endfor %}";

describe("an earlier thought", () => {
  const thoughtful: ChatMessage = { role: "assistant", content: "a", reasoning_content: "hm" };

  for (const field of ["reasoning_content", "reasoning", "thinking", "thought"]) {
    test(`is the field ${field} where the template looks for that`, () => {
      const own = template(`{% if m.${field} %}[{{ m['${field}'] }}]{% endif %}{{ m.content }}`);
      expect(own.capabilities.reasoning).toBe(field as never);
      expect(own.render([user, thoughtful, user])).toBe("<user>u<assistant>[hm]a<user>u");
      expect(own.render([user, { role: "assistant", content: "a" }])).toBe("<user>u<assistant>a");
    });
  }

  test("is a part of the content where the template looks for that", () => {
    const own = template(
      "{% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content %}" +
        "{% if p.type == 'thinking' %}[{{ p.thinking }}]{% else %}{{ p.text }}{% endif %}{% endfor %}{% endif %}",
    );
    expect(own.capabilities.reasoning).toBe("part");
    expect(own.render([user, thoughtful])).toBe("<user>u<assistant>[hm]a");
    const parts: ChatMessage = { ...thoughtful, content: [{ type: "text", text: "b" }] };
    expect(own.render([user, parts])).toBe("<user>u<assistant>[hm]b");
  });

  test("takes the place of the content where a call's message may not have both", () => {
    const own = template(
      `{% if m.tool_calls and m.content and m.thinking %}{{ raise_exception('not both') }}{% endif %}` +
        `{% if m.thinking %}[{{ m.thinking }}]{% endif %}{{ m.content }}${CALLS}`,
    );
    expect(own.capabilities.reasoningBesideContent).toBe(false);
    const rendered = own.render([user, calling("text", "hm")]);
    expect(rendered).toBe('<user>u<assistant>[hm](add-x:{"a": 1})(add-y:{"a": 1})');
    expect(own.render([user, calling("text")])).toContain("<assistant>text(add-x");
    expect(own.render([user, thoughtful])).toBe("<user>u<assistant>[hm]a");
  });
});

describe("content beside calls", () => {
  test("is null where the template writes calls only there", () => {
    const own = template(`{% if m.content is none %}${CALLS}{% else %}{{ m.content }}{% endif %}`);
    expect(own.capabilities).toMatchObject({ nullContent: true, contentBesideCalls: false });
    expect(own.render([user, calling("")])).toContain("(add-x:");
    // Or else the calls would be lost.
    expect(own.render([user, calling("text")])).toBe(
      '<user>u<assistant>text<assistant>(add-x:{"a": 1})(add-y:{"a": 1})',
    );
  });

  test("is empty where the template would make a word of null", () => {
    const own = template(`{{ m.content | trim }}${CALLS}`);
    expect(own.capabilities.nullContent).toBe(false);
    expect(own.render([user, calling(null)])).toBe('<user>u<assistant>(add-x:{"a": 1})(add-y:{"a": 1})');
  });
});

test("arguments are text where the template would print a dictionary", () => {
  const own = template(
    `{{ m.content }}{% for c in m.tool_calls %}{{ '(' + c.function.arguments + ')' }}{{ c.function.name }}{% endfor %}`,
  );
  expect(own.capabilities).toMatchObject({ stringArguments: true, objectArguments: false });
  const message = calling("");
  const given = {
    ...message,
    tool_calls: [{ id: "x", type: "function", function: { name: "n", arguments: { a: 1 } } }],
  };
  expect(own.render([user, given as never])).toBe('<user>u<assistant>({"a":1})n');
});

describe("results", () => {
  const results: ChatMessage[] = [
    { role: "tool", tool_call_id: "y", content: '{"sum": 3}' },
    { role: "tool", tool_call_id: "x", content: "two" },
  ];
  const fold = `${CALLS}{% for r in m.tool_responses %}={{ r.name }}:{{ r.response | tojson }}{% endfor %}{{ m.content }}`;

  test("are part of the message with the calls where the template looks for them there", () => {
    const own = template(fold);
    expect(own.capabilities).toMatchObject({ toolResults: true, toolResponses: true });
    const rendered = own.render([user, calling("a"), ...results, { role: "assistant", content: "b" }, user]);
    expect(rendered).toBe(
      '<user>u<assistant>(add-x:{"a": 1})(add-y:{"a": 1})=add-y:{"sum": 3}=add-x:"two"a\n\nb<user>u',
    );
    expect(own.render([user, calling("a"), { role: "assistant", content: "b" }])).toContain("a<assistant>b");
  });

  test("stay messages where the template writes both alike", () => {
    const own = new ChatTemplate(
      "{% for m in messages %}{% if m.role == 'tool' %}={{ m.name }}:{{ m.content }}{% else %}" +
        `{{ m.content }}${CALLS}{% for r in m.tool_responses %}={{ r.name }}:{{ r.response }}{% endfor %}` +
        "{% endif %}{% endfor %}",
    );
    expect(own.capabilities.toolResults).toBe(true);
    const named = { ...results[1]!, name: "add-x" } as ChatMessage;
    expect(own.render([user, calling(""), named])).toEndWith("=add-x:two");
  });
});

test("tools given without a place for them are refused, and shown where there is one", () => {
  expect(() => template("{{ m.content }}").render([user], { tools })).toThrow(/no place for them/);
});

test("a template may ask for its tools as text, by another name", () => {
  const own = new ChatTemplate(
    "{{ 'Functions: ' + functions }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}",
  );
  expect(own.capabilities.tools).toBe(true);
  expect(own.render([user], { tools })).toBe('Functions: [\n    {\n        "name": "add"\n    }\n]<user>u');
  expect(own.render([user])).toBe("Functions: <user>u");
});
