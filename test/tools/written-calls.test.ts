import { expect, test } from "bun:test";
import fc from "fast-check";
import type { ChatMessage } from "../../src/chat/types.ts";
import { chooseFormat, toolFormats, withWrittenCalls } from "../../src/tools/index.ts";
import { writeCalls } from "../../src/tools/written-calls.ts";
import { parseAnswer } from "./parse-answer.ts";

const text = fc.string({ maxLength: 8 }).map((word) => word.trim());
const weather = fc.record({
  name: fc.constant("get_weather"),
  given: fc.record(
    { city: text, days: fc.integer(), metric: fc.boolean(), hours: fc.array(fc.integer(), { maxLength: 3 }) },
    { requiredKeys: ["city"] },
  ),
});
const sent = fc.record({
  name: fc.constant("send-note"),
  given: fc.record(
    { text, to: fc.record({ name: text, tags: fc.array(text, { maxLength: 2 }) }) },
    { requiredKeys: ["text"] },
  ),
});
const now = fc.constant({ name: "now", given: {} });

for (const format of toolFormats.filter(({ channels }) => !channels)) {
  test(`${format.name}: what is written is read as the same calls`, () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(weather, sent, now), { minLength: 1, maxLength: 3 }), (calls) => {
        const given = calls.map((call, index) => ({
          name: call.name,
          arguments: JSON.stringify(call.given),
          id: `abcdefg${index}9`,
        }));
        const { content, toolCalls } = parseAnswer(format, [
          new TextEncoder().encode(writeCalls(format, given)),
        ]);
        expect(content).toBe("");
        expect(toolCalls.map((call) => ({ name: call.name, given: JSON.parse(call.arguments) }))).toEqual(
          calls,
        );
      }),
      { numRuns: 40 },
    );
  });
}

test("calls join the content of their message, in both spellings", () => {
  const lfm2 = chooseFormat("", "lfm2");
  const call = { id: "a", type: "function" as const, function: { name: "now", arguments: "" } };
  const messages: ChatMessage[] = [
    { role: "user", content: "u" },
    { role: "assistant", content: "Look:", tool_calls: [call, { ...call, id: "b" }] },
    { role: "assistant", content: [{ type: "text", text: "Look:" }], tool_calls: [call] },
    { role: "assistant", content: null, function_call: { name: "now", arguments: '{"a": [1, null, true]}' } },
    { role: "assistant", content: "Done." },
  ];
  expect(withWrittenCalls(messages, lfm2)).toEqual([
    messages[0]!,
    { role: "assistant", content: "Look:\n<|tool_call_start|>[now(), now()]<|tool_call_end|>" },
    {
      role: "assistant",
      content: [
        { type: "text", text: "Look:" },
        { type: "text", text: "<|tool_call_start|>[now()]<|tool_call_end|>" },
      ],
    },
    { role: "assistant", content: "<|tool_call_start|>[now(a=[1, None, True])]<|tool_call_end|>" },
    messages[4]!,
  ]);
});
