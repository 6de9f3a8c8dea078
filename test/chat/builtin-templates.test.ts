import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  BUILTIN_TEMPLATES,
  type BuiltinTemplateName,
  type ChatMessage,
  resolveChatTemplate,
} from "../../src/chat/index.ts";

const CHAT: ChatMessage[] = [
  { role: "system", content: "S" },
  { role: "user", content: "a" },
  { role: "assistant", content: "b" },
  { role: "user", content: "c" },
];

const RENDERED: Record<BuiltinTemplateName, string> = {
  chatml:
    "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n" +
    "<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n",
  llama2: "[INST] <<SYS>>\nS\n<</SYS>>\n\na [/INST]b</s>[INST] c [/INST]",
  llama3:
    "<|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|><|start_header_id|>user<|end_header_id|>\n\na<|eot_id|>" +
    "<|start_header_id|>assistant<|end_header_id|>\n\nb<|eot_id|>" +
    "<|start_header_id|>user<|end_header_id|>\n\nc<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
  "mistral-v3": "[INST] S\n\na[/INST] b</s>[INST] c[/INST]",
  "mistral-v7": "[SYSTEM_PROMPT] S[/SYSTEM_PROMPT][INST] a[/INST] b</s>[INST] c[/INST]",
  gemma:
    "<start_of_turn>user\nS\n\na<end_of_turn>\n<start_of_turn>model\nb<end_of_turn>\n" +
    "<start_of_turn>user\nc<end_of_turn>\n<start_of_turn>model\n",
  phi3: "<|system|>\nS<|end|>\n<|user|>\na<|end|>\n<|assistant|>\nb<|end|>\n<|user|>\nc<|end|>\n<|assistant|>\n",
  phi4:
    "<|im_start|>system<|im_sep|>S<|im_end|><|im_start|>user<|im_sep|>a<|im_end|>" +
    "<|im_start|>assistant<|im_sep|>b<|im_end|><|im_start|>user<|im_sep|>c<|im_end|><|im_start|>assistant<|im_sep|>",
  zephyr:
    "<|system|>\nS<|endoftext|>\n<|user|>\na<|endoftext|>\n<|assistant|>\nb<|endoftext|>\n" +
    "<|user|>\nc<|endoftext|>\n<|assistant|>\n",
  vicuna: "S\n\nUSER: a\nASSISTANT: b</s>\nUSER: c\nASSISTANT:",
  deepseek2: "S\n\nUser: a\n\nAssistant: b<｜end▁of▁sentence｜>User: c\n\nAssistant:",
  deepseek3: "S\n\n<｜User｜>a<｜Assistant｜>b<｜end▁of▁sentence｜><｜User｜>c<｜Assistant｜>",
  "command-r":
    "<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>S<|END_OF_TURN_TOKEN|>" +
    "<|START_OF_TURN_TOKEN|><|USER_TOKEN|>a<|END_OF_TURN_TOKEN|>" +
    "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>b<|END_OF_TURN_TOKEN|>" +
    "<|START_OF_TURN_TOKEN|><|USER_TOKEN|>c<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>",
};

describe("built-in formats", () => {
  for (const [name, expected] of Object.entries(RENDERED)) {
    test(name, () => {
      const template = resolveChatTemplate({ named: name });
      expect(template.render(CHAT)).toBe(expected);
      expect(template.capabilities).toMatchObject({ stringContent: true, systemRole: true, tools: false });
      expect(template.name).toBe(name);
    });
  }

  test("the table above is complete", () => {
    expect(Object.keys(RENDERED).sort()).toEqual(Object.keys(BUILTIN_TEMPLATES).sort());
  });
});

test("ChatML is plain concatenation for any text", () => {
  const template = resolveChatTemplate();
  const message = fc.record({
    role: fc.constantFrom("system" as const, "user" as const, "assistant" as const),
    content: fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: fc.constantFrom(..."{%}#-'\"\\\n <|>") }),
    ),
  });
  fc.assert(
    fc.property(fc.array(message, { minLength: 1 }), fc.boolean(), (messages, addGenerationPrompt) => {
      const turns = messages
        .map(({ role, content }) => `<|im_start|>${role}\n${content}<|im_end|>\n`)
        .join("");
      const end = addGenerationPrompt ? "<|im_start|>assistant\n" : "";
      expect(template.render(messages, { addGenerationPrompt })).toBe(turns + end);
    }),
    { numRuns: 300 },
  );
});

test("a chat that goes on starts with the prompt that it had: what was computed can be kept", () => {
  for (const named of Object.keys(BUILTIN_TEMPLATES)) {
    const template = resolveChatTemplate({ named });
    const before = template.render(CHAT.slice(0, 2), { addGenerationPrompt: false });
    expect(template.render(CHAT)).toStartWith(before);
  }
});
