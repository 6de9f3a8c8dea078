import { describe, expect, test } from "bun:test";
import { RequestError } from "../../lib/errors.ts";
import { withResultsInOrder } from "../../src/tools/check-history.ts";
import { shownTools } from "../../src/tools/check-tools.ts";
import { checkToolHistory, checkToolParams, type ToolParams } from "../../src/tools/index.ts";

const tool = (name: unknown, more: object = {}) => ({ type: "function", function: { name, ...more } });
const tools = [
  tool("one"),
  tool("two", { description: "d", parameters: { type: "object", properties: {} } }),
];
const one = { type: "function", function: { name: "one" } };

function refusalOf(check: () => unknown): { field: string | undefined; message: string } {
  try {
    check();
  } catch (error) {
    expect(error).toBeInstanceOf(RequestError);
    const { field, message } = error as RequestError;
    return { field, message };
  }
  throw new Error("was not refused");
}

const namesOf = (params: ToolParams) => checkToolParams(params).callable.map((known) => known.function.name);

test("no tools", () => {
  const expected = { tools: [], callable: [], choice: "none", parallel: "several", spelling: "tools" };
  expect(checkToolParams({}) as object).toEqual(expected);
  expect(checkToolParams({ tools: null, tool_choice: null, parallel_tool_calls: null }) as object).toEqual(
    expected,
  );
  expect(checkToolParams({ tools: [], tool_choice: "auto" }) as object).toEqual(expected);
});

test("what may be called", () => {
  expect(checkToolParams({ tools })).toMatchObject({ choice: "auto", tools, callable: tools });
  expect(checkToolParams({ tools, tool_choice: "none" })).toMatchObject({
    choice: "none",
    tools,
    callable: [],
  });
  expect(checkToolParams({ tools, tool_choice: "required" })).toMatchObject({
    choice: "required",
    callable: tools,
  });
  const named = checkToolParams({ tools, tool_choice: one, parallel_tool_calls: false });
  expect(named).toMatchObject({ choice: { name: "one" }, tools, callable: [tools[0]], parallel: "single" });
  const allowed = { type: "allowed_tools", allowed_tools: { mode: "required", tools: [one, one] } };
  expect(checkToolParams({ tools, tool_choice: allowed })).toMatchObject({ choice: "required", tools });
  expect(namesOf({ tools, tool_choice: allowed })).toEqual(["one"]);
});

test("null stands for nothing, and templates are shown parameters and no strict", () => {
  const given = { description: null, parameters: null, strict: null };
  const checked = checkToolParams({
    tools: [tool("one", given), tool("two", { strict: true, parameters: {} })],
  });
  expect(checked.tools).toEqual([tool("one"), tool("two", { strict: true, parameters: {} })] as never);
  expect(shownTools(checked.tools)).toEqual([
    tool("one", { parameters: { type: "object", properties: {} } }),
    tool("two", { parameters: {} }),
  ] as never);
});

test("the older spelling", () => {
  const functions = tools.map((given) => given.function);
  const asked = checkToolParams({ functions, function_call: { name: "two" } });
  expect(asked).toMatchObject({ tools, choice: { name: "two" }, parallel: "single", spelling: "functions" });
  expect(checkToolParams({ functions, function_call: "none" }).choice).toBe("none");
});

describe("wrong parameters are refused with the path", () => {
  const allowed = (allowed_tools: unknown) => ({
    tools,
    tool_choice: { type: "allowed_tools", allowed_tools },
  });
  const wrong: [params: ToolParams, field: string, says: string][] = [
    [{ tools: {} }, "tools", "an array"],
    [{ tools: ["one"] }, "tools[0]", "function"],
    [{ tools: [{ type: "custom" }] }, "tools[0].type", '"function"'],
    [{ tools: [{ type: "function" }] }, "tools[0].function", "undefined"],
    [{ tools: [tool("one"), tool("get weather")] }, "tools[1].function.name", "letters"],
    [{ tools: [tool("")] }, "tools[0].function.name", "letters"],
    [{ tools: [tool("é")] }, "tools[0].function.name", "letters"],
    [{ tools: [tool("x".repeat(65))] }, "tools[0].function.name", "64"],
    [{ tools: [tool(7)] }, "tools[0].function.name", "letters"],
    [{ tools: [tool("one"), tool("two"), tool("one")] }, "tools[2].function.name", "tools[0].function.name"],
    [{ tools: [tool("one", { description: 1 })] }, "tools[0].function.description", "a string"],
    [{ tools: [tool("one", { strict: "yes" })] }, "tools[0].function.strict", "true"],
    [{ tools: [tool("one", { parameters: [] })] }, "tools[0].function.parameters", "schema"],
    [
      { tools: [tool("one", { parameters: { type: "string" } })] },
      "tools[0].function.parameters.type",
      "object",
    ],
    [
      { tools: [tool("one", { parameters: { properties: [] } })] },
      "tools[0].function.parameters.properties",
      "schemas",
    ],
    [
      { tools: [tool("one", { parameters: { required: "a" } })] },
      "tools[0].function.parameters.required",
      "strings",
    ],
    [{ tools, tool_choice: "any" }, "tool_choice", '"required"'],
    [{ tools, tool_choice: { type: "function" } }, "tool_choice", '"required"'],
    [{ tools, tool_choice: tool("three") }, "tool_choice.function.name", "one, two"],
    [{ tool_choice: "required" }, "tool_choice", "there are no tools"],
    [{ tool_choice: one }, "tool_choice.function.name", "there are none"],
    [allowed(undefined), "tool_choice.allowed_tools", "mode"],
    [allowed({ mode: "all", tools: [one] }), "tool_choice.allowed_tools.mode", '"auto"'],
    [allowed({ mode: "auto", tools: [] }), "tool_choice.allowed_tools.tools", "not empty"],
    [allowed({ mode: "auto", tools: ["one"] }), "tool_choice.allowed_tools.tools[0]", "function"],
    [
      allowed({ mode: "auto", tools: [tool("three")] }),
      "tool_choice.allowed_tools.tools[0].function.name",
      "one, two",
    ],
    [{ tools, parallel_tool_calls: "no" }, "parallel_tool_calls", "true or false"],
    [{ tools, functions: [] }, "tools", "functions"],
    [{ functions: [{ name: "a b" }] }, "functions[0].name", "letters"],
    [{ functions: [{ name: "a" }, { name: "a" }] }, "functions[1].name", "functions[0].name"],
    [{ functions: [{ name: "a" }], function_call: { name: "b" } }, "function_call.name", "(a)"],
    [{ functions: [{ name: "a" }], function_call: "required" }, "function_call", '"auto"'],
  ];
  for (const [params, field, says] of wrong) {
    test(`${field}: ${JSON.stringify(params).slice(0, 80)}`, () => {
      const refusal = refusalOf(() => checkToolParams(params));
      expect(refusal.field).toBe(field);
      expect(refusal.message).toContain(says);
      expect(refusal.message.startsWith(field)).toBe(true);
    });
  }
});

describe("tool calls in the messages", () => {
  const user = { role: "user", content: "x" };
  const call = (id: unknown, name: unknown, given: unknown) => ({
    id,
    type: "function",
    function: { name, arguments: given },
  });
  const called = (...calls: unknown[]) => ({ role: "assistant", content: null, tool_calls: calls });
  const result = (id: unknown) => ({ role: "tool", tool_call_id: id, content: "r" });

  test("right ones pass", () => {
    checkToolHistory([
      user,
      called(
        call("a", "one", "{}"),
        call("b", "two", '{"x": [1]}'),
        call("c", "two", ""),
        call("d", "two", { x: 1 }),
        // Models are cut off, and write what is no JSON, or none of an object.
        call("e", "two", '{"x": "on'),
        call("f", "two", '"text"'),
      ),
      result("b"),
      result("a"),
      { role: "assistant", content: "ok", tool_calls: null, function_call: null },
      { role: "assistant", content: "ok", tool_calls: [] },
      { role: "assistant", content: "ok" },
      { role: "assistant", content: null, function_call: { name: "one", arguments: "{}" } },
      { role: "function", name: "one", content: "r" },
      "left to others",
    ]);
  });

  test("results come in the order of their calls, all else where it was", () => {
    const [a, b, c] = ["a", "b", "c"].map((id) => call(id, "one", "{}"));
    const history = [user, called(a, b, c), result("c"), result("a"), user, called(c), result("c")];
    expect(withResultsInOrder(history)).toEqual([
      ...history.slice(0, 2),
      result("a"),
      result("c"),
      ...history.slice(4),
    ]);
    expect(withResultsInOrder([null, "x", user])).toEqual([null, "x", user]);
    expect(() => checkToolHistory(undefined)).not.toThrow();
  });

  const wrong: [messages: unknown[], field: string, says: string][] = [
    [[called(call("a", "one", 1))], "messages[0].tool_calls[0].function.arguments", "a string of JSON"],
    [
      [user, called(call("a", "one", "{}"), call("b", "o ne", "{}"))],
      "messages[1].tool_calls[1].function.name",
      "letters",
    ],
    [[called(call("", "one", "{}"))], "messages[0].tool_calls[0].id", "not empty"],
    [[called(call("a", "one", "{}"), call("a", "one", "{}"))], "messages[0].tool_calls[1].id", "unique"],
    [[user, result("a")], "messages[1].tool_call_id", "no call"],
    [[called(call("a", "one", "{}")), result("b")], "messages[1].tool_call_id", '"a"'],
    [[called(call("a", "one", "{}")), result("a"), result("a")], "messages[2].tool_call_id", "no call"],
    [[called(call("a", "one", "{}")), user, result("a")], "messages[2].tool_call_id", "no call"],
    [[called(call("a", "one", "{}")), result(undefined)], "messages[1].tool_call_id", "the id"],
    [[{ role: "function", name: "one", content: "r" }], "messages[0].name", "does not call"],
    [
      [{ role: "assistant", function_call: { name: "one", arguments: 1 } }],
      "messages[0].function_call.arguments",
      "a string of JSON",
    ],
  ];
  for (const [messages, field, says] of wrong) {
    test(`${field}: ${says}`, () => {
      const refusal = refusalOf(() => checkToolHistory(messages));
      expect(refusal.field).toBe(field);
      expect(refusal.message).toContain(says);
    });
  }
});
