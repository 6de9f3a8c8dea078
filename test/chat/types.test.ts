import { expect, test } from "bun:test";
import type OpenAI from "openai";
import {
  type ChatFunctionTool,
  type ChatMessage,
  type ChatTool,
  type ChatToolChoice,
  resolveChatTemplate,
} from "../../src/chat/index.ts";

type Theirs = OpenAI.Chat.Completions.ChatCompletionMessageParam;
type TheirTool = OpenAI.Chat.Completions.ChatCompletionTool;
type TheirChoice = OpenAI.Chat.Completions.ChatCompletionToolChoiceOption;

// Checked by the compiler: what the client's types allow can be passed here, and our choice and tools there.
const acceptsMessages = (messages: Theirs[]): ChatMessage[] => messages;
const acceptsTools = (tools: TheirTool[]): ChatTool[] => tools;
const givesTool = (tool: ChatFunctionTool): TheirTool => tool;
const givesChoice = (choice: ChatToolChoice): TheirChoice => choice;

// @ts-expect-error a role that neither knows
acceptsMessages([{ role: "bot", content: "x" }]);
// @ts-expect-error content of a user must be there
acceptsMessages([{ role: "user" }]);

test("a request typed by the client's package renders", () => {
  const tools: TheirTool[] = [givesTool({ type: "function", function: { name: "f" } })];
  const messages: Theirs[] = [
    { role: "developer", content: [{ type: "text", text: "D" }] },
    { role: "user", content: "u", name: "me" },
  ];
  const toolChoice = "none";
  expect(givesChoice(toolChoice)).toBe("none");
  expect(
    resolveChatTemplate().render(acceptsMessages(messages), { tools: acceptsTools(tools), toolChoice }),
  ).toBe("<|im_start|>system\nD<|im_end|>\n<|im_start|>user\nu<|im_end|>\n<|im_start|>assistant\n");
});
